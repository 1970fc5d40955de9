"""Filling empty tables from the history topic, outside the store's group: traffic and the store go on meanwhile."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias

import structlog

from processor.service.history_changes import Changes, HistoryDecoder, RawRecord, changes_of
from processor.service.history_ports import BatchLimits, HistoryScan, HistoryTransaction, StoredOffset
from processor.service.merge import begun

log = structlog.get_logger(__name__)

Progress: TypeAlias = Callable[[int, int], None]
"""Called with offsets read so far and offsets to read in all."""

STILL_ALIVE_S = 1.0
"""How often progress is told while nothing is read any more."""


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

    def cancel(self) -> None:
        """From another thread: what `complete` is doing at the server ends, and is raised there."""


@dataclass(frozen=True, slots=True)
class Replayed:
    records: int
    skipped: int
    offsets: Mapping[int, int]


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


def rebuild(reading: Reading, tables: Rebuild, span: Span, progress: Progress) -> Replayed:
    """Fills the tables with what lies in the span, and makes them fit for use."""
    total = sum(span.end[p] - span.start[p] for p in span.end)
    tables.begin(span.start, span.topic_id)
    progress(0, total)
    done = read_on(reading, tables, Replayed(0, 0, span.start), span, progress)
    with ThreadPoolExecutor(1, "complete") as thread:
        completing = thread.submit(tables.complete)
        try:
            while not wait([completing], STILL_ALIVE_S).done:
                progress(total, total)
        finally:  # also where progress ends it
            while not completing.done():
                tables.cancel()
                wait([completing], STILL_ALIVE_S)
        completing.result()
    return done


def read_on(reading: Reading, tables: Rebuild, before: Replayed, span: Span, progress: Progress) -> Replayed:
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
