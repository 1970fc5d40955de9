"""The guard against mass changes: what a request would change is counted, and parked until that is let pass (ADR 0144)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from processor.core.accept import chunk_status
from processor.core.catalog import Catalog, Limits
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.correction import Correction, Op
from processor.core.history import (
    ChunkState,
    ChunkStatus,
    Guard,
    HistoryRecord,
    KeyOutcome,
    Parked,
    PlanCounts,
    Planned,
    Sample,
    Status,
)
from processor.core.ids import split_chunk
from processor.core.plan import Plan
from processor.core.request import Mode

SHARE_FROM = 100
"""Fewer changes than these are never held for their share: a district may be small."""
MAX_SAMPLES = 20
DELETES_RANK = 1_000
"""Deletions come after all else; a child's before its parent's."""


def guard_of(limits: Limits, rows: int) -> Guard:
    """For changes of an object of which the larger side has so many rows; 0 where nobody knows."""
    share = limits.hold_changes if limits.hold_share >= 1 else max(SHARE_FROM, int(rows * limits.hold_share))
    return Guard(min(limits.hold_changes, share), limits.hold_deletes)


def least_guard(limits: Limits) -> Guard:
    """What is within this passes whatever the number of rows."""
    return guard_of(limits, 0)


def plan_counts(corrections: Iterable[Correction]) -> PlanCounts:
    counts: Counter[tuple[str, Op, str | None]] = Counter()
    samples: list[Sample] = []
    for correction in corrections:
        source, op = correction.source, correction.op
        counts[source.object, op, None] += 1
        if op is Op.UPDATE:
            counts.update((source.object, op, name) for name in source.changed_fields)
        if len(samples) < MAX_SAMPLES:
            samples.append(Sample(source.object, op, source.key))
    return _plan_counts(counts, samples)


def merged(plans: Iterable[PlanCounts]) -> PlanCounts:
    """What all of them would change together."""
    counts: Counter[tuple[str, Op, str | None]] = Counter()
    samples: list[Sample] = []
    for plan in plans:
        counts.update({(each.object, each.op, each.field): each.keys for each in plan.counts})
        samples += plan.samples[: MAX_SAMPLES - len(samples)]
    return _plan_counts(counts, samples)


def _plan_counts(counts: Counter[tuple[str, Op, str | None]], samples: Sequence[Sample]) -> PlanCounts:
    in_order = sorted(counts.items(), key=lambda item: (item[0][0], item[0][1], item[0][2] or ""))
    return PlanCounts(tuple(Planned(*what, keys) for what, keys in in_order), tuple(samples))


def changes(plan: PlanCounts) -> int:
    """Records that would be created, updated or deleted."""
    return sum(each.keys for each in plan.counts if each.field is None)


def deletes(plan: PlanCounts) -> int:
    return sum(each.keys for each in plan.counts if each.field is None and each.op is Op.DELETE)


def is_beyond(plan: PlanCounts, guard: Guard) -> bool:
    """Whether somebody has to release what would be changed."""
    return changes(plan) > guard.changes or deletes(plan) > guard.deletes


def stage_of_parts(mode: Mode, keys: int, limits: Limits) -> Stage:
    """Of a request that is done in parts: not planned first where so few keys cannot be beyond the guard."""
    if mode is Mode.VERIFY:
        return Stage.GUARDED
    return Stage.RELEASED if keys <= least_guard(limits).changes else Stage.PLAN


def park(chunk: Chunk, decided: Plan, planned: PlanCounts, guard: Guard, catalog: Catalog, now: datetime) -> Plan:
    """Instead of what was decided about a chunk: what sends nothing stands, what would be sent is parked.

    `planned` is what the chunk would change, its ancestors that it would carry along included.
    """
    ops = {c.source.key: c.op for c in decided.corrections if c.source.object == chunk.object}
    history = [record for record in decided.history if not _is_of_sending(record, chunk)]
    told = next((record for record in decided.history if _is_end_of(record, chunk)), None)
    done = told if isinstance(told, ChunkStatus) else chunk_status(chunk, ChunkState.DONE, now)
    plan = Plan(history=history, chunks=decided.chunks, retries=decided.retries)
    depth = catalog.objects[chunk.object].depth
    for place, (deleting, rank) in enumerate(((False, depth), (True, DELETES_RANK - depth))):
        asks = [ask for ask in chunk.asks if ask.key in ops and (ops[ask.key] is Op.DELETE) is deleting]
        if asks:
            plan.history.append(Parked(_parked(chunk, place, asks, rank, now)))
    plan.history.append(replace(done, planned=planned, guard=guard))
    return plan


def _parked(chunk: Chunk, place: int, asks: Sequence[Ask], rank: int, now: datetime) -> Chunk:
    return replace(
        chunk,
        chunk=split_chunk(chunk.chunk, place),
        asks=tuple(asks),
        cause=Cause.HELD,
        stage=Stage.RELEASED,
        rank=rank,
        announced=False,
        first_decided_at=chunk.first_decided_at or now,
        deferred_since=None,
        not_before=None,
    )


def _is_of_sending(record: HistoryRecord, chunk: Chunk) -> bool:
    """What tells of a correction, or is to be told anew."""
    return (isinstance(record, KeyOutcome) and record.status is Status.SENT) or _is_end_of(record, chunk)


def _is_end_of(record: HistoryRecord, chunk: Chunk) -> bool:
    return isinstance(record, ChunkStatus) and record.chunk == chunk.chunk and record.state is ChunkState.DONE
