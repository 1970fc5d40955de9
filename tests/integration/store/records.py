"""Records of the history topic, as a processor writes them."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from processor.core import ids
from processor.core.history import (
    ChunkState,
    ChunkStatus,
    HistoryRecord,
    KeyOutcome,
    RequestState,
    RequestStatus,
    Status,
)
from processor.core.request import Keys, Request

DECIDED = datetime(2026, 8, 1, 12, 0, 0, 123456, tzinfo=UTC)


def request_status(
    request_id: str,
    keys: int,
    state: RequestState = RequestState.ACCEPTED,
    **changes: Any,
) -> RequestStatus:
    values: dict[str, Any] = {"district_id": "NORTH", "object": "PersonIdentity", "requested_by": "clerk"} | changes
    return RequestStatus(Request(request_id, selection=Keys(()), **values), state, None, None, keys, DECIDED)


def outcome(request_id: str, key: str, status: Status = Status.APPLIED, **changes: Any) -> KeyOutcome:
    values: dict[str, Any] = {
        "district_id": "NORTH",
        "object": "PersonIdentity",
        "asked_as": key,
        "reason": None,
        "detail": None,
        "changed_fields": ("lastName",),
        "parent": None,
        "correction_id": ids.correction_id(request_id, "NORTH", "PersonIdentity", key, 1),
        "attempt": 1,
        "first_decided_at": DECIDED,
        "sent_at": DECIDED + timedelta(seconds=1),
        "answered_at": None,
        "decided_at": DECIDED + timedelta(seconds=2),
    } | changes
    return KeyOutcome(request_id=request_id, key=key, status=status, **values)


def chunk_status(
    request_id: str, chunk: str, state: ChunkState, keys: int = 0, in_sync: int = 0, *, district_id: str = "NORTH"
) -> ChunkStatus:
    return ChunkStatus(request_id, district_id, "PersonIdentity", chunk, state, keys, in_sync, DECIDED)


def applied_request(keys: int = 3) -> tuple[str, list[HistoryRecord]]:
    """A request of `keys` keys, all of them sent and applied."""
    request_id = str(uuid.uuid4())
    records: list[HistoryRecord] = [request_status(request_id, keys)]
    records += [outcome(request_id, str(n), Status.SENT) for n in range(keys)]
    records += [outcome(request_id, str(n)) for n in range(keys)]
    return request_id, records


def flat(many: Iterable[Iterable[HistoryRecord]]) -> list[HistoryRecord]:
    return [record for records in many for record in records]
