"""What was done so lately that it is not done again yet."""

from collections.abc import Callable, Collection, Hashable
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


class Repeated:
    """When to do again what has had no effect: after `first_s`, then each time after twice as long, up to `most_s`."""

    def __init__(self, first_s: float, most_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._clock = clock
        self._next: dict[Hashable, tuple[float, float]] = {}
        """When it is due again, and how long it waits for that."""

    def is_due(self, what: Hashable) -> bool:
        due = self._next.get(what)
        return due is None or self._clock() >= due[0]

    def done(self, what: Hashable) -> None:
        due = self._next.get(what)
        wait_s = self._first_s if due is None else min(self._most_s, 2 * due[1])
        self._next[what] = self._clock() + wait_s, wait_s

    def keep(self, those: Collection[Hashable]) -> None:
        """Forgets all others: they had their effect."""
        self._next = {what: due for what, due in self._next.items() if what in those}

    def hurry(self) -> None:
        """No more than `first_s` are waited for anything: what has happened since may not be known."""
        latest = self._clock() + self._first_s
        self._next = {what: (min(due, latest), wait_s) for what, (due, wait_s) in self._next.items()}
