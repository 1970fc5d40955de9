"""What repeats among records is kept for the next ones, within bounds: what others write must not fill our memory."""

from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def keep(kept: dict[K, V], key: K, value: V, most: int) -> None:
    """All that was kept is dropped where a new one finds no more room: what still repeats soon comes again."""
    if key not in kept and len(kept) >= most:
        kept.clear()
    kept[key] = value
