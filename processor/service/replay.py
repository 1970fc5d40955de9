"""Building the store's tables again from the topic alone: to replace the live ones, or to prove them equal.

Both read outside the store's group and write to tables of their own, so traffic and the store go on meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import structlog

from processor.core import ids
from processor.core.partition import partition_of
from processor.service.history_changes import Decode, RawRecord, changes_of
from processor.service.history_ports import BatchLimits, Extent, HistoryScan, HistoryTransaction, StoredOffset
from processor.service.materialize import check_within_log, outside

log = structlog.get_logger(__name__)

Progress: TypeAlias = Callable[[int, int], None]
"""Called with offsets read so far and offsets to read in all."""


RECORD_KEY: Mapping[str, Callable[..., str]] = {
    "requests": ids.request_key,
    "chunks": ids.chunk_key,
    "outcomes": ids.outcome_key,
    "clearings": ids.cleared_key,
}
"""The history record that makes a row of each table, from the row's primary key."""


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


def replay(
    scan: HistoryScan, tables: SwappingRebuild, decode: Decode, limits: BatchLimits, progress: Progress = silent
) -> Replayed:
    """Rebuild up to where the store stands, or to the log's end where it stands nowhere, and swap."""
    topic_id = scan.topic_id()
    extents = scan.extents(range(scan.partitions))
    end = _ends_of_replay(tables.live_offsets(), extents, topic_id)
    done = _rebuild(scan, tables, decode, limits, (extents, end, topic_id), progress)
    tables.complete()
    tables.swap()
    log.info("replayed", records=done.records, skipped=done.skipped)
    return done


def verify_replay(
    scan: HistoryScan, tables: VerifyingRebuild, decode: Decode, limits: BatchLimits, progress: Progress = silent
) -> Verified:
    """Compare the live tables, as they are when this begins, with the topic up to the same offsets."""
    topic_id = scan.topic_id()
    extents = scan.extents(range(scan.partitions))
    live = tables.live_offsets()
    check_within_log(scan.topic, topic_id, live, extents)
    end = {p: live[p].next_offset if p in live else extent.low for p, extent in extents.items()}
    done = _rebuild(scan, tables, decode, limits, (extents, end, topic_id), progress)
    later = {p: extent.stable for p, extent in scan.extents(end).items()}
    for batch in scan.batches(end, later, limits):
        tables.note_newer(_readable_keys(batch.records))
    tables.complete()
    return _compare(scan, tables, done)


def _ends_of_replay(
    live: Mapping[int, StoredOffset], extents: Mapping[int, Extent], topic_id: str
) -> dict[int, int]:
    """A partition that is not live, or stands outside the log, is read to the end: the store announces from there."""
    end: dict[int, int] = {}
    for partition, extent in extents.items():
        stored = live.get(partition)
        usable = stored is not None and stored.live and outside(topic_id, stored, extent) is None
        end[partition] = stored.next_offset if usable and stored is not None else extent.stable
    return end


def _rebuild(
    scan: HistoryScan,
    tables: Rebuild,
    decode: Decode,
    limits: BatchLimits,
    span: tuple[Mapping[int, Extent], Mapping[int, int], str],
    progress: Progress,
) -> Replayed:
    extents, end, topic_id = span
    start = {p: extents[p].low for p in end}
    total = sum(end[p] - start[p] for p in end)
    records = skipped = done = 0

    def skip(record: RawRecord, why: str) -> None:
        nonlocal skipped
        skipped += 1
        log.warning(
            "record skipped", topic=scan.topic, partition=record.partition, offset=record.offset, why=why
        )

    tables.begin(start, topic_id)
    progress(0, total)
    for batch in scan.batches(start, end, limits):
        changes = changes_of(batch.records, decode, skip)
        with tables.transaction() as transaction:
            transaction.merge(changes)
            transaction.advance(batch.end)
        records += len(batch.records)
        done += sum(batch.end[p] - batch.start[p] for p in batch.end)
        progress(done, total)
    return Replayed(records, skipped, end)


def _readable_keys(records: Iterable[RawRecord]) -> Iterator[str]:
    for record in records:
        if record.key is not None and record.key.isascii() and b"\0" not in record.key:
            yield record.key.decode("ascii")


def _compare(scan: HistoryScan, tables: VerifyingRebuild, done: Replayed) -> Verified:
    compared = unjudged = divergences = 0
    first: Divergence | None = None
    for pair in tables.pairs():
        for live, rebuilt in _merged(pair.live, pair.rebuilt):
            compared += 1
            if live == rebuilt:
                continue
            row = live or rebuilt
            assert row is not None
            if tables.is_newer(RECORD_KEY[pair.table](*row.key)):
                unjudged += 1
                continue
            divergences += 1
            first = first or _divergence(scan, pair, live, rebuilt)
    return Verified(done, compared, unjudged, divergences, first)


def _merged(live: Iterator[Row], rebuilt: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """Rows of both sides with the same key together; None where a side has no row."""
    left, right = next(live, None), next(rebuilt, None)
    while left is not None or right is not None:
        if right is None or (left is not None and _bytes(left) < _bytes(right)):
            yield left, None
            left = next(live, None)
        elif left is None or _bytes(right) < _bytes(left):
            yield None, right
            right = next(rebuilt, None)
        else:
            yield left, right
            left, right = next(live, None), next(rebuilt, None)


def _bytes(row: Row) -> tuple[bytes, ...]:
    return tuple(part.encode() for part in row.key)


def _divergence(scan: HistoryScan, pair: TablePair, live: Row | None, rebuilt: Row | None) -> Divergence:
    columns: tuple[str, ...] = ()
    if live is None:
        what, key = "the store lacks the row that the topic gives", rebuilt.key if rebuilt else ()
    elif rebuilt is None:
        what, key = "the store has a row that the topic does not give", live.key
    else:
        what, key = "the store's row differs from the topic's", live.key
        both = zip(pair.columns, live.values, rebuilt.values, strict=True)
        columns = tuple(name for name, left, right in both if left != right)
    return Divergence(pair.table, key, what, columns, scan.topic, partition_of(key[0], scan.partitions))
