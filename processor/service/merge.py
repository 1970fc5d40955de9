"""A batch into the tables, in a thread of its own: the next one is read and decoded meanwhile (ADR 0036)."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import TypeVar

from processor.crashpoint import CrashPoints
from processor.service.ends import Ends
from processor.service.history_changes import Changes
from processor.service.history_ports import HistoryTables, LogBatch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """A batch, and what it changes."""

    batch: LogBatch
    changes: Changes


@dataclass(frozen=True, slots=True)
class Merged:
    """Nothing of a batch stands that does not fit. `shared_ids` are those of requests of two districts."""

    fits: bool
    shared_ids: Sequence[str] = ()


class Merging:
    """One batch at a time. Until it is done with, nobody else may use the tables, or announce ends."""

    def __init__(self, tables: HistoryTables, ends: Ends, crash: CrashPoints) -> None:
        self._tables = tables
        self._ends = ends
        self._crash = crash
        self._thread = ThreadPoolExecutor(1, "merge")

    def begin(self, read: Read) -> Future[Merged]:
        """Returns when the batch is at the server, or will not be. The result raises StoreUnavailable."""
        return begun(self._thread, partial(self._merge, read))

    def _merge(self, read: Read, at_server: Callable[[], None]) -> Merged:
        with self._tables.transaction() as transaction:
            transaction.stage(read.changes)
            if not transaction.holds(read.batch.start):
                return Merged(fits=False)
            shared_ids = transaction.shared_ids()
            at_server()
            transaction.merge()
            self._crash("store.after_merge")
            self._ends.announce(transaction, read.changes)
            transaction.advance(read.batch.end)
            self._crash("store.before_sql_commit")
        self._crash("store.after_sql_commit")
        return Merged(fits=True, shared_ids=shared_ids)


def begun(thread: ThreadPoolExecutor, work: Callable[[Callable[[], None]], T]) -> Future[T]:
    """Carried out by the thread; returns once the work has called what it is given, or ended.

    Whoever decodes meanwhile holds Python's lock, so the server would be told of each step late (ADR 0068).
    """
    at_server = Event()
    working = thread.submit(work, at_server.set)
    working.add_done_callback(lambda _: at_server.set())
    at_server.wait()
    return working
