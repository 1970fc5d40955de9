"""A batch into the tables, in a thread of its own: the next one is read and decoded meanwhile (ADR 0036)."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from processor.crashpoint import CrashPoints
from processor.service.ends import Ends
from processor.service.history_changes import Changes
from processor.service.history_ports import HistoryTables, LogBatch


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
        """Its result raises StoreUnavailable."""
        return self._thread.submit(self._merge, read)

    def _merge(self, read: Read) -> Merged:
        with self._tables.transaction() as transaction:
            transaction.stage(read.changes)
            if not transaction.holds(read.batch.start):
                return Merged(fits=False)
            shared_ids = transaction.shared_ids()
            transaction.merge()
            self._crash("store.after_merge")
            self._ends.announce(transaction, read.changes)
            transaction.advance(read.batch.end)
            self._crash("store.before_sql_commit")
        self._crash("store.after_sql_commit")
        return Merged(fits=True, shared_ids=shared_ids)
