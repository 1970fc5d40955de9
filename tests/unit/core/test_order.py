"""Orders: which mean something for a request, and what it becomes by them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processor.core.errors import Reason
from processor.core.history import Order, OrderAction, RequestState, RequestStatus
from processor.core.order import CLOCKS, MAX_TEXT, VOID_TEXTS, Void, dated, ordered, void_of
from tests.unit.core.builders import request

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
ASKED = request(requested_by="clerk", requested_at=NOW)
HELD = RequestStatus(ASKED, RequestState.HELD, Reason.MASS_CHANGE, "too much", 0, NOW + timedelta(minutes=1))
RUNNING = replace(HELD, state=RequestState.ACCEPTED, reason=None, detail=None)
RELEASE, REJECT, CANCEL = OrderAction.RELEASE, OrderAction.REJECT, OrderAction.CANCEL
TICK = timedelta(microseconds=1)


def order(action: OrderAction, **changes: Any) -> Order:
    given = {"ordered_by": "chief", "ordered_at": HELD.decided_at, **changes}
    return Order(HELD.request.request_id, action, **given)


@pytest.mark.parametrize(
    ("given", "status", "shown", "void"),
    [
        (order(RELEASE), HELD, HELD.state, None),
        (order(REJECT), HELD, HELD.state, None),
        (order(CANCEL), HELD, HELD.state, None),
        (order(CANCEL), RUNNING, RUNNING.state, None),
        (order(CANCEL, ordered_by="clerk"), HELD, HELD.state, None),
        (order(RELEASE, ordered_by="clerk"), HELD, HELD.state, Void.SAME_PERSON),
        (order(REJECT, ordered_by="clerk"), HELD, HELD.state, Void.SAME_PERSON),
        (order(RELEASE, ordered_by="Clerk"), HELD, HELD.state, Void.SAME_PERSON),
        (order(RELEASE, ordered_by=" clerk\u00a0"), HELD, HELD.state, Void.SAME_PERSON),
        (order(RELEASE, ordered_by="ｃｌｅｒｋ"), HELD, HELD.state, Void.SAME_PERSON),
        (order(RELEASE, ordered_by="clerk2"), HELD, HELD.state, None),
        (order(RELEASE), RUNNING, RUNNING.state, Void.NOT_HELD),
        (order(RELEASE, ordered_at=HELD.decided_at - TICK), HELD, HELD.state, Void.OUTDATED),
        (order(CANCEL, ordered_at=NOW - CLOCKS), HELD, HELD.state, None),
        (order(CANCEL, ordered_at=NOW - CLOCKS - TICK), HELD, HELD.state, Void.OUTDATED),
        (
            order(CANCEL),
            replace(RUNNING, request=replace(ASKED, requested_at=NOW.replace(year=9999))),
            RUNNING.state,
            None,
        ),
        (order(CANCEL), RUNNING, RequestState.COMPLETE, Void.ENDED),
        (order(CANCEL), replace(RUNNING, state=RequestState.CANCELLED), RequestState.ACCEPTED, Void.ENDED),
    ],
)
def test_an_order_means_something_or_says_why_not(
    given: Order, status: RequestStatus, shown: RequestState, void: Void | None
) -> None:
    assert void_of(given, status, shown) is void


@pytest.mark.parametrize(("written_at", "ordered_at"), [(NOW, NOW + CLOCKS), (NOW + timedelta(hours=1), None)])
def test_an_order_is_no_later_than_its_record(written_at: datetime, ordered_at: datetime | None) -> None:
    given = order(RELEASE, ordered_at=NOW + timedelta(hours=1))
    assert dated(given, written_at).ordered_at == (ordered_at or given.ordered_at)


def test_what_a_request_becomes() -> None:
    later = NOW + timedelta(hours=1)
    by = replace(HELD, decided_by="chief", decided_at=later)
    released = replace(by, state=RequestState.ACCEPTED, reason=None, detail=None)
    assert ordered(order(RELEASE), HELD, later) == released
    assert ordered(order(CANCEL), HELD, later) == replace(released, state=RequestState.CANCELLED)
    rejected = replace(by, state=RequestState.CANCELLED, reason=Reason.NOT_RELEASED)
    assert ordered(order(REJECT), HELD, later) == rejected
    assert len(ordered(order(REJECT, ordered_by="x" * 1_000), HELD, later).decided_by or "") == MAX_TEXT


def test_every_reason_for_an_order_to_be_void_has_words() -> None:
    assert VOID_TEXTS.keys() == set(Void)
