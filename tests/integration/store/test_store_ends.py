"""Ends of requests on the topic: announced when true, again when they change, never for nothing."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from confluent_kafka import Consumer, TopicPartition

from processor.core.errors import Reason
from processor.core.history import (
    ChunkState,
    Count,
    HistoryRecord,
    KeyOutcome,
    RequestEnd,
    RequestState,
    RequestStatus,
    Status,
)
from tests.integration.store.records import DECIDED, applied_request, chunk_status, flat, outcome, request_status
from tests.integration.store.waiting import run_for
from tests.integration.store.world import World

NEW = "new"


def rejected(request_id: str) -> RequestStatus:
    status = request_status(request_id, 0, RequestState.REJECTED)
    return replace(status, reason=Reason.UNKNOWN_OBJECT, detail="object X")


def test_an_end_tells_counts_and_times(world: World) -> None:
    request_id = str(uuid.uuid4())
    later = DECIDED + timedelta(hours=1)
    world.produce(
        request_status(request_id, 5),
        chunk_status(request_id, "0.0", ChunkState.DONE, in_sync=2),
        outcome(request_id, "1"),
        outcome(request_id, "2", Status.FAILED, reason=Reason.CONFLICT, decided_at=later),
        outcome(request_id, "3", Status.IN_SYNC),
        outcome(request_id, "77", asked_as=None, reason=Reason.DEPENDENCY),
    )
    world.catch_up(world.store())
    assert world.ends()[request_id] == [
        RequestEnd(
            request_id,
            "NORTH",
            "PersonIdentity",
            RequestState.COMPLETE_WITH_FAILURES,
            None,
            None,
            (
                Count("APPLIED", None, 1),
                Count("APPLIED", "DEPENDENCY", 1),
                Count("FAILED", "CONFLICT", 1),
                Count("IN_SYNC", None, 3),
            ),
            DECIDED,
            later,
        )
    ]


@pytest.mark.parametrize(
    ("records", "state"),
    [
        (lambda r: [rejected(r)], RequestState.REJECTED),
        (lambda r: [request_status(r, 1), outcome(r, "1")], RequestState.COMPLETE),
        (lambda r: [request_status(r, 1), outcome(r, "1", Status.FAILED)], RequestState.COMPLETE_WITH_FAILURES),
        (
            lambda r: [
                request_status(r, 2),
                outcome(r, "1", Status.FAILED),
                outcome(r, "2", Status.CANCELLED),
            ],
            RequestState.CANCELLED,
        ),
        (lambda r: [request_status(r, 1), outcome(r, "1", Status.SENT)], None),
        (lambda r: [request_status(r, 1), outcome(r, "1", Status.DEFERRED)], None),
        (lambda r: [request_status(r, 1), chunk_status(r, "0.0", ChunkState.PENDING, keys=1)], None),
        (lambda r: [request_status(r, 2)], None),
        (lambda r: [request_status(r, 2), outcome(r, "1"), outcome(r, "9", asked_as=None)], None),
        (lambda r: [request_status(r, 1, RequestState.HELD)], None),
        (lambda r: [outcome(r, "1")], None),
    ],
)
def test_only_what_has_ended_is_announced(world: World, records: object, state: RequestState | None) -> None:
    request_id = str(uuid.uuid4())
    assert callable(records)
    before, after = world.store(), records(request_id)
    world.catch_up(before)
    world.produce(*after)
    world.catch_up(before)
    found = [end.state for end in world.ends().get(request_id, [])]
    assert found == ([] if state is None else [state])
    visible = world.rows("select state from history.requests")
    if any(isinstance(record, RequestStatus) for record in after):
        open_state = "HELD" if after[0].state is RequestState.HELD else "ACCEPTED"
        assert visible == [(state.value if state else open_state,)]


def test_a_late_answer_is_announced_again(world: World) -> None:
    request_id = str(uuid.uuid4())
    world.produce(request_status(request_id, 1), outcome(request_id, "1", Status.FAILED, reason=Reason.NO_ANSWER))
    store = world.store()
    world.catch_up(store)
    world.produce(outcome(request_id, "1", Status.APPLIED))
    world.catch_up(store)
    assert [end.state for end in world.ends()[request_id]] == [
        RequestState.COMPLETE_WITH_FAILURES,
        RequestState.COMPLETE,
    ]


def test_ends_that_the_store_reads_back_cause_none(world: World) -> None:
    store = world.store()
    world.catch_up(store)
    world.produce(*flat(applied_request(2)[1] for _ in range(5)))
    world.catch_up(store)
    size = len(world.log())
    run_for(store, 5)
    world.stop(store)
    again = world.store()
    world.catch_up(again, 30)
    run_for(again, 5)
    assert len(world.log()) == size


def test_a_new_store_announces_each_request_once(world: World) -> None:
    """However often a request ended in the history that it reads from the beginning."""
    requests = [applied_request(2) for _ in range(5)]
    again = [outcome(request_id, "0", Status.FAILED) for request_id, _ in requests]
    world.produce(*flat(r for _, r in requests), *again)
    world.catch_up(world.store())
    assert {r: [end.state for end in ends] for r, ends in world.ends().items()} == {
        r: [RequestState.COMPLETE_WITH_FAILURES] for r, _ in requests
    }


def test_the_sweep_of_a_new_store_has_pages(world: World) -> None:
    statuses: list[HistoryRecord] = [rejected(str(uuid.uuid4())) for _ in range(1_200)]
    world.produce(*statuses)
    world.catch_up(world.store())
    assert {len(ends) for ends in world.ends().values()} == {1}
    assert len(world.ends()) == 1_200


def test_a_store_that_died_before_its_sweep_ended_begins_it_again(world: World) -> None:
    world.produce(*flat(applied_request(2)[1] for _ in range(5)))
    world.catch_up(first := world.store())
    world.stop(first)
    world.execute("update resync_store.offsets set live = false")
    world.catch_up(world.store())
    assert {len(ends) for ends in world.ends().values()} == {2}


def test_an_end_out_of_date_is_followed_by_the_right_one(world: World) -> None:
    """What a store that was frozen while its partition moved may still write."""
    request_id, records = applied_request(2)
    store = world.store()
    world.catch_up(store)
    world.produce(*records)
    world.catch_up(store)
    [right] = world.ends()[request_id]
    world.produce(replace(right, counts=(Count("FAILED", "NO_ANSWER", 2),), state=RequestState.COMPLETE_WITH_FAILURES))
    world.catch_up(store)
    run_for(store, 3)
    assert world.ends()[request_id][-1] == right
    assert len(world.ends()[request_id]) == 3


def test_unanswered_end_reader_sees_plain_headers(world: World) -> None:
    request_id, records = applied_request(1)
    world.produce(*records)
    world.catch_up(world.store())
    consumer = Consumer({**world.options, "group.id": "any", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(world.history, world.partition(request_id), 0)])
    messages = consumer.consume(len(records) + 1, 5)
    consumer.close()
    headers = dict(messages[-1].headers() or [])
    assert headers["request_id"] == request_id.encode()
    assert headers["status"] == b"COMPLETE"
    assert not any(isinstance(r, KeyOutcome) for _, r in world.log()[-1:])
