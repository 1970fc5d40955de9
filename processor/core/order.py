"""Orders about requests that are under way: what follows from one, or why nothing does."""

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from processor.core.errors import Reason
from processor.core.history import Order, OrderAction, RequestState, RequestStatus

MAX_TEXT = 255
"""Characters of `ordered_by` that are kept: whoever sends an order may have written anything."""
CLOCKS = timedelta(minutes=5)
"""By how much the clocks of those who order and of those who ask may differ."""


class Void(StrEnum):
    """Why an order stays without effect: the closed list that metrics count by."""

    UNKNOWN = "unknown"
    ENDED = "ended"
    NOT_HELD = "not-held"
    OUTDATED = "outdated"
    SAME_PERSON = "same-person"
    NOT_ALLOWED = "not-allowed"


VOID_TEXTS: Mapping[Void, str] = {
    Void.UNKNOWN: "there is no history of the request",
    Void.ENDED: "the request has ended, or is cancelled already",
    Void.NOT_HELD: "the request is not held",
    Void.OUTDATED: "the order is older than what it is about: look at it, and order again",
    Void.SAME_PERSON: "whoever asked for it may not release or reject it: somebody else has to",
    Void.NOT_ALLOWED: "the policy does not allow this to the writers of the control topic",
}


def dated(order: Order, written_at: datetime) -> Order:
    """No order is later than its record, give or take clocks: it stays to be read, and is about nothing later."""
    is_later = order.ordered_at - written_at > CLOCKS
    return replace(order, ordered_at=written_at + CLOCKS) if is_later else order


def void_of(order: Order, status: RequestStatus, shown: RequestState) -> Void | None:
    """Why an order means nothing for a request; None where it does. `shown` is the state that people see."""
    is_under_way = shown in (RequestState.ACCEPTED, RequestState.HELD) and status.state is not RequestState.CANCELLED
    if not is_under_way:
        return Void.ENDED
    if order.action is OrderAction.CANCEL:
        asked_at = status.request.requested_at
        # A publisher may say anything: nobody asked later than it was taken on.
        is_outdated = asked_at is not None and order.ordered_at < min(asked_at, status.decided_at) - CLOCKS
        return Void.OUTDATED if is_outdated else None
    if status.state is not RequestState.HELD:
        return Void.NOT_HELD
    if order.ordered_at < status.decided_at:
        return Void.OUTDATED
    return Void.SAME_PERSON if is_same_person(order.ordered_by, status.request.requested_by) else None


def is_same_person(one: str, other: str) -> bool:
    """Names differ as people do: not by their case, nor by blanks or forms of a character that nobody sees."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def ordered(order: Order, status: RequestStatus, now: datetime) -> RequestStatus:
    """What the request becomes by an order that is not void."""
    by = replace(status, decided_by=order.ordered_by[:MAX_TEXT], decided_at=now)
    match order.action:
        case OrderAction.RELEASE:
            return replace(by, state=RequestState.ACCEPTED, reason=None, detail=None)
        case OrderAction.REJECT:
            return replace(by, state=RequestState.CANCELLED, reason=Reason.NOT_RELEASED)
        case OrderAction.CANCEL:
            return replace(by, state=RequestState.CANCELLED, reason=None, detail=None)
