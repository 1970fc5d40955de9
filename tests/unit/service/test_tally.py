"""What a batch adds to the counters."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import generate_latest

from processor import metrics
from processor.core.chunk import Ask, Cause
from processor.core.correction import Answer, Result
from processor.core.errors import Reason
from processor.core.history import Alike, RequestState, RequestStatus, Sent, SingleOutcomes, SingleStatuses, Status
from processor.core.outcome import chunk_outcome
from processor.core.plan import Plan
from processor.core.request import Keys, Single
from processor.service.intake import Intake
from processor.service.records import Lane
from processor.service.sorter import Sorter
from processor.service.tally import count_applied, count_batch, timed_commit
from processor.service.work import Poison
from tests.unit.codec.records import CORRECTION, OUTCOME, REQUEST, at
from tests.unit.core.builders import CATALOG, chunk
from tests.unit.service.received import PARTITIONS, received, work

Grown = Callable[[], dict[str, float]]


@pytest.fixture
def grown() -> Grown:
    """Series that grew since the test began, without buckets and prefix."""

    def series() -> dict[str, float]:
        found = {}
        for role in (metrics.PROCESS, metrics.APPLY):
            for line in generate_latest(metrics.ALL.registry(role)).decode().splitlines():
                name, _, value = line.rpartition(" ")
                if line.startswith("resync_") and "_bucket" not in line:
                    found[name.removeprefix("resync_")] = float(value)
        return found

    before = series()
    return lambda: {name: value - before[name] for name, value in series().items() if value != before[name]}


def test_outcomes_that_are_alike_count_one_by_one(grown: Grown) -> None:
    first = replace(OUTCOME, status=Status.IN_SYNC, reason=None, first_decided_at=at(12), decided_at=at(13))
    asked = Intake(requested_at={first.request_id: at(10)})
    count_batch(asked, Plan(history=[Alike(first, [Ask("1", "1"), Ask("2", "2")])]))
    assert grown() == {
        'key_outcomes_total{status="IN_SYNC"}': 2.0,
        "request_to_outcome_seconds_count": 2.0,
        "request_to_outcome_seconds_sum": 6.0,
    }


def test_requests_of_one_key_count_one_by_one(grown: Grown) -> None:
    """Each by its own time, or by when it was taken on where its publisher told none."""
    singles = [Single(REQUEST, f"id {n}", str(n), asked_at) for n, asked_at in enumerate((at(9), at(9), at(10), None))]
    status = RequestStatus(REQUEST, RequestState.ACCEPTED, None, None, 1, at(12))
    outcome = replace(OUTCOME, status=Status.IN_SYNC, reason=None, first_decided_at=at(12), decided_at=at(13))
    count_batch(
        Intake(plan=Plan(history=[SingleStatuses(status, singles)])), Plan(history=[SingleOutcomes(outcome, singles)])
    )
    assert grown() == {
        'requests_total{result="ACCEPTED"}': 4.0,
        "request_wait_seconds_count": 3.0,
        "request_wait_seconds_sum": 3.0 + 3.0 + 2.0,
        'key_outcomes_total{status="IN_SYNC"}': 4.0,
        "request_to_outcome_seconds_count": 4.0,
        "request_to_outcome_seconds_sum": 4.0 + 4.0 + 3.0 + 1.0,
    }


def test_what_was_sent_counts_and_has_no_age_yet(grown: Grown) -> None:
    sent = replace(OUTCOME, status=Status.SENT, reason=None)
    count_batch(Intake(), Plan(history=[Sent(sent, [CORRECTION.source] * 3), Sent(sent, [CORRECTION.source])]))
    assert grown() == {'key_outcomes_total{status="SENT"}': 4.0}


def test_what_was_answered_counts_with_its_age(grown: Grown) -> None:
    applied = replace(OUTCOME, status=Status.APPLIED, reason=None, first_decided_at=at(12), decided_at=at(13))
    count_batch(Intake(plan=Plan(history=[Sent(applied, [CORRECTION.source] * 3)])), Plan())
    assert grown() == {
        'key_outcomes_total{status="APPLIED"}': 3.0,
        "request_to_outcome_seconds_count": 3.0,
        "request_to_outcome_seconds_sum": 3.0,
    }


def test_a_batch_counts_each_thing_by_what_it_is(grown: Grown) -> None:
    asked = replace(REQUEST, selection=Keys(()), requested_at=at(10))
    accepted = RequestStatus(asked, RequestState.ACCEPTED, None, None, 1, at(12))
    rejected = replace(accepted, state=RequestState.REJECTED, reason=Reason.UNKNOWN_DISTRICT)
    outcome = replace(OUTCOME, request_id=asked.request_id, first_decided_at=at(12), decided_at=at(13), reason=None)
    intake = Intake(
        plan=Plan(history=[accepted, rejected]),
        requested_at={asked.request_id: at(10)},
        poison=[Poison(received(Lane.ANSWERS, b"?"), Reason.UNDECODABLE, "no record")],
        repeated=[Lane.REQUESTS, Lane.CHUNKS],
        misrouted=[(received(Lane.RETRY, b""), 1)],
    )
    decided = Plan(
        history=[
            replace(outcome, status=Status.IN_SYNC),
            replace(outcome, status=Status.FAILED, reason=Reason.CONFLICT),
            replace(outcome, status=Status.DEFERRED, reason=Reason.SNAPSHOT_UNAVAILABLE),
            replace(outcome, status=Status.SENT),
        ],
        corrections=[CORRECTION],
        retries=[replace(chunk("7"), cause=Cause.CONFLICT)],
    )
    count_batch(intake, decided)
    operation = CORRECTION.op.name.lower()
    assert grown() == {
        'requests_total{result="ACCEPTED"}': 1,
        'requests_total{result="REJECTED"}': 1,
        'requests_total{result="REPEATED"}': 1,
        'rejected_requests_total{reason="UNKNOWN_DISTRICT"}': 1,
        'repeated_records_total{lane="requests"}': 1,
        'repeated_records_total{lane="chunks"}': 1,
        'misrouted_records_total{lane="retry"}': 1,
        'dead_letters_total{reason="UNDECODABLE"}': 1,
        'key_outcomes_total{status="IN_SYNC"}': 1,
        'key_outcomes_total{status="FAILED"}': 1,
        'key_outcomes_total{status="DEFERRED"}': 1,
        'key_outcomes_total{status="SENT"}': 1,
        'key_failures_total{reason="CONFLICT"}': 1,
        'deferred_keys_total{reason="SNAPSHOT_UNAVAILABLE"}': 1,
        f'corrections_total{{operation="{operation}"}}': 1,
        'retries_total{cause="CONFLICT"}': 1,
        "request_wait_seconds_count": 2,
        "request_wait_seconds_sum": 4,
        "request_to_outcome_seconds_count": 2,
        "request_to_outcome_seconds_sum": 6,
    }


def test_a_key_s_age_is_since_its_request_whatever_ended_it(grown: Grown) -> None:
    """An answer, a chunk from the retry lane and one whose object left the catalog come long after the request."""
    source = replace(CORRECTION.source, requested_at=at(0))
    answered = work(Answer(source, Result.APPLIED, None, at(5)))
    gone = work(chunk("7", object="Bus", cause=Cause.CONFLICT, first_decided_at=at(9), requested_at=at(0)))
    again = chunk("8", cause=Cause.CONFLICT, first_decided_at=at(9), requested_at=at(0))
    decided = Plan(history=[chunk_outcome(again, again.asks[0], Status.NOT_FOUND, at(40))])
    sorter = Sorter(CATALOG, PARTITIONS, ())
    count_batch(sorter.sort([answered], at(20)), Plan())
    assert grown()["request_to_outcome_seconds_sum"] == 20
    count_batch(sorter.sort([gone], at(30)), Plan())
    assert grown()["request_to_outcome_seconds_sum"] == 50
    count_batch(sorter.sort([work(again)], at(40)), decided)
    assert grown()["request_to_outcome_seconds_sum"] == 90


def test_without_a_request_s_time_a_key_s_age_is_since_its_first_decision_and_never_negative(grown: Grown) -> None:
    count_batch(Intake(plan=Plan(history=[replace(OUTCOME, first_decided_at=at(1), decided_at=at(31))])), Plan())
    ahead = replace(OUTCOME, first_decided_at=at(31) + timedelta(hours=1), decided_at=at(31))
    count_batch(Intake(plan=Plan(history=[ahead])), Plan())
    assert grown()["request_to_outcome_seconds_sum"] == 30


def test_an_applier_s_batch(grown: Grown) -> None:
    count_applied([Answer(CORRECTION.source, Result.CONFLICT, None, at(1))] * 2, [Reason.UNDECODABLE], 3)
    assert grown() == {
        'answers_total{result="CONFLICT"}': 2,
        'dead_letters_total{reason="UNDECODABLE"}': 1,
        'misrouted_records_total{lane="corrections"}': 3,
    }


@pytest.mark.parametrize(("done", "result"), [(True, "committed"), (False, "aborted")])
def test_a_transaction_is_counted_by_its_end(grown: Grown, *, done: bool, result: str) -> None:
    assert timed_commit(lambda _records, _offsets: done, [], []) is done
    found = grown()
    assert found[f'transactions_total{{result="{result}"}}'] == 1
    assert found["commit_seconds_count"] == 1
