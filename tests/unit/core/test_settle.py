from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from processor.core.catalog import Limits
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.correction import Answer, Parent, Result, Source
from processor.core.errors import Reason
from processor.core.history import ChunkState, ChunkStatus, KeyOutcome, Status
from processor.core.ids import retry_chunk
from processor.core.plan import Plan
from processor.core.request import Dependencies, Mode, OnStateOnly, Report
from processor.core.settle import MAX_DETAIL, another_round, defer, give_up, settle, tell_with
from tests.unit.core.builders import (
    NOW,
    READ_AT,
    REQUEST_ID,
    VERSION,
    World,
    catalog,
    chunk,
    only_outcome,
    ours,
    outcomes,
    theirs,
)

LIMITS = Limits()
ANSWERED = NOW + timedelta(seconds=3)
LATER = NOW + timedelta(seconds=4)
ASKED = NOW - timedelta(minutes=1)
SOURCE = Source(
    request_id=REQUEST_ID,
    chunk="0",
    correction_id="5f2b6c1e-0000-5c52-9a53-0d1f4ab0c0de",
    district_id="NORTH",
    object="Enrollment",
    key="7",
    asked_as="007",
    attempt=1,
    cause=Cause.REQUEST,
    mode=Mode.SYNC,
    dependencies=Dependencies.PARENTS,
    on_state_only=OnStateOnly.DELETE,
    changed_fields=("grade",),
    parent=Parent("Person", "11"),
    district_version=VERSION,
    district_read_at=READ_AT,
    state_read_at=READ_AT,
    first_decided_at=NOW,
    sent_at=NOW,
    requested_at=ASKED,
)


def answer(result: Result, detail: str | None = None, **source: Any) -> Answer:
    return Answer(replace(SOURCE, **source), result, detail, ANSWERED)


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        (answer(Result.APPLIED), Status.APPLIED, None),
        (answer(Result.APPLIED, mode=Mode.FORCE, changed_fields=()), Status.APPLIED, Reason.FORCED),
        (answer(Result.APPLIED, mode=Mode.FORCE), Status.APPLIED, None),
        (answer(Result.APPLIED, asked_as=None), Status.APPLIED, Reason.DEPENDENCY),
        (answer(Result.ALREADY_EQUAL), Status.APPLIED, Reason.ALREADY_EQUAL),
        (answer(Result.ALREADY_EQUAL, asked_as=None), Status.APPLIED, Reason.ALREADY_EQUAL),
        (answer(Result.CONFLICT, "grade", attempt=5), Status.FAILED, Reason.CONFLICT),
        (answer(Result.PARENT_MISSING, cause=Cause.PARENT_MISSING), Status.FAILED, Reason.PARENT_MISSING),
        (answer(Result.HAS_CHILDREN, "Behavior"), Status.FAILED, Reason.HAS_CHILDREN),
        (answer(Result.REJECTED_BY_STATE, "state_grade_check"), Status.FAILED, Reason.REJECTED_BY_STATE),
    ],
)
def test_answers_that_end_a_key(said: Answer, status: Status, reason: Reason | None) -> None:
    plan = settle(said, LIMITS, LATER)
    outcome = only_outcome(plan)
    assert (outcome.status, outcome.reason, outcome.detail) == (status, reason, said.detail)
    assert (plan.retries, plan.chunks, plan.corrections) == ([], [], [])


@pytest.mark.parametrize(
    ("said", "cause", "reason"),
    [
        (answer(Result.CONFLICT, "grade"), Cause.CONFLICT, Reason.CONFLICT),
        (answer(Result.CONFLICT, attempt=4), Cause.CONFLICT, Reason.CONFLICT),
        (answer(Result.CONFLICT, cause=Cause.CONFLICT, attempt=2), Cause.CONFLICT, Reason.CONFLICT),
        (answer(Result.PARENT_MISSING), Cause.PARENT_MISSING, Reason.PARENT_MISSING),
        (answer(Result.PARENT_MISSING, cause=Cause.CONFLICT, attempt=2), Cause.PARENT_MISSING, Reason.PARENT_MISSING),
    ],
)
def test_answers_that_cause_another_comparison(said: Answer, cause: Cause, reason: Reason) -> None:
    plan = settle(said, LIMITS, LATER)
    outcome = only_outcome(plan)
    assert (outcome.status, outcome.reason) == (Status.DEFERRED, reason)
    assert plan.retries == [
        Chunk(
            request_id=REQUEST_ID,
            chunk=retry_chunk(SOURCE.correction_id),
            district_id="NORTH",
            object="Enrollment",
            asks=(Ask("7", "007"),),
            cause=cause,
            dependencies=Dependencies.PARENTS,
            on_state_only=OnStateOnly.DELETE,
            attempt=said.source.attempt + 1,
            first_decided_at=NOW,
            correction_id=SOURCE.correction_id,
            sent_at=NOW,
            requested_at=ASKED,
            stage=Stage.RELEASED,
        )
    ]


def test_a_key_that_was_sent_goes_on_telling_so_while_a_database_is_away() -> None:
    (again,) = settle(answer(Result.CONFLICT), LIMITS, LATER).retries
    waiting = only_outcome(defer(again, "state: away", LIMITS, LATER))
    assert (waiting.status, waiting.correction_id, waiting.sent_at) == (Status.DEFERRED, SOURCE.correction_id, NOW)


def test_conflicts_end_after_five_comparisons_whatever_came_between() -> None:
    said, comparisons = answer(Result.CONFLICT), 1
    while retries := settle(said, LIMITS, LATER).retries:
        comparisons += 1
        result = Result.PARENT_MISSING if comparisons == 3 else Result.CONFLICT
        said = answer(result, attempt=retries[0].attempt, cause=retries[0].cause)
    assert comparisons == LIMITS.max_attempts == 5
    assert only_outcome(settle(said, LIMITS, LATER)).reason is Reason.CONFLICT


def test_an_outcome_tells_all_that_happened_to_its_key() -> None:
    outcome = only_outcome(settle(answer(Result.REJECTED_BY_STATE, "state_grade_check", attempt=2), LIMITS, LATER))
    assert outcome == KeyOutcome(
        request_id=REQUEST_ID,
        district_id="NORTH",
        object="Enrollment",
        key="7",
        asked_as="007",
        status=Status.FAILED,
        reason=Reason.REJECTED_BY_STATE,
        detail="state_grade_check",
        changed_fields=("grade",),
        parent=Parent("Person", "11"),
        correction_id=SOURCE.correction_id,
        attempt=2,
        first_decided_at=NOW,
        sent_at=NOW,
        answered_at=ANSWERED,
        decided_at=LATER,
    )


def one_by_one(answers: list[Answer]) -> list[KeyOutcome]:
    return [only_outcome(settle(each, LIMITS, LATER)) for each in answers]


def together(answers: list[Answer]) -> Plan:
    plan = Plan()
    for each in answers:
        if not (plan.history and tell_with(plan.history[-1], each, LIMITS, LATER)):
            plan.add(settle(each, LIMITS, LATER))
    return plan


def test_answers_that_are_alike_but_for_the_key_are_told_together() -> None:
    own: dict[str, Any] = {
        "asked_as": "8",
        "changed_fields": ("name",),
        "parent": None,
        "correction_id": "of 8",
        "chunk": "0.1",
    }
    answers = [answer(Result.APPLIED), answer(Result.APPLIED, key="8", **own), answer(Result.APPLIED, key="9")]
    plan = together(answers)
    assert len(plan.history) == 1
    assert list(plan.outcomes()) == one_by_one(answers)


OF_BOTH: dict[str, Any] = {
    "request_id": "another",
    "district_id": "SOUTH",
    "object": "Person",
    "attempt": 2,
    "first_decided_at": LATER,
    "sent_at": LATER,
}
OTHERS = [
    answer(Result.ALREADY_EQUAL),
    answer(Result.REJECTED_BY_STATE),
    answer(Result.APPLIED, "why"),
    answer(Result.CONFLICT),
    answer(Result.PARENT_MISSING),
    answer(Result.APPLIED, asked_as=None),
    answer(Result.APPLIED, mode=Mode.FORCE, changed_fields=()),
    replace(answer(Result.APPLIED), answered_at=LATER),
    *(answer(Result.APPLIED, **{name: value}) for name, value in OF_BOTH.items()),
]


@pytest.mark.parametrize("other", OTHERS)
def test_an_answer_that_is_not_like_the_last_is_told_by_itself(other: Answer) -> None:
    """And after it: a key's last outcome tells."""
    answers = [answer(Result.APPLIED), other, answer(Result.APPLIED)]
    plan = together(answers)
    assert len(plan.history) == 3
    assert list(plan.outcomes()) == one_by_one(answers)


def test_answers_of_two_times_are_not_told_together() -> None:
    plan = settle(answer(Result.APPLIED), LIMITS, NOW)
    assert not tell_with(plan.history[-1], answer(Result.APPLIED), LIMITS, LATER)


def test_an_applier_s_endless_detail_is_cut() -> None:
    outcome = only_outcome(settle(answer(Result.REJECTED_BY_STATE, "x" * 900_000), LIMITS, LATER))
    assert outcome.detail == "x" * MAX_DETAIL


def rounds(first: Chunk, every_s: float, limits: Limits = LIMITS) -> list[tuple[float, Plan]]:
    """Goes round a database that stays away, read again as soon as allowed but only at multiples of `every_s`."""
    passed, seen = 0.0, []
    waiting: list[Chunk] = [first]
    while waiting:
        plan = defer(waiting[0], "state: away", limits, at(passed))
        seen.append((passed, plan))
        waiting = plan.retries
        if waiting:
            not_before = waiting[0].not_before
            assert not_before is not None
            passed += every_s
            while at(passed) < not_before:
                passed += every_s
    return seen


def at(passed_s: float) -> datetime:
    return NOW + timedelta(seconds=passed_s)


def test_the_wait_doubles_from_five_seconds_to_a_minute() -> None:
    times = [passed for passed, _ in rounds(chunk("7"), every_s=5)]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits == [5, 5, 10, 20, 40] + [60] * 14


def test_a_database_that_stays_away_fails_its_keys_at_the_deadline() -> None:
    seen = rounds(chunk("7", "8"), every_s=5)
    assert [plan.history for _, plan in seen[1:-1]] == [[]] * (len(seen) - 2)
    first, last = (outcomes(plan) for plan in (seen[0][1], seen[-1][1]))
    assert [(o.key, o.status, o.reason, o.detail) for o in first] == [
        (key, Status.DEFERRED, Reason.SNAPSHOT_UNAVAILABLE, "state: away") for key in ("7", "8")
    ]
    assert [(o.key, o.status, o.reason, o.first_decided_at) for o in last] == [
        (key, Status.FAILED, Reason.SNAPSHOT_UNAVAILABLE, NOW) for key in ("7", "8")
    ]
    deadline = LIMITS.snapshot_deadline_s
    assert deadline <= seen[-1][0] < deadline + 60


@pytest.mark.parametrize(("deadline_s", "last_s"), [(10.0, 10), (10.1, 20), (20.0, 20)])
def test_the_deadline_is_a_limit_of_the_catalog(deadline_s: float, last_s: float) -> None:
    assert rounds(chunk("7"), 5, Limits(snapshot_deadline_s=deadline_s))[-1][0] == last_s


def test_going_round_keeps_the_work_and_changes_its_id() -> None:
    asked = chunk("7", mode=Mode.FORCE, report=Report.CHANGES, attempt=3, cause=Cause.CONFLICT)
    (again,) = defer(asked, "state: away", LIMITS, NOW).retries
    assert again == replace(
        asked,
        chunk=retry_chunk("0"),
        first_decided_at=NOW,
        deferred_since=NOW,
        not_before=NOW + timedelta(seconds=5),
    )
    ids = [again.chunk]
    for _ in range(5):
        again = another_round(again)
        ids.append(again.chunk)
    assert len(set(ids)) == 6


def chunk_ends(plan: Plan) -> list[tuple[str, ChunkState, int]]:
    return [(s.chunk, s.state, s.in_sync) for s in plan.history if isinstance(s, ChunkStatus)]


@pytest.mark.parametrize(
    ("asked", "ends"),
    [
        (chunk("7", chunk="0.1", announced=True), [("0.1", ChunkState.DONE, 0)]),
        (chunk("7", chunk="0.1", announced=True, deferred_since=NOW), [("0.1", ChunkState.DONE, 0)]),
        (
            chunk("7", chunk="0.1", announced=True, deferred_since=NOW - timedelta(days=1)),
            [("0.1", ChunkState.DONE, 0)],
        ),
        (chunk("7", chunk="r1", cause=Cause.SPLIT, deferred_since=NOW), []),
        (chunk("7"), []),
    ],
)
def test_a_part_announced_as_pending_is_done_once_its_keys_have_outcomes(
    asked: Chunk, ends: list[tuple[str, ChunkState, int]]
) -> None:
    assert chunk_ends(defer(asked, "state: away", LIMITS, NOW)) == ends
    gone = give_up(asked, Reason.UNKNOWN_OBJECT, None, NOW)
    assert chunk_ends(gone) == ends
    assert [(o.status, o.reason) for o in outcomes(gone)] == [(Status.FAILED, Reason.UNKNOWN_OBJECT)]


def test_what_takes_too_long_goes_on_in_pieces_and_a_key_as_it_is() -> None:
    """Each key in one piece, each announced; the deadline counts from the first time."""
    whole = replace(chunk(*map(str, range(95))), announced=True)
    plan = defer(whole, "too slow", LIMITS, NOW, is_slow=True)
    assert not outcomes(plan)
    assert [ask for piece in plan.retries for ask in piece.asks] == list(whole.asks)
    assert [len(piece.asks) for piece in plan.retries] == [10] * 9 + [5]
    told = [(s.chunk, s.state, s.keys) for s in plan.history if isinstance(s, ChunkStatus)]
    assert told == [
        *((piece.chunk, ChunkState.PENDING, len(piece.asks)) for piece in plan.retries),
        (whole.chunk, ChunkState.DONE, 0),
    ]
    for piece in plan.retries:
        assert (piece.cause, piece.stage, piece.announced) == (Cause.SPLIT, Stage.RELEASED, True)
        assert (piece.deferred_since, piece.not_before) == (NOW, None)
    (first, *_) = defer(plan.retries[0], "too slow", LIMITS, LATER, is_slow=True).retries
    assert (len(first.asks), first.deferred_since) == (1, NOW)
    single = defer(first, "too slow", LIMITS, NOW + timedelta(seconds=40), is_slow=True)
    assert [(each.asks, each.not_before) for each in single.retries] == [(first.asks, NOW + timedelta(seconds=80))]
    ended = defer(plan.retries[0], "too slow", LIMITS, NOW + timedelta(seconds=900), is_slow=True)
    assert {o.status for o in outcomes(ended)} == {Status.FAILED}
    assert not ended.retries


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({}, Stage.RELEASED),
        ({"mode": Mode.FORCE}, Stage.RELEASED),
        ({"asks": tuple(Ask(str(n), str(n)) for n in range(101))}, Stage.PLAN),
        ({"dependencies": Dependencies.PARENTS}, Stage.PLAN),
        ({"dependencies": Dependencies.CHILDREN}, Stage.PLAN),
        ({"on_state_only": OnStateOnly.DELETE}, Stage.PLAN),
        ({"mode": Mode.VERIFY}, Stage.GUARDED),
        ({"stage": Stage.PLAN}, Stage.PLAN),
        ({"stage": Stage.RELEASED}, Stage.RELEASED),
    ],
)
def test_pieces_that_may_be_beyond_the_guard_are_counted_together_by_being_planned_first(
    changes: dict[str, Any], stage: Stage
) -> None:
    slow = replace(chunk("1", "2"), **changes)
    assert {each.stage for each in defer(slow, "slow", LIMITS, NOW, is_slow=True).retries} == {stage}


def test_suspects_of_a_scan_stay_suspects_in_pieces() -> None:
    suspects = replace(chunk(*map(str, range(20))), cause=Cause.CONFIRM, announced=True)
    assert {each.cause for each in defer(suspects, "slow", LIMITS, NOW, is_slow=True).retries} == {Cause.CONFIRM}


def test_a_comparison_that_a_conflict_causes_deletes_only_what_was_let_pass_as_a_deletion() -> None:
    known = catalog(allow_delete=True)
    before = World({("Person", "1"): (ours(lastName="Else"),)}, {("Person", "1"): (theirs(),)}, known=known)
    deleting = chunk("1", on_state_only=OnStateOnly.DELETE)
    emptied = World({}, {("Person", "1"): (theirs(),)}, known=known)
    for world, status in ((before, Status.STATE_ONLY), (emptied, Status.SENT)):
        (sent,) = world.decide(deleting).corrections
        (again,) = settle(Answer(sent.source, Result.CONFLICT, None, NOW), LIMITS, NOW).retries
        assert [o.status for o in outcomes(emptied.decide(again))] == [status]


def test_pieces_are_told_of_before_the_end_of_what_they_were_cut_from() -> None:
    """Who has read only the end would find nothing open, and decide upon a plan without them."""
    asked = chunk("1", "2", chunk="0.3.0", stage=Stage.PLAN, announced=True)
    told = chunk_ends(defer(asked, "district NORTH: too slow", LIMITS, NOW, is_slow=True))
    assert [state for _, state, _ in told] == [ChunkState.PENDING, ChunkState.PENDING, ChunkState.DONE]
