"""Records of the history topic as Avro records."""

from processor.codec.correction_records import parent_from_wire, parent_to_wire
from processor.codec.errors import DecodeError
from processor.codec.plan_records import guard_from_wire, guard_to_wire, plan_from_wire, plan_to_wire
from processor.codec.wire import Symbols, Wire, read_time, read_time_or_none
from processor.codec.work_records import request_from_wire, request_to_wire
from processor.core.errors import Reason
from processor.core.history import (
    ChunkState,
    ChunkStatus,
    Clear,
    Cleared,
    Count,
    KeyOutcome,
    Order,
    OrderAction,
    RequestEnd,
    RequestState,
    RequestStatus,
    Status,
)
from processor.core.ids import is_request_id
from processor.core.request import Keys

_STATUS = Symbols(Status)
_REASON = Symbols(Reason)
_REQUEST_STATE = Symbols(RequestState)
_CHUNK_STATE = Symbols(ChunkState)
_ACTION = Symbols(OrderAction)


def outcome_to_wire(outcome: KeyOutcome) -> Wire:
    return {
        "request_id": outcome.request_id,
        "district_id": outcome.district_id,
        "object": outcome.object,
        "key": outcome.key,
        "asked_as": outcome.asked_as,
        "status": outcome.status,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "changed_fields": outcome.changed_fields,
        "parent": parent_to_wire(outcome.parent),
        "correction_id": outcome.correction_id,
        "attempt": outcome.attempt,
        "first_decided_at": outcome.first_decided_at,
        "sent_at": outcome.sent_at,
        "answered_at": outcome.answered_at,
        "decided_at": outcome.decided_at,
    }


def outcome_from_wire(wire: Wire) -> KeyOutcome:
    return KeyOutcome(
        request_id=wire["request_id"],
        district_id=wire["district_id"],
        object=wire["object"],
        key=wire["key"],
        asked_as=wire["asked_as"],
        status=_STATUS.read(wire["status"]),
        reason=_REASON.read_known(wire["reason"]),
        detail=wire["detail"],
        changed_fields=tuple(wire["changed_fields"]),
        parent=parent_from_wire(wire["parent"]),
        correction_id=wire["correction_id"],
        attempt=wire["attempt"],
        first_decided_at=read_time(wire["first_decided_at"]),
        sent_at=read_time_or_none(wire["sent_at"]),
        answered_at=read_time_or_none(wire["answered_at"]),
        decided_at=read_time(wire["decided_at"]),
    )


def request_status_to_wire(status: RequestStatus) -> Wire:
    """Without the keys: a request's outcomes name them, and they could be many."""
    request = request_to_wire(status.request)
    if isinstance(status.request.selection, Keys):
        request["selection"] = (request["selection"][0], {"keys": ()})
    return {
        "request": request,
        "state": status.state,
        "reason": status.reason,
        "detail": status.detail,
        "keys": status.keys,
        "decided_at": status.decided_at,
        "guard": guard_to_wire(status.guard),
        "planned": plan_to_wire(status.planned),
        "decided_by": status.decided_by,
    }


def request_status_from_wire(wire: Wire) -> RequestStatus:
    return RequestStatus(
        request=request_from_wire(wire["request"]),
        state=_REQUEST_STATE.read(wire["state"]),
        reason=_REASON.read_known(wire["reason"]),
        detail=wire["detail"],
        keys=wire["keys"],
        decided_at=read_time(wire["decided_at"]),
        guard=guard_from_wire(wire["guard"]),
        planned=plan_from_wire(wire["planned"]),
        decided_by=wire["decided_by"],
    )


def chunk_status_to_wire(status: ChunkStatus) -> Wire:
    return {
        "request_id": status.request_id,
        "district_id": status.district_id,
        "object": status.object,
        "chunk": status.chunk,
        "state": status.state,
        "keys": status.keys,
        "in_sync": status.in_sync,
        "decided_at": status.decided_at,
        "district_rows": status.district_rows,
        "state_rows": status.state_rows,
        "expected_differences": status.expected_differences,
        "planned": plan_to_wire(status.planned),
        "guard": guard_to_wire(status.guard),
    }


def chunk_status_from_wire(wire: Wire) -> ChunkStatus:
    return ChunkStatus(
        request_id=wire["request_id"],
        district_id=wire["district_id"],
        object=wire["object"],
        chunk=wire["chunk"],
        state=_CHUNK_STATE.read(wire["state"]),
        keys=wire["keys"],
        in_sync=wire["in_sync"],
        decided_at=read_time(wire["decided_at"]),
        district_rows=wire["district_rows"],
        state_rows=wire["state_rows"],
        expected_differences=wire["expected_differences"],
        planned=plan_from_wire(wire["planned"]),
        guard=guard_from_wire(wire["guard"]),
    )


def request_end_to_wire(end: RequestEnd) -> Wire:
    return {
        "request_id": end.request_id,
        "district_id": end.district_id,
        "object": end.object,
        "state": end.state,
        "reason": end.reason,
        "detail": end.detail,
        "counts": [{"status": count.status, "reason": count.reason, "keys": count.keys} for count in end.counts],
        "first_decided_at": end.first_decided_at,
        "last_decided_at": end.last_decided_at,
    }


def request_end_from_wire(wire: Wire) -> RequestEnd:
    return RequestEnd(
        request_id=wire["request_id"],
        district_id=wire["district_id"],
        object=wire["object"],
        state=_REQUEST_STATE.read(wire["state"]),
        reason=_REASON.read_known(wire["reason"]),
        detail=wire["detail"],
        counts=tuple(Count(count["status"], count["reason"], count["keys"]) for count in wire["counts"]),
        first_decided_at=read_time_or_none(wire["first_decided_at"]),
        last_decided_at=read_time_or_none(wire["last_decided_at"]),
    )


def cleared_to_wire(cleared: Cleared) -> Wire:
    return {
        "request_id": cleared.request_id,
        "district_id": cleared.district_id,
        "object": cleared.object,
        "cleared_by": cleared.cleared_by,
        "cleared_at": cleared.cleared_at,
        "outcomes": cleared.outcomes,
        "scope": cleared.scope,
    }


def clear_to_wire(clear: Clear) -> Wire:
    return {
        "request_id": clear.request_id,
        "cleared_by": clear.cleared_by,
        "asked_at": clear.asked_at,
        "as_of": clear.as_of,
        "scope": clear.scope,
    }


def clear_from_wire(wire: Wire) -> Clear:
    """Raises DecodeError with INVALID_REQUEST for an id under which no history is kept."""
    return Clear(
        request_id=_checked_id(wire["request_id"]),
        cleared_by=wire["cleared_by"],
        asked_at=read_time(wire["asked_at"]),
        as_of=read_time(wire["as_of"]),
        scope=wire["scope"],
    )


def order_to_wire(order: Order) -> Wire:
    return {
        "request_id": order.request_id,
        "action": order.action,
        "ordered_by": order.ordered_by,
        "ordered_at": order.ordered_at,
    }


def order_from_wire(wire: Wire) -> Order:
    """Raises DecodeError with INVALID_REQUEST for an id under which no history is kept."""
    return Order(
        request_id=_checked_id(wire["request_id"]),
        action=_ACTION.read(wire["action"]),
        ordered_by=wire["ordered_by"],
        ordered_at=read_time(wire["ordered_at"]),
    )


def cleared_from_wire(wire: Wire) -> Cleared:
    return Cleared(
        request_id=wire["request_id"],
        district_id=wire["district_id"],
        object=wire["object"],
        cleared_by=wire["cleared_by"],
        cleared_at=read_time(wire["cleared_at"]),
        outcomes=wire["outcomes"],
        scope=wire["scope"],
    )


def _checked_id(request_id: str) -> str:
    if not is_request_id(request_id):
        raise DecodeError(Reason.INVALID_REQUEST, "request_id is not a uuid (8-4-4-4-12 hexadecimal digits)")
    return request_id
