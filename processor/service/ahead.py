"""Batches of what is done at once are read while those before them are compared, and compared while they are committed.

One thread reads and one compares, so batches are read, and end, in the order that they came in (ADR 0228): of two that
ask for one key the second never has the older reading.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from processor.service.comparing import Compared, Seen
from processor.service.intake import Intake


class Ahead:
    """The two threads."""

    def __init__(
        self,
        read: Callable[[Intake], Seen],
        decide: Callable[[Seen], Compared],
        reader: Executor | None = None,
        decider: Executor | None = None,
    ) -> None:
        """Each executor has one thread."""
        self._read = read
        self._decide = decide
        self._reader = reader or ThreadPoolExecutor(1, "reader")
        self._decider = decider or ThreadPoolExecutor(1, "decider")

    def compare(self, intake: Intake) -> Future[Compared]:
        """A fault that is raised comes with the result."""
        seen = self._reader.submit(self._read, intake)
        return self._decider.submit(lambda: self._decide(seen.result()))

    def close(self) -> None:
        """Waits for what is being read, and begins nothing more."""
        self._reader.shutdown(cancel_futures=True)
        self._decider.shutdown(cancel_futures=True)
