"""What repeats among records is kept for the next ones, within bounds: what others write must not fill our memory."""

from collections.abc import Callable, Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def keep(kept: dict[K, V], key: K, value: V, most: int) -> None:
    """All that was kept is dropped where a new one finds no more room: what still repeats soon comes again."""
    if key not in kept and len(kept) >= most:
        kept.clear()
    kept[key] = value


class Seen:
    """Tells what comes again from what comes once only, which is not worth being kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._hashes: set[int] = set()

    def before(self, value: Hashable) -> bool:
        """Whether it was asked about already, among the last `most`; by its hash, so seldom of another one."""
        mark = hash(value)
        if mark in self._hashes:
            return True
        if len(self._hashes) >= self._most:
            self._hashes.clear()
        self._hashes.add(mark)
        return False


class Kept(dict[K, V]):
    """What a function makes of each argument, the last `most` of them at most: looked up, and not called again."""

    def __init__(self, make: Callable[[K], V], most: int) -> None:
        self._make = make
        self._most = most
        super().__init__()

    def __missing__(self, argument: K) -> V:
        value = self._make(argument)
        keep(self, argument, value, self._most)
        return value
