"""Building the store's tables again from the topic alone: to replace the live ones, or to prove them equal.

Both read outside the store's group and write to tables of their own, so traffic and the store go on meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeAlias

import structlog

from processor.core import ids
from processor.core.partition import partition_of
from processor.service.history_changes import Changes, HistoryDecoder, RawRecord, changes_of
from processor.service.history_ports import (
    BatchLimits,
    Extent,
    HistoryScan,
    HistoryTransaction,
    StoredOffset,
    StoreUnavailable,
)
from processor.service.merge import begun
from processor.service.within_log import check_within_log, outside

log = structlog.get_logger(__name__)

Progress: TypeAlias = Callable[[int, int], None]
"""Called with offsets read so far and offsets to read in all."""

MOST_ROUNDS = 10
"""How often a replay reads on to where the store has come meanwhile; each round is shorter than the one before."""

STILL_ALIVE_S = 1.0
"""How often progress is told while nothing is read any more."""

RECORD_KEY: Mapping[str, Callable[..., str]] = {
    "requests": ids.request_key,
    "chunks": ids.chunk_key,
    "parked": ids.held_key,
    "outcomes": ids.outcome_key,
    "clearings": ids.cleared_key,
}
"""The history record that makes a row of each table, from the row's primary key. Tallies are made of rows."""


def silent(_done: int, _total: int) -> None:
    """No progress shown."""


class Rebuild(Protocol):
    """Empty tables to be filled from the topic. Only one rebuild goes on at a time in a database."""

    def live_offsets(self) -> Mapping[int, StoredOffset]:
        """The store's, as of the moment for which the rebuild is made."""

    def begin(self, offsets: Mapping[int, int], topic_id: str) -> None: ...

    def transaction(self) -> AbstractContextManager[HistoryTransaction]: ...

    def complete(self) -> None:
        """Everything was read: make the tables fit for use."""


class SwappingRebuild(Rebuild, Protocol):
    def swap(self) -> None:
        """Put the new tables in the place of the live ones, in one transaction.

        A partition stays live if it was, and if the live tables had come at least as far.
        """


@dataclass(frozen=True, slots=True)
class Row:
    """A row of one side. `values` begin with the primary key and are in the order of the table's columns."""

    key: tuple[str, ...]
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class TablePair:
    """Both sides of one table, sorted by primary key in byte order."""

    table: str
    columns: tuple[str, ...]
    live: Iterator[Row]
    rebuilt: Iterator[Row]


class VerifyingRebuild(Rebuild, Protocol):
    def note_newer(self, record_keys: Iterable[str]) -> None:
        """Remember keys that have a record after the moment for which the rebuild is made."""

    def is_newer(self, record_key: str) -> bool: ...

    def pairs(self) -> Iterator[TablePair]: ...


@dataclass(frozen=True, slots=True)
class Replayed:
    records: int
    skipped: int
    offsets: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Divergence:
    """`columns` are the names of those that differ; empty where one side has no such row."""

    table: str
    key: tuple[str, ...]
    what: str
    columns: tuple[str, ...]
    topic: str
    partition: int

    def __str__(self) -> str:
        names = f" in {', '.join(self.columns)}" if self.columns else ""
        key = " / ".join(self.key)
        return f"{self.table} {key}: {self.what}{names} (partition {self.partition} of {self.topic})"


@dataclass(frozen=True, slots=True)
class Verified:
    """`unjudged` rows differ but were changed while this went on, so the topic may no longer hold the older record."""

    replayed: Replayed
    compared: int
    unjudged: int
    divergences: int
    first: Divergence | None


@dataclass(frozen=True, slots=True)
class Reading:
    """The topic, how its records are read, and how many at once."""

    scan: HistoryScan
    decode: HistoryDecoder
    limits: BatchLimits = field(default_factory=BatchLimits)


@dataclass(frozen=True, slots=True)
class Span:
    """The part of the topic that a rebuild reads."""

    topic_id: str
    start: Mapping[int, int]
    end: Mapping[int, int]


def replay(reading: Reading, tables: SwappingRebuild, progress: Progress = silent) -> Replayed:
    """Rebuild up to where the store stands, or to the log's end where it stands nowhere, and swap.

    What the store has merged meanwhile is read as well, until that is a batch: readers miss no more, and only until
    the store has read on. Where that fails, as far as it came is enough: the store goes on from there.
    """
    scan, topic_id = reading.scan, reading.scan.topic_id()

    def whole(partitions: Iterable[int]) -> Span:
        live, extents = tables.live_offsets(), scan.extents(partitions)
        end = {p: _end_of_replay(live.get(p), extent, topic_id) for p, extent in extents.items()}
        return Span(topic_id, {p: extent.low for p, extent in extents.items()}, end)

    span = whole(range(scan.partitions))
    done = _rebuild(reading, tables, span, progress)
    try:
        for _ in range(MOST_ROUNDS):
            before, now = done, whole(done.offsets).end
            span = replace(span, end={p: max(offset, now[p]) for p, offset in before.offsets.items()})
            done = _read_on(reading, tables, before, span, progress)
            if done.records - before.records <= reading.limits.records:
                break
    except StoreUnavailable as fault:
        log.warning("what came during the replay is left to the store", why=str(fault))
    tables.swap()
    log.info("replayed", records=done.records, skipped=done.skipped)
    return done


def verify_replay(reading: Reading, tables: VerifyingRebuild, progress: Progress = silent) -> Verified:
    """Compare the live tables, as they are when this begins, with the topic up to the same offsets."""
    scan = reading.scan
    live, topic_id = tables.live_offsets(), scan.topic_id()
    extents = scan.extents(range(scan.partitions))
    check_within_log(scan.topic, topic_id, live, extents)
    end = {p: live[p].next_offset if p in live else extent.low for p, extent in extents.items()}
    done = _rebuild(reading, tables, Span(topic_id, {p: extents[p].low for p in end}, end), progress)
    now = {p: extent.stable for p, extent in scan.extents(end).items()}
    for batch in scan.batches(end, now, reading.limits):
        tables.note_newer(_readable_keys(batch.records))
    return _compare(scan, tables, done)


def _end_of_replay(stored: StoredOffset | None, extent: Extent, topic_id: str) -> int:
    """The log's end where a store that reads on from there has everything still to announce."""
    if stored is None or not stored.live or outside(topic_id, stored, extent) is not None:
        return extent.stable
    return stored.next_offset


def _rebuild(reading: Reading, tables: Rebuild, span: Span, progress: Progress) -> Replayed:
    total = sum(span.end[p] - span.start[p] for p in span.end)
    tables.begin(span.start, span.topic_id)
    progress(0, total)
    done = _read_on(reading, tables, Replayed(0, 0, span.start), span, progress)
    with ThreadPoolExecutor(1, "complete") as thread:
        completing = thread.submit(tables.complete)
        while not wait([completing], STILL_ALIVE_S).done:
            progress(total, total)
        completing.result()
    return done


def _read_on(reading: Reading, tables: Rebuild, before: Replayed, span: Span, progress: Progress) -> Replayed:
    """Merges what lies between `before` and the span's end; the counts, also those of progress, are of all so far."""
    scan, records, skipped = reading.scan, before.records, before.skipped
    done = sum(offset - span.start[p] for p, offset in before.offsets.items())
    total = sum(span.end[p] - span.start[p] for p in span.end)

    def skip(record: RawRecord, why: str) -> None:
        nonlocal skipped
        skipped += 1
        log.warning("record skipped", topic=scan.topic, partition=record.partition, offset=record.offset, why=why)

    with ThreadPoolExecutor(1, "merge") as thread:  # the next batch is read and decoded meanwhile (ADR 0036)
        merging: Future[None] | None = None
        for batch in scan.batches(before.offsets, span.end, reading.limits):
            changes = changes_of(batch.records, reading.decode, skip)
            if merging is not None:
                merging.result()
            merging = begun(thread, partial(_merge, tables, changes, batch.end))
            records += len(batch.records)
            done += sum(batch.end[p] - batch.start[p] for p in batch.end)
            progress(done, total)
        if merging is not None:
            merging.result()
    return Replayed(records, skipped, span.end)


def _merge(tables: Rebuild, changes: Changes, end: Mapping[int, int], at_server: Callable[[], None]) -> None:
    with tables.transaction() as transaction:
        transaction.stage(changes)
        at_server()
        transaction.merge()
        transaction.advance(end)


def _readable_keys(records: Iterable[RawRecord]) -> Iterator[str]:
    for record in records:
        if record.key is not None and record.key.isascii() and b"\0" not in record.key:
            yield record.key.decode("ascii")


def _compare(scan: HistoryScan, tables: VerifyingRebuild, done: Replayed) -> Verified:
    compared = unjudged = divergences = 0
    first: Divergence | None = None
    for pair in tables.pairs():
        for key, live, rebuilt in merged(pair.live, pair.rebuilt):
            compared += 1
            if live == rebuilt:
                continue
            record_key = RECORD_KEY.get(pair.table)
            if record_key is not None and tables.is_newer(record_key(*key)):
                unjudged += 1
                continue
            divergences += 1
            if first is None:
                what, columns = _difference(pair, live, rebuilt)
                partition = partition_of(key[0], scan.partitions)
                first = Divergence(pair.table, key, what, columns, scan.topic, partition)
    return Verified(done, compared, unjudged, divergences, first)


def merged(live: Iterator[Row], rebuilt: Iterator[Row]) -> Iterator[tuple[tuple[str, ...], Row | None, Row | None]]:
    """Each key of either side once, with the row that each side has of it."""
    left, right = next(live, None), next(rebuilt, None)
    while left is not None or right is not None:
        key = min((row.key for row in (left, right) if row is not None), key=_bytes)
        here = left if left is not None and left.key == key else None
        there = right if right is not None and right.key == key else None
        yield key, here, there
        left = next(live, None) if here is not None else left
        right = next(rebuilt, None) if there is not None else right


def _bytes(key: tuple[str, ...]) -> tuple[bytes, ...]:
    """Postgres' order of text in collation C."""
    return tuple(part.encode() for part in key)


def _difference(pair: TablePair, live: Row | None, rebuilt: Row | None) -> tuple[str, tuple[str, ...]]:
    if live is None:
        return "the store lacks the row that the topic gives", ()
    if rebuilt is None:
        return "the store has a row that the topic does not give", ()
    both = zip(pair.columns, live.values, rebuilt.values, strict=True)
    return "the store's row differs from the topic's", tuple(name for name, left, right in both if left != right)
