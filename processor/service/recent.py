"""What was done so lately that it is not done again yet."""

from collections.abc import Hashable
from time import monotonic


class Recent:
    """Knows what was added within the last `for_s` seconds, and forgets the rest: this process's own, nowhere kept."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._since: dict[Hashable, float] = {}

    def __contains__(self, what: Hashable) -> bool:
        since = self._since.get(what)
        return since is not None and monotonic() - since < self._for_s

    def add(self, what: Hashable) -> None:
        now = monotonic()
        self._since.pop(what, None)
        self._since[what] = now
        while (oldest := next(iter(self._since))) != what and now - self._since[oldest] >= self._for_s:
            del self._since[oldest]
