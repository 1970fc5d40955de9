"""History records as rows of the store's tables, and rows as what the service asked for.

Postgres text cannot hold NUL, so it is stored as U+FFFD: what a publisher wrote must not stop the store.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from processor.adapters.postgres.history_plans import plan_json
from processor.core import ids
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.descent import upward
from processor.core.errors import Reason
from processor.core.history import (
    ChunkStatus,
    Cleared,
    Count,
    Guard,
    KeyOutcome,
    RequestEnd,
    RequestState,
    RequestStatus,
)
from processor.core.request import Dependencies, Mode, OnStateOnly, Report
from processor.service.history_changes import Changes, HeldChunk
from processor.service.history_ports import Unanswered

Row: TypeAlias = tuple[Any, ...]

MAX_NAME_CHARS = 255
"""Names that are indexed are cut here: an index entry has a largest size. Names in use are far shorter."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "requests": (
        "request_id", "district_id", "object", "selection", "filter", "requested_by", "mode", "dependencies",
        "on_state_only", "report", "requested_from", "requested_at", "school_year", "request_reason", "run_id",
        "state", "reason", "detail", "keys", "decided_at", "linked", "guard_changes", "guard_deletes", "planned",
        "decided_by",
    ),
    "chunks": (
        "request_id", "chunk", "district_id", "object", "state", "keys", "in_sync", "decided_at", "district_rows",
        "state_rows", "expected_differences", "guard_changes", "guard_deletes", "planned",
    ),
    "parked": ("request_id", "chunk", "district_id", "object", "rank", "keys", "record"),
    "outcomes": (
        "request_id", "object", "key", "district_id", "asked_as", "status", "reason", "detail", "changed_fields",
        "parent_object", "parent_key", "correction_id", "attempt", "first_decided_at", "sent_at", "answered_at",
        "decided_at",
    ),
    "clearings": ("request_id", "district_id", "object", "cleared_by", "cleared_at", "outcomes", "scope"),
}  # fmt: skip
PRIMARY_KEY: Mapping[str, int] = {"requests": 1, "chunks": 2, "parked": 2, "outcomes": 3, "clearings": 1, "tallies": 5}
"""How many of a table's first columns are its primary key."""

TALLY = ("request_id", "district_id", "object", "status", "reason", "keys", "asked")
"""Columns of the table that counts outcomes; no record gives its rows (ADR 0038)."""


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _text(value: str | None) -> str | None:
    return None if value is None else _clean(value)


def _name(value: str | None) -> str | None:
    return None if value is None else _stored(value)


def _stored(name: str) -> str:
    return _clean(name[:MAX_NAME_CHARS])


def places(changes: Changes) -> set[tuple[str, str]]:
    """Requests and districts that rows of a batch name together, as they are stored: few, however many rows."""
    requests = (r.request for r in changes.requests.values() if r is not None)
    chunks = (held.chunk for held in changes.parked.values() if held is not None)
    others = (r for some in (changes.chunks, changes.outcomes) for r in some.values() if r is not None)
    named = {(each.request_id, each.district_id) for some in (requests, chunks, others) for each in some}
    for alike in changes.alike:
        named |= {(request_id.decode(), alike.like.district_id) for request_id in alike.requests()}
    return {(request_id, _stored(district_id)) for request_id, district_id in named}


def request_row(record: RequestStatus) -> Row:
    request = record.request
    return (
        request.request_id,
        _name(request.district_id),
        _name(request.object),
        request.selected_by,
        _text(request.where),
        _text(request.requested_by),
        request.symbol("mode"),
        request.symbol("dependencies"),
        request.symbol("on_state_only"),
        request.symbol("report"),
        request.symbol("requested_from"),
        request.requested_at,
        _text(request.school_year),
        _text(request.reason),
        _name(request.run_id),
        record.state.value,
        record.reason.value if record.reason else None,
        _text(record.detail),
        record.keys,
        record.decided_at,
        request.linked,
        *_guard(record.guard),
        plan_json(record.planned),
        _text(record.decided_by),
    )


def chunk_row(record: ChunkStatus) -> Row:
    return (
        record.request_id,
        record.chunk,
        _name(record.district_id),
        _name(record.object),
        record.state.value,
        record.keys,
        record.in_sync,
        record.decided_at,
        record.district_rows,
        record.state_rows,
        record.expected_differences,
        *_guard(record.guard),
        plan_json(record.planned),
    )


def parked_row(held: HeldChunk) -> Row:
    chunk = held.chunk
    return (
        chunk.request_id,
        chunk.chunk,
        _name(chunk.district_id),
        _name(chunk.object),
        chunk.rank,
        len(chunk.asks),
        held.value,
    )


def _guard(guard: Guard | None) -> tuple[int | None, int | None]:
    return (None, None) if guard is None else (guard.changes, guard.deletes)


def outcome_row(record: KeyOutcome) -> Row:
    parent = record.parent
    return (
        record.request_id,
        record.object,
        record.key,
        _name(record.district_id),
        _text(record.asked_as),
        record.status.value,
        record.reason.value if record.reason else None,
        _text(record.detail),
        [_text(name) for name in record.changed_fields],
        _text(parent.object) if parent else None,
        _text(parent.key) if parent else None,
        _text(record.correction_id),
        record.attempt,
        record.first_decided_at,
        record.sent_at,
        record.answered_at,
        record.decided_at,
    )


def clearing_row(record: Cleared) -> Row:
    return (
        record.request_id,
        _name(record.district_id),
        _name(record.object),
        _text(record.cleared_by),
        record.cleared_at,
        record.outcomes,
        _text(record.scope),
    )


def end_of(row: Sequence[Any]) -> RequestEnd:
    """From a row of history_ended.sql."""
    counts = tuple(Count(c["status"], c["reason"], int(c["keys"])) for c in row[6])
    return RequestEnd(
        request_id=row[0],
        district_id=row[1],
        object=row[2],
        state=RequestState(row[3]),
        reason=Reason(row[4]) if row[4] else None,
        detail=row[5],
        counts=counts,
        first_decided_at=row[7],
        last_decided_at=row[8],
    )


def unanswered_of(row: Sequence[Any]) -> Unanswered:
    """The chunk that compares an unanswered key again; its id derives from the correction, one cause one retry."""
    request_id, object_name, key, district_id, asked_as, correction_id, attempt, first_decided_at, sent_at = row[:9]
    chunk = Chunk(
        request_id=request_id,
        chunk=ids.retry_chunk(correction_id),
        district_id=district_id,
        object=object_name,
        asks=(Ask(key, asked_as),),
        cause=Cause.NO_ANSWER,
        mode=Mode(row[9]),
        dependencies=upward(Dependencies(row[10])),
        on_state_only=OnStateOnly(row[11]),
        report=Report(row[12]),
        requested_at=row[13],
        attempt=attempt + 1,
        first_decided_at=first_decided_at,
        correction_id=correction_id,
        sent_at=sent_at,
        stage=Stage.RELEASED,
    )
    return Unanswered(chunk, correction_id, sent_at)
