"""Keys that are not to be sent yet are parked in the history until their request is decided upon (ADR 0144)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from processor.core.accept import chunk_status
from processor.core.catalog import Catalog
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.correction import Op
from processor.core.errors import Reason
from processor.core.history import ChunkState, ChunkStatus, Guard, KeyOutcome, Parked, PlanCounts, Sent, Status, Told
from processor.core.ids import split_chunk
from processor.core.outcome import chunk_outcome
from processor.core.plan import Plan
from processor.core.request import OnStateOnly, Report

DELETES_RANK = 1_000
"""Deletions come after all else; a child's before its parent's."""


class Held(NamedTuple):
    """What would be changed, and what that is to be held against."""

    planned: PlanCounts
    guard: Guard


def park(chunk: Chunk, decided: Plan, held: Held, catalog: Catalog, now: datetime) -> Plan:
    """Instead of what was decided about a chunk: what sends nothing stands, what would be sent is parked."""
    ops = {c.source.key: c.op for c in decided.corrections if c.source.object == chunk.object}
    history = [record for record in decided.history if not _is_of_sending(record, chunk)]
    told = next((record for record in decided.history if _is_end_of(record, chunk)), None)
    done = told if isinstance(told, ChunkStatus) else chunk_status(chunk, ChunkState.DONE, now)
    plan = Plan(history=history, chunks=decided.chunks, retries=decided.retries)
    depth = catalog.objects[chunk.object].depth
    may_be_told = chunk.deferred_since is not None and (chunk.stage is not Stage.PLAN or chunk.report is Report.ALL)
    if may_be_told:
        chunk = replace(chunk, report=Report.ALL)
    for place, (deleting, rank) in enumerate(((False, depth), (True, DELETES_RANK - depth))):
        asks = [ask for ask in chunk.asks if ask.key in ops and (ops[ask.key] is Op.DELETE) is deleting]
        if asks:
            plan.history.append(Parked(_parked(chunk, place, asks, rank, now, deleting=deleting)))
        if may_be_told:
            plan.history += [_waiting(chunk, ask, now) for ask in asks]
    plan.history.append(replace(done, planned=held.planned, guard=held.guard))
    return plan


def _parked(chunk: Chunk, place: int, asks: Sequence[Ask], rank: int, now: datetime, *, deleting: bool) -> Chunk:
    """Only keys whose deletion was planned may be deleted: by the time of their release a district may be empty."""
    return replace(
        chunk,
        chunk=split_chunk(chunk.chunk, place),
        asks=tuple(asks),
        cause=Cause.HELD,
        on_state_only=OnStateOnly.DELETE if deleting else OnStateOnly.REPORT,
        stage=Stage.RELEASED,
        rank=rank,
        announced=False,
        attempt=1,
        first_decided_at=chunk.first_decided_at or now,
        deferred_since=None,
        not_before=None,
    )


def _waiting(chunk: Chunk, ask: Ask, now: datetime) -> KeyOutcome:
    """In place of an outcome that told of a database that was away."""
    return chunk_outcome(chunk, ask, Status.DEFERRED, now, reason=Reason.MASS_CHANGE)


def _is_of_sending(record: Told, chunk: Chunk) -> bool:
    """What tells of a correction, or is to be told anew."""
    return isinstance(record, Sent) or _is_end_of(record, chunk)


def _is_end_of(record: Told, chunk: Chunk) -> bool:
    return isinstance(record, ChunkStatus) and record.chunk == chunk.chunk and record.state is ChunkState.DONE
