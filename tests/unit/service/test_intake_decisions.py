"""Decisions of the store and cancellations, sorted: what becomes of chunks that they are about."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from processor.core.chunk import Cause, Chunk, Stage
from processor.core.correction import Result
from processor.core.history import ChunkState, ChunkStatus, Parked, RequestState, RequestStatus, Status
from processor.core.request import Mode
from processor.service.intake import Intake
from processor.service.records import Lane
from processor.service.sorter import Sorter
from processor.service.work import Work, decode
from tests.unit.codec.records import SAMPLES
from tests.unit.core.builders import CATALOG, NOW, chunk, outcomes, request
from tests.unit.service.received import PARTITIONS, received, work
from tests.unit.service.sorting import CODEC, OTHER_ID, answer, sort, states


def decided(state: RequestState, **more: Any) -> RequestStatus:
    """What the store decided about a request."""
    return RequestStatus(request("7"), state, None, None, 1, NOW, **more)


@pytest.mark.parametrize("sample", ["RequestStatus-held", "Request-all", "Chunk-scan"])
def test_the_store_passes_on_decisions_and_steps_of_runs_by_the_retry_topic(sample: str) -> None:
    item = decode(received(Lane.RETRY, CODEC.encode("any", SAMPLES[sample])), CODEC)
    assert isinstance(item, Work)
    assert item.ask == SAMPLES[sample]


def test_a_decision_is_written_as_it_came_and_once() -> None:
    held = decided(RequestState.HELD)
    intake = sort(work(held, lane=Lane.RETRY), work(held, lane=Lane.RETRY))
    assert intake.plan.history == [held]
    assert sort(work(held, lane=Lane.RETRY), known=intake.accepted).plan.history == []
    later = replace(held, decided_at=NOW + timedelta(seconds=1))
    assert sort(work(later, lane=Lane.RETRY), known=intake.accepted).plan.history == [later]


def test_after_a_cancellation_keys_not_sent_end_cancelled_and_nothing_else_is_decided() -> None:
    intake = sort(
        work(decided(RequestState.CANCELLED, decided_by="clerk"), lane=Lane.RETRY),
        work(decided(RequestState.ACCEPTED), lane=Lane.RETRY),
        work(chunk("7", chunk="0.1", announced=True), lane=Lane.CHUNKS),
        work(chunk("8", chunk="0.2", announced=True, request_id=OTHER_ID), lane=Lane.CHUNKS),
    )
    assert states(intake.plan) == [RequestState.CANCELLED]
    assert [(o.key, o.status) for o in outcomes(intake.plan)] == [("7", Status.CANCELLED)]
    assert [each.chunk for each in intake.chunks] == ["0.2"]
    later = sort(work(chunk("9", chunk="0.3", announced=True), lane=Lane.CHUNKS), known=intake.accepted)
    assert later.accepted.keys() & intake.accepted.keys(), "the cancellation is remembered anew"
    assert [(o.key, o.status) for o in outcomes(later.plan)] == [("9", Status.CANCELLED)]
    assert [s.state for s in later.plan.history if isinstance(s, ChunkStatus)] == [ChunkState.DONE]


def test_what_was_sent_before_a_cancellation_is_settled_nevertheless() -> None:
    cancelled = sort(work(decided(RequestState.CANCELLED), lane=Lane.RETRY)).accepted
    again = chunk("7", chunk="r1", correction_id="c", attempt=2, cause=Cause.NO_ANSWER)
    assert sort(work(again, lane=Lane.RETRY), known=cancelled).chunks == [again]
    assert outcomes(sort(work(answer(Result.APPLIED), lane=Lane.ANSWERS), known=cancelled).plan)[0].status is (
        Status.APPLIED
    )


def test_a_parked_chunk_that_comes_back_is_no_longer_parked() -> None:
    held = chunk("7", chunk="0.0", cause=Cause.HELD, stage=Stage.RELEASED)
    intake = sort(work(held, lane=Lane.CHUNKS))
    assert intake.plan.history == [Parked(held, is_gone=True)]
    assert intake.chunks == [replace(held, cause=Cause.SPLIT)]
    cancelled = sort(work(decided(RequestState.CANCELLED), lane=Lane.RETRY)).accepted
    ended = sort(work(held, lane=Lane.CHUNKS), known=cancelled)
    assert ended.plan.history[0] == Parked(held, is_gone=True)
    assert [o.status for o in outcomes(ended.plan)] == [Status.CANCELLED]
    assert not ended.chunks


def test_what_was_rejected_is_not_sent_although_the_cancellation_is_forgotten() -> None:
    """The store tells it with each chunk: it may have been away for longer than accepted ids are kept."""
    rejected = chunk("7", chunk="0.0", cause=Cause.HELD, stage=Stage.GUARDED)
    ended = sort(work(rejected, lane=Lane.CHUNKS), known=())
    assert ended.plan.history[0] == Parked(rejected, is_gone=True)
    assert [o.status for o in outcomes(ended.plan)] == [Status.CANCELLED]
    assert not ended.chunks


@pytest.mark.parametrize(
    ("age_s", "changes", "stage"),
    [
        (1.0, {}, Stage.PLAN),
        (1.0, {"cause": Cause.HELD}, Stage.PLAN),
        (-1.0, {}, Stage.RELEASED),
        (1.0, {"mode": Mode.VERIFY}, Stage.RELEASED),
    ],
)
def test_what_is_older_than_what_is_remembered_is_parked_once_more(
    age_s: float, changes: dict[str, Any], stage: Stage
) -> None:
    """Whether its request was cancelled meanwhile is known to the store alone."""
    given = chunk("7", "8", chunk="0.1", **{"cause": Cause.SPLIT, "stage": Stage.RELEASED, **changes})
    intake = sort_after_long(given, Lane.CHUNKS, age_s)
    [asked] = intake.chunks
    assert (asked.stage, asked.cause, asked.asks) == (stage, Cause.SPLIT, given.asks)
    assert chunk_states(intake) == ([ChunkState.PENDING] if stage is Stage.PLAN else [])
    if given.cause is Cause.HELD:
        assert intake.plan.history[-1] == Parked(given, is_gone=True), "after what tells that it is open"


def sort_after_long(given: Chunk, lane: Lane, age_s: float = 1.0) -> Intake:
    """By a processor that remembers nothing of what is older by so much."""
    item = work(given, lane, timestamp_s=1_000.0 - age_s)
    return Sorter(CATALOG, PARTITIONS, (), remembered_since_s=1_000.0).sort([item], NOW)


def chunk_states(intake: Intake) -> list[ChunkState]:
    return [record.state for record in intake.plan.history if isinstance(record, ChunkStatus)]


@pytest.mark.parametrize(
    ("stage", "cause"), [(Stage.RELEASED, Cause.SPLIT), (Stage.GUARDED, Cause.SNAPSHOT_UNAVAILABLE)]
)
def test_what_could_not_be_read_for_long_is_planned_before_it_is_passed_on(stage: Stage, cause: Cause) -> None:
    """The record that it is passed on with would be a new one."""
    given = chunk("7", "8", chunk="r1", cause=cause, stage=stage, deferred_since=NOW)
    intake = sort_after_long(given, Lane.RETRY)
    assert (intake.bulky, intake.chunks) == ([], [])
    [again] = intake.plan.retries
    assert (again.stage, again.chunk, again.attempt, again.announced) == (Stage.PLAN, "r1", 2, True)
    assert chunk_states(intake) == [ChunkState.PENDING]
    # And then it is not asked about again.
    passed_on = sort_after_long(again, Lane.RETRY)
    assert (len(passed_on.bulky), passed_on.plan.retries) == (1, [])


def test_a_single_key_that_could_not_be_read_for_long_is_planned_at_once() -> None:
    intake = sort_after_long(chunk("7", chunk="r1", deferred_since=NOW), Lane.RETRY)
    assert [(each.stage, each.announced) for each in intake.chunks] == [(Stage.PLAN, True)]
    assert chunk_states(intake) == [ChunkState.PENDING]


def test_what_was_sent_before_is_compared_again_however_long_ago() -> None:
    """A correction of it was sent; only the applier knows what became of that."""
    again = chunk("7", chunk="r1", correction_id="c", attempt=2, cause=Cause.CONFLICT, stage=Stage.RELEASED)
    intake = sort_after_long(again, Lane.RETRY)
    assert (intake.chunks, intake.plan.history) == ([again], [])


@pytest.mark.parametrize("cause", [Cause.CONFLICT, Cause.PARENT_MISSING])
def test_what_was_refused_is_not_sent_anew_after_a_cancellation(cause: Cause) -> None:
    cancelled = sort(work(decided(RequestState.CANCELLED), lane=Lane.RETRY)).accepted
    again = chunk("7", chunk="r1", correction_id="c", attempt=2, cause=cause, sent_at=NOW)
    ended = sort(work(again, lane=Lane.RETRY), known=cancelled)
    assert not ended.chunks
    assert [(o.status, o.correction_id, o.sent_at) for o in outcomes(ended.plan)] == [(Status.CANCELLED, "c", NOW)]
