"""What a chunk that comes in is, by what it carries and by how old its record is."""

from dataclasses import replace
from datetime import datetime

from processor.core.chunk import Cause, Chunk, Stage
from processor.core.request import Mode, Report
from processor.service.records import Received

OF_LARGE_REQUESTS = frozenset({Cause.SPLIT, Cause.CONFIRM})
NOTHING_APPLIED = frozenset({Cause.CONFLICT, Cause.PARENT_MISSING})
MOST_KEYS_AT_ONCE = 100
"""Of a chunk that comes round again; a larger one is read beside the loop."""


def may_be_cancelled(record: Received, chunk: Chunk, remembered_since_s: float) -> bool:
    """Whether a chunk of which nothing was sent may be, and nobody remembers whether its request was cancelled since.

    Its record tells when somebody last looked. One that comes from the store is as old as what the store knew.
    """
    is_free = chunk.stage is not Stage.PLAN and chunk.mode is not Mode.VERIFY
    return is_free and chunk.correction_id is None and record.timestamp_s < remembered_since_s


def to_be_planned(chunk: Chunk) -> Chunk:
    """The same keys, to be parked once more: the store knows whether they may be sent (ADR 0223).

    Outcomes that tell of a database that was away are to be replaced, so no key may be counted alone.
    """
    report = chunk.report if chunk.deferred_since is None else Report.ALL
    return replace(chunk, stage=Stage.PLAN, announced=True, report=report)


def sends_anew(chunk: Chunk) -> bool:
    """Whether nothing of it was sent, or nothing came of what was: an applier that did not answer may still do so."""
    return chunk.correction_id is None or chunk.cause in NOTHING_APPLIED


def is_early(chunk: Chunk, now: datetime) -> bool:
    return chunk.not_before is not None and now < chunk.not_before


def is_bulky(chunk: Chunk) -> bool:
    """Whether a chunk is large, of a large request, or too slow to be read with others (ADR 0220).

    Chunks that are held against the guard together, as they stand, stay together.
    """
    if chunk.scan is not None:
        return True
    if chunk.stage is Stage.GUARDED and chunk.mode is not Mode.VERIFY:
        return False
    was_unread = chunk.deferred_since is not None and len(chunk.asks) > 1
    return was_unread or chunk.cause in OF_LARGE_REQUESTS or len(chunk.asks) > MOST_KEYS_AT_ONCE
