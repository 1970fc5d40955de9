"""A batch, sorted: requests are taken on once, chunks are looked after, and nothing stops anything else."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from processor.core.accept import accept
from processor.core.chunk import Ask, Cause, Chunk, Scan, Stage
from processor.core.correction import Answer, Result
from processor.core.errors import Reason
from processor.core.history import ChunkState, ChunkStatus, RequestState, Status
from processor.core.ids import accepted_id, retry_chunk
from processor.core.request import Mode, Request
from processor.service.intake import Intake
from processor.service.records import Lane
from processor.service.sorter import Sorter
from processor.service.work import Poison
from tests.unit.core.builders import CATALOG, NOW, READ_AT, REQUEST_ID, catalog, chunk, outcomes, request
from tests.unit.service.received import PARTITIONS, received, work
from tests.unit.service.sorting import CORRECTION, NORTH, OTHER_ID, answer, sort, states


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


RETRY = accepted_id(
    REQUEST_ID,
    "NORTH",
    retry_chunk(CORRECTION.source.correction_id),
    2,
    CORRECTION.source.first_decided_at,
)


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


def test_the_trace_of_a_request_goes_on() -> None:
    traced = work(request("7"), headers=(("traceparent", b"00-a-b-01"), ("other", b"x")))
    assert sort(traced, work(request("8", request_id=OTHER_ID))).traces == {REQUEST_ID: b"00-a-b-01"}


def test_a_trace_that_is_too_long_to_be_one_is_not_multiplied() -> None:
    traced = work(request("7"), headers=(("traceparent", b"x" * 129),))
    assert sort(traced).traces == {}
