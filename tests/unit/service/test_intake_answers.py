"""Answers, sorted: what becomes of the keys that were sent."""

import pytest

from processor.core.correction import Result
from processor.core.history import RequestStatus, Sent, Status
from processor.core.ids import accepted_id, retry_chunk
from processor.service.intake import Intake
from processor.service.records import Lane
from tests.unit.core.builders import REQUEST_ID, outcomes, request
from tests.unit.service.received import work
from tests.unit.service.sorting import CORRECTION, answer, sort


def test_an_answer_settles_its_key() -> None:
    intake = sort(work(answer(Result.APPLIED)))
    assert [o.status for o in outcomes(intake.plan)] == [Status.APPLIED]
    assert not intake.accepted, "answers are repeated harmlessly"


def test_answers_settle_their_keys_together_until_something_else_is_told() -> None:
    """Outcomes stand in the order in which their causes came, for a key's last one tells."""
    said = [work(answer(Result.APPLIED, key=key)) for key in ("7", "8", "9")]
    plan = sort(said[0], said[1], work(request("7")), said[2]).plan
    assert [type(each) for each in plan.history] == [Sent, RequestStatus, Sent]
    assert [outcome.key for outcome in outcomes(plan)] == ["7", "8", "9"]


RETRY = accepted_id(
    REQUEST_ID,
    "NORTH",
    retry_chunk(CORRECTION.source.correction_id),
    2,
    CORRECTION.source.first_decided_at,
)


@pytest.mark.parametrize("result", [Result.CONFLICT, Result.PARENT_MISSING])
def test_an_answer_whose_next_comparison_has_begun_does_not_reopen_its_key(result: Result) -> None:
    first = sort(work(answer(result)))
    assert [o.status for o in outcomes(first.plan)] == [Status.DEFERRED]
    (retry,) = first.plan.retries
    assert set(sort(work(retry)).accepted) == {RETRY}
    assert sort(work(answer(result)), known={RETRY}) == Intake(repeated=[Lane.ANSWERS])


@pytest.mark.parametrize("result", [Result.APPLIED, Result.ALREADY_EQUAL, Result.REJECTED_BY_STATE])
def test_a_late_answer_that_ends_a_key_is_the_truth(result: Result) -> None:
    """After SEEN_EQUAL or NO_ANSWER it replaces what stood there."""
    intake = sort(work(answer(result)), known={RETRY})
    assert len(outcomes(intake.plan)) == 1


def test_an_answer_given_twice_causes_one_comparison() -> None:
    conflict = work(answer(Result.CONFLICT))
    retries = sort(conflict, conflict).plan.retries
    assert len({each.chunk for each in retries}) == 1
    assert len(sort(*(work(each) for each in retries)).chunks) == 1
