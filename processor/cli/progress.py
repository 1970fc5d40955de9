"""Progress bars: on stderr, and only on a terminal."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

WINDOW_S = 30.0
"""What the rate is taken from: long enough to be steady, short enough to tell of a standstill."""


def is_shown() -> bool:
    return sys.stderr.isatty()


class Pace:
    """How fast something gets done, by what was seen here: what was done before counts for nothing."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now_s: float, done: int) -> None:
        self._seen.append((now_s, done))
        while len(self._seen) > 2 and now_s - self._seen[1][0] >= WINDOW_S:
            self._seen.popleft()

    @property
    def per_s(self) -> float | None:
        """None while nothing can be said."""
        if len(self._seen) < 2:
            return None
        (first_s, before), (last_s, after) = self._seen[0], self._seen[-1]
        return max(0, after - before) / (last_s - first_s) if last_s > first_s else None

    def text(self, done: int, total: int) -> str:
        """`1,234/s, 2 min left`; empty while nothing can be said."""
        rate = self.per_s
        if rate is None:
            return ""
        left = f", {duration((total - done) / rate)} left" if rate and total > done else ""
        return f"{rate:,.0f}/s{left}" if rate >= 10 or not rate else f"{rate:.1f}/s{left}"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class Counting(Protocol):
    def __call__(self, done: int, total: int, note: str = "") -> None:
        """How many are done and how many there are (0 while unknown). A note stands in the place of the pace."""
        ...


@contextmanager
def counting(what: str) -> Iterator[Counting]:
    """Gives a function to be called with how far it is."""
    if not is_shown():
        yield lambda done, total, note="": None  # noqa: ARG005
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from processor.cli.output import console

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeElapsedColumn(),
    )
    pace = Pace()
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, pace="")

        def show(done: int, total: int, note: str = "") -> None:
            pace.add(monotonic(), done)
            bar.update(task, completed=done, total=total or None, pace=note or pace.text(done, total))

        yield show
