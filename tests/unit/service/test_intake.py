from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from processor.codec.codec import Codec
from processor.codec.errors import RegistryUnavailable
from processor.core.accept import accept
from processor.core.catalog import Catalog
from processor.core.chunk import Ask, Cause, Chunk, Scan, Stage
from processor.core.correction import Answer, Result
from processor.core.errors import Reason
from processor.core.history import ChunkState, ChunkStatus, Parked, RequestState, RequestStatus, Sent, Status
from processor.core.ids import accepted_id, retry_chunk
from processor.core.partition import partition_of
from processor.core.plan import Plan
from processor.core.request import Mode
from processor.service.intake import Intake
from processor.service.records import Lane
from processor.service.sorter import Sorter
from processor.service.work import Poison, Work, decode
from tests.unit.codec.records import CATALOG as SHIPPED
from tests.unit.codec.records import REQUEST, SAMPLES
from tests.unit.core.builders import CATALOG, NOW, READ_AT, REQUEST_ID, World, catalog, chunk, ours, outcomes, request
from tests.unit.service.received import PARTITIONS, received, work

if TYPE_CHECKING:
    from processor.core.request import Request

OTHER_ID = "7e0f9f7c-32c5-4d7f-8f0e-2d0f3b0c9a10"
NORTH = partition_of("NORTH", PARTITIONS)
CODEC = Codec.open(None, SHIPPED)
(CORRECTION,) = World({("Person", "7"): (ours(),)}).decide(chunk("7")).corrections


def sort(*batch: Work | Poison, known: Collection[bytes] = (), of: Catalog = CATALOG) -> Intake:
    return Sorter(of, PARTITIONS, known).sort(batch, NOW)


def answer(result: Result, **source: Any) -> Answer:
    return Answer(replace(CORRECTION.source, **source), result, None, NOW)


def states(plan: Plan) -> list[RequestState]:
    return [record.state for record in plan.history if isinstance(record, RequestStatus)]


@pytest.mark.parametrize(
    ("lane", "sample", "keys"),
    [
        (Lane.REQUESTS, "Request", 3),
        (Lane.REQUESTS, "Request-all", 0),
        (Lane.CHUNKS, "Chunk", 2),
        (Lane.RETRY, "Chunk", 2),
        (Lane.ANSWERS, "Answer", 1),
    ],
)
def test_a_record_of_its_lane_is_work(lane: Lane, sample: str, keys: int) -> None:
    record = received(lane, CODEC.encode("any", SAMPLES[sample]))
    item = decode(record, CODEC)
    assert isinstance(item, Work)
    assert (item.record, item.ask, item.keys) == (record, SAMPLES[sample], keys)


@pytest.mark.parametrize(
    ("lane", "value", "reason"),
    [
        (Lane.REQUESTS, None, Reason.UNDECODABLE),
        (Lane.REQUESTS, b"", Reason.UNDECODABLE),
        (Lane.REQUESTS, b"{}", Reason.UNDECODABLE),
        (Lane.REQUESTS, CODEC.encode("any", SAMPLES["Chunk"]), Reason.UNEXPECTED_RECORD),
        (Lane.CHUNKS, CODEC.encode("any", SAMPLES["Answer"]), Reason.UNEXPECTED_RECORD),
        (Lane.ANSWERS, CODEC.encode("any", SAMPLES["Correction"]), Reason.UNEXPECTED_RECORD),
        (
            Lane.REQUESTS,
            CODEC.encode("any", replace(REQUEST, request_id="7")),
            Reason.INVALID_REQUEST,
        ),
    ],
)
def test_a_record_that_can_never_be_used_is_poison(lane: Lane, value: bytes | None, reason: Reason) -> None:
    record = received(lane, value)
    item = decode(record, CODEC)
    assert isinstance(item, Poison)
    assert (item.record, item.reason) == (record, reason)


def test_a_registry_that_is_away_says_nothing_about_a_record() -> None:
    away = Codec.open(None, SHIPPED, "http://127.0.0.1:1")
    with pytest.raises(RegistryUnavailable):
        decode(received(Lane.REQUESTS, b"\x00\x00\x00\x00\x07x"), away)


def test_a_request_becomes_a_status_and_a_chunk() -> None:
    intake = sort(work(request("7", "x")))
    assert states(intake.plan) == [RequestState.ACCEPTED]
    assert [[ask.key for ask in each.asks] for each in intake.chunks] == [["7"]]
    assert [o.reason for o in outcomes(intake.plan)] == [Reason.INVALID_KEY]
    assert intake.accepted == {accepted_id(REQUEST_ID, "NORTH", "0", 1): NORTH}


def test_a_large_request_becomes_chunks_for_the_bulk_lane() -> None:
    intake = sort(work(request("1", "2", "3")), of=catalog(max_keys=2))
    assert [each.chunk for each in intake.plan.chunks] == ["0.0", "0.1"]
    assert not intake.chunks


def test_a_rejected_request_counts_as_taken_on() -> None:
    """Its repetition must not write a second status."""
    intake = sort(work(request()), work(request()))
    assert states(intake.plan) == [RequestState.REJECTED]
    assert list(intake.accepted) == [accepted_id(REQUEST_ID, "NORTH", "0", 1)]


@pytest.mark.parametrize("again", [request("7"), request("8"), request("7", requested_by="someone else")])
def test_a_request_repeated_does_nothing_new(again: Any) -> None:
    in_one_batch = sort(work(request("7")), work(again))
    assert (len(in_one_batch.chunks), states(in_one_batch.plan)) == (1, [RequestState.ACCEPTED])
    later = sort(work(again), known=in_one_batch.accepted)
    assert later == Intake(repeated=[Lane.REQUESTS])


def test_two_districts_with_one_request_id_do_not_suppress_each_other() -> None:
    """Whether one process owns both or not, and whichever came first (ADR 0140)."""
    north, river = work(request("7")), work(request("7", district_id="RIVER"))
    assert [each.district_id for each in sort(north, river).chunks] == ["NORTH", "RIVER"]
    assert [each.district_id for each in sort(river, known=sort(north).accepted).chunks] == ["RIVER"]
    rounds = [work(chunk("7", chunk="r1", district_id=name)) for name in ("NORTH", "RIVER")]
    assert len(sort(*rounds).chunks) == 2


def test_requests_for_one_key_are_each_compared() -> None:
    intake = sort(work(request("7")), work(request("7", request_id=OTHER_ID)))
    assert [each.request_id for each in intake.chunks] == [REQUEST_ID, OTHER_ID]


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        ({}, 1),
        ({"chunk": "0.1"}, 2),
        ({"attempt": 2}, 2),
        ({"request_id": OTHER_ID}, 2),
        ({"cause": Cause.NO_ANSWER}, 1),
        ({"first_decided_at": NOW}, 2),
    ],
)
def test_a_chunk_is_known_by_request_run_and_attempt(other: dict[str, Any], taken: int) -> None:
    intake = sort(work(chunk("7")), work(chunk("7", **other)))
    assert len(intake.chunks) == len(intake.accepted) == taken


def test_a_chunk_that_comes_too_early_goes_round_without_reading() -> None:
    early = chunk("7", chunk="r1", not_before=NOW + timedelta(seconds=1), deferred_since=READ_AT)
    intake = sort(work(early))
    assert intake.plan.retries == [replace(early, chunk=retry_chunk("r1"))]
    assert (intake.chunks, intake.plan.history) == ([], [])
    due = sort(work(replace(early, not_before=NOW)))
    assert (len(due.chunks), due.plan.retries) == (1, [])


@pytest.mark.parametrize(
    ("gone", "reason"),
    [({"district_id": "EAST"}, Reason.UNKNOWN_DISTRICT), ({"object_name": "Pupil"}, Reason.UNKNOWN_OBJECT)],
)
def test_a_chunk_whose_catalog_entry_is_gone_ends_and_closes_its_part(gone: dict[str, Any], reason: Reason) -> None:
    left = chunk("7", "8", chunk="0.2", announced=True, **gone)
    intake = sort(work(left))
    assert not intake.chunks
    assert [(o.key, o.status, o.reason) for o in outcomes(intake.plan)] == [
        ("7", Status.FAILED, reason),
        ("8", Status.FAILED, reason),
    ]
    ends = [record for record in intake.plan.history if isinstance(record, ChunkStatus)]
    assert [(end.chunk, end.state) for end in ends] == [("0.2", ChunkState.DONE)]


def test_keys_that_are_none_by_the_catalog_as_it_is_now_end_alone() -> None:
    intake = sort(work(chunk("7", "abc", "007", "8", chunk="0.2", announced=True)))
    assert [[ask.key for ask in each.asks] for each in intake.chunks] == [["7", "8"]]
    assert [(o.key, o.status, o.reason) for o in outcomes(intake.plan)] == [
        ("abc", Status.FAILED, Reason.INVALID_KEY),
        ("007", Status.FAILED, Reason.INVALID_KEY),
    ]
    assert not [record for record in intake.plan.history if isinstance(record, ChunkStatus)], "the part goes on"
    of_none = sort(work(chunk("abc", chunk="0.2", announced=True)))
    assert not of_none.chunks
    ends = [record for record in of_none.plan.history if isinstance(record, ChunkStatus)]
    assert [(end.chunk, end.state) for end in ends] == [("0.2", ChunkState.DONE)]


def test_a_key_whose_parent_is_missing_waits_for_chunks_of_its_partition() -> None:
    """They may hold the parent, asked for before. Others do not wait, and none longer than the deadline."""

    def sorted_at(asked: Chunk, waiting: int | None, now: datetime = NOW) -> Intake:
        sorter = Sorter(CATALOG, PARTITIONS, set(), bulk_waits=lambda partition: partition == waiting)
        return sorter.sort([work(asked)], now)

    orphan = chunk("7", chunk="r1", cause=Cause.PARENT_MISSING, attempt=2, first_decided_at=NOW)
    waits = sorted_at(orphan, NORTH)
    assert not waits.chunks
    assert [(each.asks, each.attempt, each.cause) for each in waits.plan.retries] == [
        (orphan.asks, 2, Cause.PARENT_MISSING)
    ]
    assert waits.plan.retries[0].chunk != "r1", "a new id: the old one is taken on"
    assert sorted_at(orphan, NORTH + 1).chunks
    assert sorted_at(replace(orphan, cause=Cause.CONFLICT), NORTH).chunks
    deadline = NOW + timedelta(seconds=CATALOG.limits.snapshot_deadline_s)
    assert sorted_at(orphan, NORTH, deadline).chunks
    released = replace(orphan, sent_at=NOW, first_decided_at=NOW - timedelta(days=3))
    assert not sorted_at(released, NORTH).chunks, "it was held for days before it was sent"
    assert sorted_at(released, NORTH, deadline).chunks


def test_a_request_repeated_after_the_window_does_all_of_its_parts_again() -> None:
    """Its own id has left the window, those of its parts have not: their next run is told apart."""
    known = catalog(max_keys=2)

    def parts_taken(now: datetime, accepted: set[bytes]) -> tuple[int, int]:
        plan, _ = accept(request("1", "2", "3"), known, now)
        intake = Sorter(known, PARTITIONS, accepted).sort([work(each, Lane.CHUNKS) for each in plan.chunks], now)
        accepted |= set(intake.accepted)
        return len(plan.chunks), len(intake.chunks)

    of_chunks: set[bytes] = set()
    assert parts_taken(NOW, of_chunks) == (2, 2)
    assert parts_taken(NOW + timedelta(days=1), of_chunks) == (2, 2)


def test_a_record_in_another_partition_than_its_district_s_is_moved_and_not_taken_on() -> None:
    wrong = (NORTH + 1) % PARTITIONS
    asks: list[Request | Chunk | Answer] = [request("7"), chunk("7", chunk="r1"), answer(Result.APPLIED)]
    moved = [work(ask, partition=wrong) for ask in asks]
    intake = sort(*moved)
    assert intake == Intake(misrouted=[(item.record, NORTH) for item in moved])
    again = sort(*(work(ask) for ask in asks), known=intake.accepted)
    assert len(again.chunks) == 2, "the moved copy is new where it belongs"


RELEASED = {"stage": Stage.RELEASED}
TWO = tuple(Ask(str(n), str(n)) for n in range(2))


@pytest.mark.parametrize(
    ("changes", "is_moved"),
    [
        ({"cause": Cause.CONFLICT}, False),
        ({**RELEASED, "cause": Cause.CONFLICT}, False),
        ({**RELEASED, "deferred_since": NOW}, False),
        ({**RELEASED, "cause": Cause.SPLIT}, True),
        ({**RELEASED, "asks": TWO}, False),
        ({**RELEASED, "asks": TWO, "deferred_since": NOW}, True),
        ({"asks": TWO, "deferred_since": NOW}, False),
        ({"mode": Mode.VERIFY, "asks": TWO, "deferred_since": NOW}, True),
        ({"mode": Mode.VERIFY, "cause": Cause.CONFIRM}, True),
        ({"stage": Stage.PLAN, "asks": tuple(Ask(str(n), str(n)) for n in range(101))}, True),
        ({"cause": Cause.SCAN, "asks": (), "scan": Scan(None, 0, 10, 0)}, True),
        ({**RELEASED, "cause": Cause.SPLIT, "not_before": NOW + timedelta(seconds=1)}, False),
    ],
)
def test_what_is_large_or_slow_comes_round_beside_the_loop(changes: dict[str, Any], *, is_moved: bool) -> None:
    large = replace(chunk("7", chunk="r1"), **changes)
    item = work(large)
    intake = sort(item)
    assert intake.bulky == ([item.record] if is_moved else [])
    if is_moved:
        assert intake == Intake(bulky=[item.record]), "it is new where it is worked on"
        there = sort(work(large, Lane.CHUNKS))
        assert len(there.chunks) + len(there.parts) == 1


def test_poison_stops_nothing_beside_it() -> None:
    poison = Poison(received(Lane.REQUESTS, b"?", partition=NORTH), Reason.UNDECODABLE, "the value is empty")
    intake = sort(work(request("7")), poison, work(request("8", request_id=OTHER_ID)))
    assert intake.poison == [poison]
    assert len(intake.chunks) == 2


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


def test_the_trace_of_a_request_goes_on() -> None:
    traced = work(request("7"), headers=(("traceparent", b"00-a-b-01"), ("other", b"x")))
    assert sort(traced, work(request("8", request_id=OTHER_ID))).traces == {REQUEST_ID: b"00-a-b-01"}


def test_a_trace_that_is_too_long_to_be_one_is_not_multiplied() -> None:
    traced = work(request("7"), headers=(("traceparent", b"x" * 129),))
    assert sort(traced).traces == {}


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
