"""When a control record was written, whatever its writer says."""

from datetime import UTC, datetime

import pytest

from processor.adapters.kafka.control_reader import written_at
from processor.core.history import Order, OrderAction
from processor.core.order import CLOCKS, dated

LATE = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize("milliseconds", [1_785_585_600_000_000, 2**63 - 1])
def test_a_time_that_no_calendar_has_is_older_than_any_request(milliseconds: int) -> None:
    assert written_at(milliseconds) == datetime(1970, 1, 1, tzinfo=UTC)


def test_at_the_end_of_the_calendar_an_order_keeps_its_time() -> None:
    order = Order("r", OrderAction.RELEASE, "chief", LATE)
    assert dated(order, LATE - CLOCKS / 2) == order
