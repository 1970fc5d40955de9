from dataclasses import replace

import pytest

from processor.core.chunk import Cause
from processor.service.due import SECOND_LOOK, due_at, headers_of_due
from processor.service.records import Lane
from tests.unit.core.builders import chunk
from tests.unit.service.received import TOPICS, received


def test_only_retries_wait() -> None:
    due = due_at(5.0, 1.0)
    others = [lane for lane in TOPICS if lane is not Lane.RETRY]
    assert [due(replace(received(lane, b""), timestamp_s=100.2)) for lane in others] == [0.0] * len(others)


@pytest.mark.parametrize(("gather_s", "expected"), [(1.0, 106.0), (0.5, 105.5), (0.0, 105.2)])
def test_retries_come_due_together(gather_s: float, expected: float) -> None:
    record = replace(received(Lane.RETRY, b""), timestamp_s=100.2)
    assert due_at(5.0, gather_s)(record) == pytest.approx(expected)


def test_a_second_look_comes_due_by_itself() -> None:
    """Nothing is sent for it, so nothing conflicts with what is in flight; somebody may wait for the summary."""
    second, other = (headers_of_due(replace(chunk("7"), cause=cause)) for cause in (Cause.CONFIRM, Cause.CONFLICT))
    assert (second, other) == ((SECOND_LOOK,), ())
    record = replace(received(Lane.RETRY, b""), timestamp_s=100.2, headers=(("request_id", b"r"), *second))
    assert due_at(5.0, 1.0)(record) == pytest.approx(105.2)
