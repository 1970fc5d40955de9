"""Steps of a run name themselves."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from processor.core.history import Count, RequestEnd, RequestState, Status
from processor.core.request import All, Mode, OnStateOnly, Request
from processor.core.run import Step, fault_of_step, next_step, step_id
from tests.unit.core.builders import request

RUN_ID = "7e0f9f7c-32c5-4d7f-8f0e-2d0f3b0c9a10"
FIRST = replace(
    request(), request_id=step_id(RUN_ID, Step.VERIFY), run_id=RUN_ID, linked=True, selection=All(), mode=Mode.VERIFY
)


def test_a_step_s_id_is_the_uuid5_of_its_run_and_name() -> None:
    assert [step_id(RUN_ID, step) for step in Step] == [
        str(uuid.uuid5(uuid.UUID(RUN_ID), name)) for name in ("verify", "resync", "verify-again")
    ]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (FIRST, None),
        (replace(FIRST, request_id=step_id(RUN_ID, Step.RESYNC), mode=Mode.SYNC), None),
        (replace(FIRST, run_id=None), "run_id"),
        (replace(FIRST, run_id="run 7"), "run_id"),
        (replace(FIRST, run_id=RUN_ID.upper()), "lower case"),
        (replace(FIRST, request_id=RUN_ID), "uuid5"),
        (replace(FIRST, mode=Mode.SYNC), "mode SYNC"),
        (replace(FIRST, selection=request("7").selection), "selects all"),
    ],
)
def test_a_linked_request_is_a_step_of_its_run(asked: Request, why: str | None) -> None:
    fault = fault_of_step(asked)
    assert (fault is None) is (why is None)
    assert (why or "") in (fault or "")


NOW = datetime(2026, 8, 1, tzinfo=UTC)
SECOND = replace(FIRST, request_id=step_id(RUN_ID, Step.RESYNC), mode=Mode.SYNC, requested_at=NOW)
THIRD = replace(FIRST, request_id=step_id(RUN_ID, Step.VERIFY_AGAIN), requested_at=NOW)


def end(asked: Request, state: RequestState, *statuses: Status) -> RequestEnd:
    counts = tuple(Count(status, None, 1) for status in (Status.IN_SYNC, *statuses))
    return RequestEnd(asked.request_id, asked.district_id, asked.object, state, None, None, counts, NOW, NOW)


@pytest.mark.parametrize(
    ("asked", "statuses", "following"),
    [
        (FIRST, (), None),
        (FIRST, (Status.DIFFERS,), SECOND),
        (FIRST, (Status.MISSING_AT_STATE,), SECOND),
        (FIRST, (Status.MISSING_AT_DISTRICT, Status.DUPLICATE_KEY, Status.FAILED), None),
        (
            replace(FIRST, on_state_only=OnStateOnly.DELETE),
            (Status.MISSING_AT_DISTRICT,),
            replace(SECOND, on_state_only=OnStateOnly.DELETE),
        ),
        (SECOND, (), THIRD),
        (THIRD, (Status.DIFFERS,), None),
        (replace(FIRST, linked=False), (Status.DIFFERS,), None),
        (replace(FIRST, request_id=RUN_ID), (Status.DIFFERS,), None),
    ],
)
def test_what_follows_from_a_step(asked: Request, statuses: tuple[Status, ...], following: Request | None) -> None:
    for state in (RequestState.COMPLETE, RequestState.COMPLETE_WITH_FAILURES):
        assert next_step(asked, end(asked, state, *statuses)) == following
    for state in (RequestState.CANCELLED, RequestState.REJECTED):
        assert next_step(asked, end(asked, state, *statuses)) is None
