"""The store reads the next batch while the last one is merged, and forgets it where that one does not stand."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from time import monotonic
from typing import Any, cast

import pytest

from processor.codec import RegistryUnavailable
from processor.codec.history import history_record
from processor.core.history import HistoryRecord, KeyOutcome, Status
from processor.crashpoint import CrashPoints
from processor.service.history_changes import Changes, HistoryDecoder, RawRecord
from processor.service.history_ports import (
    BatchLimits,
    Extent,
    HistoryLog,
    HistoryTables,
    HistoryWriter,
    LogBatch,
    StoredOffset,
    StoreUnavailable,
)
from processor.service.materialize import Rebuild, Store, StoreParts

NOW = datetime(2026, 8, 1, tzinfo=UTC)
REQUEST = str(uuid.UUID(int=1))
EACH = 2
"""Records a batch."""
MOST_S = 10.0
MEANWHILE_S = 0.2


def outcome(number: int) -> KeyOutcome:
    return KeyOutcome(
        REQUEST, "NORTH", "P", str(number), None, Status.IN_SYNC, None, None, (), None, None, 1, NOW, None, None, NOW
    )


def read_outcome(value: bytes) -> HistoryRecord:
    return outcome(int(value))


class Log:
    """One partition of so many records."""

    topic, partitions = "history", 1

    def __init__(self, records: int) -> None:
        self._records = records
        self._position: int | None = None
        self.begun: list[int] = []
        self.when_read: Callable[[], None] = lambda: None

    def read(self, _limits: BatchLimits, _wait_s: float) -> LogBatch:
        self.when_read()
        if self._position is None or self._position >= self._records:
            return LogBatch((), {}, {})
        begin = self._position
        self._position = min(begin + EACH, self._records)
        self.begun.append(begin)
        raw = [RawRecord(0, n, history_record(outcome(n))[0], b"%d" % n) for n in range(begin, self._position)]
        return LogBatch(raw, {0: begin}, {0: self._position})

    def to_place(self) -> frozenset[int] | None:
        return frozenset({0}) if self._position is None else None

    def place(self, offsets: Mapping[int, int]) -> None:
        self._position = offsets[0]

    def displace(self) -> None:
        self._position = None

    def extents(self, _partitions: object) -> Mapping[int, Extent]:
        return {0: Extent(0, self._records, self._records)}

    def topic_id(self) -> str:
        return "id"

    def tombstones_kept_s(self) -> float:
        return 60.0

    def report(self, _offsets: Mapping[int, int]) -> None:
        pass


class Tables:
    """A transaction at a time. `when_staged` and `when_merged` are called within it."""

    def __init__(self) -> None:
        self.next_offset = 0
        self.keys: list[str] = []
        self.when_staged: Callable[[], None] = lambda: None
        self.when_merged: Callable[[], None] = lambda: None
        self._staged: Changes = Changes()

    @contextmanager
    def transaction(self) -> Iterator["Tables"]:
        before = self.next_offset, list(self.keys)
        try:
            yield self
        except BaseException:
            self.next_offset, self.keys = before
            raise

    def stage(self, changes: Changes) -> None:
        self._staged = changes
        self.when_staged()

    def holds(self, expected: Mapping[int, int]) -> bool:
        return expected == {0: self.next_offset}

    def shared_ids(self) -> Sequence[str]:
        return ()

    def merge(self) -> None:
        self.keys += [key for _, _, key in self._staged.outcomes]
        self.when_merged()

    def advance(self, offsets: Mapping[int, int]) -> None:
        self.next_offset = offsets[0]

    def offsets(self, _begin: object, _topic_id: str) -> Mapping[int, StoredOffset]:
        return {0: StoredOffset(self.next_offset, "id", live=True)}

    def held(self) -> tuple[int, None]:
        return 0, None

    def __getattr__(self, _name: str) -> Callable[..., Any]:
        """Nothing of any other kind is there."""
        return lambda *_: ()


def store_of(
    log: Log,
    tables: Tables,
    decode: Callable[[bytes], HistoryRecord] = read_outcome,
    rebuild: Rebuild | None = None,
) -> Store:
    parts = StoreParts(
        log=cast("HistoryLog", log),
        tables=cast("HistoryTables", tables),
        writer=cast("HistoryWriter", object()),
        decode=HistoryDecoder(decode),
        now=lambda: NOW,
        crash_points=CrashPoints(None),
        rebuild=rebuild,
    )
    return Store(parts)


def keys(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_the_next_batch_is_read_before_the_last_one_is_merged() -> None:
    log, tables = Log(4), Tables()
    read_again, waited = Event(), []
    tables.when_merged = lambda: waited.append(read_again.wait(MOST_S))
    log.when_read = lambda: read_again.set() if log.begun else None
    store = store_of(log, tables)
    store.step()
    assert waited == [True]
    assert (tables.keys, log.begun) == (keys(2), [0, 2])
    store.step()
    assert (tables.keys, log.begun) == (keys(4), [0, 2])
    assert store.counts.records == 4


def test_nothing_is_decoded_while_a_batch_travels_to_the_server() -> None:
    """It would keep the batch from there, and the server from its work (ADR 0068)."""
    log, tables = Log(4), Tables()
    read_again, waited = Event(), []
    tables.when_staged = lambda: waited.append(read_again.wait(MEANWHILE_S))
    log.when_read = lambda: read_again.set() if log.begun else None
    store_of(log, tables).step()
    assert waited == [False]
    assert log.begun == [0, 2]


def test_what_was_read_ahead_is_forgotten_where_a_batch_does_not_fit() -> None:
    """As when a replay has moved the offsets back meanwhile."""
    log, tables = Log(6), Tables()
    store = store_of(log, tables)
    store.step()
    tables.next_offset, tables.keys = 0, []
    for _ in range(5):
        store.step()
    assert tables.keys == keys(6)
    assert store.counts.batches_dropped == 1


@pytest.mark.parametrize("when", ["when_staged", "when_merged"])
def test_what_was_read_ahead_is_read_again_after_a_fault(when: str) -> None:
    log, tables = Log(6), Tables()
    faults = [StoreUnavailable("away")]

    def fail_once() -> None:
        if log.begun and faults:
            raise faults.pop()

    setattr(tables, when, fail_once)
    store = store_of(log, tables)
    until = monotonic() + MOST_S
    store.run(lambda: tables.next_offset == 6 or monotonic() > until)
    assert tables.keys == keys(6)
    assert log.begun == [0, 2, 0, 2, 4], "the second batch was read twice"


def test_a_batch_stands_though_the_next_one_could_not_be_read() -> None:
    log, tables = Log(4), Tables()
    faults = [RegistryUnavailable("away")]

    def decode(value: bytes) -> HistoryRecord:
        if value == b"2" and faults:
            raise faults.pop()
        return read_outcome(value)

    store = store_of(log, tables, decode)
    with pytest.raises(RegistryUnavailable):
        store.step()
    assert (tables.keys, tables.next_offset, store.counts.records) == (keys(2), 2, 2)
    log.displace()  # as the loop does after a fault
    store.step()
    assert tables.keys == keys(4)
