"""Proving the store's tables: building them again from the topic alone, and comparing row by row."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from processor.core import ids
from processor.core.partition import partition_of
from processor.service.history_changes import RawRecord
from processor.service.history_ports import HistoryScan
from processor.service.rebuild import Progress, Reading, Rebuild, Replayed, Span, rebuild, silent
from processor.service.within_log import check_within_log

RECORD_KEY: Mapping[str, Callable[..., str]] = {
    "requests": ids.request_key,
    "chunks": ids.chunk_key,
    "parked": ids.held_key,
    "outcomes": ids.outcome_key,
    "clearings": ids.cleared_key,
}
"""The history record that makes a row of each table, from the row's primary key. Tallies are made of rows."""


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


def verify_replay(reading: Reading, tables: VerifyingRebuild, progress: Progress = silent) -> Verified:
    """Compare the live tables, as they are when this begins, with the topic up to the same offsets."""
    scan = reading.scan
    live, topic_id = tables.live_offsets(), scan.topic_id()
    extents = scan.extents(range(scan.partitions))
    check_within_log(scan.topic, topic_id, live, extents)
    end = {p: live[p].next_offset if p in live else extent.low for p, extent in extents.items()}
    done = rebuild(reading, tables, Span(topic_id, {p: extents[p].low for p in end}, end), progress)
    now = {p: extent.stable for p, extent in scan.extents(end).items()}
    for batch in scan.batches(end, now, reading.limits):
        tables.note_newer(_readable_keys(batch.records))
    return _compare(scan, tables, done)


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
