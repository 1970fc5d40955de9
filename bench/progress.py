"""How long a run will take: told at its start, and by a line on a terminal that says what runs and how much is left."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from bench.contend import Turn
from bench.measured import Contender, Scenario
from processor.cli.progress import duration, is_shown

TURN_S: Mapping[str, tuple[float, float]] = {
    "backlog": (7, 2.5),
    "latency": (12, 4.5),
    "verification": (8, 2.5),
    "batch": (15, 2.5),
    "materializing": (6, 3),
    "applying": (6, 2.5),
    "growth": (8, 2.5),
}
"""Of a contender, by group, in a usual and in a quick run on two cores; its start and the counts included."""
AROUND_S = 30, 15
"""Services and tables, likewise."""
Show: TypeAlias = Callable[[int, float, str], None]
"""Turns that are done, seconds that are left, and what runs now."""


class Pace:
    """What is left, by what was expected and what it took so far."""

    def __init__(self, scenarios: Sequence[Scenario], asked: int | None, *, is_quick: bool) -> None:
        self._of = int(is_quick)
        self.turns = sum(each.turns(asked) for each in scenarios)
        self.done = 0
        self._all = sum(self._turn_s(each) * each.turns(asked) for each in scenarios)
        self._expected = 0.0
        self._took = 0.0

    @property
    def expected_s(self) -> float:
        """Of all of it, before it begins."""
        return self._all + AROUND_S[self._of]

    def add(self, scenario: Scenario, took_s: float) -> None:
        self.done += 1
        self._expected += self._turn_s(scenario)
        self._took += took_s

    @property
    def left_s(self) -> float:
        slower = self._took / self._expected if self._expected else 1.0
        return max(0.0, self._all - self._expected) * slower

    def _turn_s(self, scenario: Scenario) -> float:
        return TURN_S[scenario.group][self._of]


@contextmanager
def progress(pace: Pace) -> Iterator[Turn]:
    """Gives what is to be around each turn."""
    with _line(pace.turns) as show:

        @contextmanager
        def turn(scenario: Scenario, contender: Contender) -> Iterator[None]:
            show(pace.done, pace.left_s, f"{scenario.name}: {contender.name}")
            began = time.monotonic()
            try:
                yield
            finally:
                pace.add(scenario, time.monotonic() - began)

        yield turn


def _line(turns: int) -> AbstractContextManager[Show]:
    return _on_terminal(turns) if is_shown() else _nowhere()


@contextmanager
def _nowhere() -> Iterator[Show]:
    yield lambda _done, _left_s, _what: None


@contextmanager
def _on_terminal(turns: int) -> Iterator[Show]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from processor.cli.output import console

    left, what = TextColumn("{task.fields[left]} left"), TextColumn("{task.description}")
    columns = (BarColumn(20), MofNCompleteColumn(), left, TimeElapsedColumn(), what)
    with Progress(*columns, console=console(stderr=True), transient=True, refresh_per_second=2) as bar:
        task = bar.add_task("services and tables", total=turns, left="")

        def show(done: int, left_s: float, running: str) -> None:
            bar.update(task, completed=done, left=duration(left_s), description=running)

        yield show
