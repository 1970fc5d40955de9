"""Corrections that nobody answered are sent round to be compared again."""

import uuid
from datetime import datetime, timedelta

from processor.adapters.kafka.history_reader import place_of
from processor.core import ids
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.history import Status
from processor.core.partition import partition_of
from processor.core.request import Dependencies, Mode, OnStateOnly, Report
from processor.service.overdue import OverdueRule
from tests.integration.store.records import DECIDED, outcome, request_status
from tests.integration.store.waiting import run_for
from tests.integration.store.world import World

RULE = OverdueRule(answer_deadline_s=3600.0, repeat_s=600.0)


class Clock:
    def __init__(self) -> None:
        self.now = DECIDED

    def __call__(self) -> datetime:
        return self.now


def published(world: World) -> list[tuple[int, Chunk]]:
    found = []
    for message in world.messages(world.retry):
        chunk = world.codec.decode(message.value() or b"", (Chunk,))
        assert isinstance(chunk, Chunk)
        found.append((place_of(message)[0], chunk))
    return found


def test_an_unanswered_key_is_published_once_a_pass(world: World) -> None:
    request_id = str(uuid.uuid4())
    clock = Clock()
    world.produce(
        request_status(
            request_id,
            4,
            mode=Mode.FORCE,
            dependencies=Dependencies.PARENTS,
            on_state_only=OnStateOnly.DELETE,
            report=Report.CHANGES,
            requested_at=DECIDED - timedelta(minutes=1),
        ),
        outcome(request_id, "1", Status.SENT, asked_as="01", attempt=2, sent_at=DECIDED),
        outcome(request_id, "2", Status.SENT, sent_at=DECIDED + timedelta(minutes=5)),
        outcome(request_id, "3", Status.DEFERRED, sent_at=DECIDED),
        outcome(request_id, "4", Status.APPLIED, sent_at=DECIDED),
    )
    store = world.store(overdue=RULE, now=clock)
    world.catch_up(store)
    assert published(world) == []
    clock.now = DECIDED + timedelta(minutes=61)
    run_for(store, 3)
    correction_id = ids.correction_id(request_id, "NORTH", "PersonIdentity", "1", 1)
    chunk = Chunk(
        request_id=request_id,
        chunk=ids.retry_chunk(correction_id),
        district_id="NORTH",
        object="PersonIdentity",
        asks=(Ask("1", "01"),),
        cause=Cause.NO_ANSWER,
        mode=Mode.FORCE,
        dependencies=Dependencies.PARENTS,
        on_state_only=OnStateOnly.DELETE,
        report=Report.CHANGES,
        attempt=3,
        first_decided_at=DECIDED,
        correction_id=correction_id,
        sent_at=DECIDED,
        requested_at=DECIDED - timedelta(minutes=1),
        stage=Stage.RELEASED,
    )
    place = partition_of("NORTH", world.partitions)
    assert published(world) == [(place, chunk)]
    run_for(store, 3)
    assert len(published(world)) == 1
    clock.now += timedelta(seconds=601)
    run_for(store, 3)
    assert [found.asks[0].key for _, found in published(world)] == ["1", "1", "2"]


def test_a_key_is_compared_again_by_what_its_own_district_asked(world: World) -> None:
    """Another district's request with the same id must not turn its keys into deletions (ADR 0140)."""
    request_id = str(uuid.uuid4())
    world.produce(
        request_status(request_id, 1),
        outcome(request_id, "1", Status.SENT, sent_at=DECIDED),
        request_status(request_id, 1, district_id="RIVER", on_state_only=OnStateOnly.DELETE, mode=Mode.FORCE),
    )
    store = world.store(overdue=RULE, now=lambda: DECIDED + timedelta(days=1))
    world.catch_up(store)
    run_for(store, 3)
    [(_, chunk)] = published(world)
    assert (chunk.district_id, chunk.on_state_only, chunk.mode) == ("NORTH", OnStateOnly.REPORT, Mode.SYNC)


def test_a_pass_has_pages(world: World) -> None:
    request_id = str(uuid.uuid4())
    world.produce(request_status(request_id, 1_100), *(outcome(request_id, str(n), Status.SENT) for n in range(1_100)))
    store = world.store(overdue=RULE, now=lambda: DECIDED + timedelta(days=1))
    world.catch_up(store)
    run_for(store, 5)
    assert {chunk.asks[0].key for _, chunk in published(world)} == {str(n) for n in range(1_100)}


def test_a_cleared_request_is_not_chased(world: World) -> None:
    """Only what is in the tables is overdue."""
    request_id = str(uuid.uuid4())
    world.produce(outcome(request_id, "1", Status.SENT))
    store = world.store(overdue=RULE, now=lambda: DECIDED + timedelta(days=1))
    world.catch_up(store)
    run_for(store, 3)
    assert published(world) == []
