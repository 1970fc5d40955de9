"""Building the store's tables again from the topic alone, to replace the live ones."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

import structlog

from processor.service.history_ports import Extent, StoredOffset, StoreUnavailable
from processor.service.rebuild import Progress, Reading, Rebuild, Replayed, Span, read_on, rebuild, silent
from processor.service.within_log import outside

log = structlog.get_logger(__name__)

MOST_ROUNDS = 10
"""How often a replay reads on to where the store has come meanwhile; each round is shorter than the one before."""


class SwappingRebuild(Rebuild, Protocol):
    def swap(self) -> None:
        """Put the new tables in the place of the live ones, in one transaction.

        A partition stays live if it was, and if the live tables had come at least as far.
        """


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
    done = rebuild(reading, tables, span, progress)
    try:
        for _ in range(MOST_ROUNDS):
            before, now = done, whole(done.offsets).end
            span = replace(span, end={p: max(offset, now[p]) for p, offset in before.offsets.items()})
            done = read_on(reading, tables, before, span, progress)
            if done.records - before.records <= reading.limits.records:
                break
    except StoreUnavailable as fault:
        log.warning("what came during the replay is left to the store", why=str(fault))
    tables.swap()
    log.info("replayed", records=done.records, skipped=done.skipped)
    return done


def _end_of_replay(stored: StoredOffset | None, extent: Extent, topic_id: str) -> int:
    """The log's end where a store that reads on from there has everything still to announce."""
    if stored is None or not stored.live or outside(topic_id, stored, extent) is not None:
        return extent.stable
    return stored.next_offset
