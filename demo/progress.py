"""What the demo says while it runs: steps with their times, and a bar where someone is looking."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """Steps and their seconds, in order."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}
        self._bars: Bars | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started
        self.note(f"{name} ({self.seconds[name]:.1f} s)")

    @contextmanager
    def counting(self, name: str, total: int) -> Iterator[None]:
        """A step of which `advance` counts the parts."""
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with self.step(name), Bars(*columns, console=self.console, disable=not self.console.is_terminal) as bars:
            self._bars = bars
            bars.add_task(name, total=total)
            yield
            # Parts that nobody counted are done too.
            bars.update(bars.task_ids[0], completed=total)
        self._bars = None

    def advance(self) -> None:
        if self._bars is not None:
            self._bars.advance(self._bars.task_ids[0])

    def note(self, text: str) -> None:
        self.console.print(f"[dim]{time.strftime('%H:%M:%S')}[/] {text}", highlight=False)
