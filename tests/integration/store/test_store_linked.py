"""Linked runs: a step's end begins the next one, once, and never in a replay."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processor.core.history import ChunkState, HistoryRecord, RequestState, RequestStatus, Status
from processor.core.request import All, Filter, Keys, Mode, OnStateOnly, Request
from processor.core.run import Step, step_id
from tests.integration.store.planning import await_told, request, settle, told
from tests.integration.store.records import DECIDED, chunk_status, outcome
from tests.integration.store.waiting import await_, run_for
from tests.integration.store.world import World

END = DECIDED + timedelta(seconds=2)


def step(which: Step, run_id: str | None = None, **changes: Any) -> Request:
    run = run_id or str(uuid.uuid4())
    mode = Mode.SYNC if which is Step.RESYNC else Mode.VERIFY
    return request(**{"request_id": step_id(run, which), "run_id": run, "mode": mode, "linked": True} | changes)


def ended(asked: Request, *statuses: Status, decided_at: datetime = END) -> list[HistoryRecord]:
    """One key of each status; the rest in sync."""
    keys = [outcome(asked.request_id, str(n), status, decided_at=decided_at) for n, status in enumerate(statuses)]
    done = chunk_status(asked.request_id, "0.0", ChunkState.DONE, in_sync=5)
    return [RequestStatus(asked, RequestState.ACCEPTED, None, None, 0, DECIDED), done, *keys]


def test_a_run_goes_from_step_to_step(world: World) -> None:
    first = step(Step.VERIFY, selection=Filter("student.grade = 7"))
    store = world.store()
    world.catch_up(store)
    world.produce(*ended(first, Status.DIFFERS, Status.MISSING_AT_DISTRICT))
    [second] = await_told(world, store)
    run_id = first.run_id or ""
    assert second == replace(first, request_id=step_id(run_id, Step.RESYNC), mode=Mode.SYNC, requested_at=END)
    world.produce(*ended(second, Status.APPLIED, Status.FAILED))
    [_, third] = await_told(world, store, 2)
    assert third == replace(first, request_id=step_id(run_id, Step.VERIFY_AGAIN), mode=Mode.VERIFY, requested_at=END)
    world.produce(*ended(third, Status.DIFFERS))
    settle(world, store)
    assert told(world) == [second, third]


@pytest.mark.parametrize(
    ("first", "statuses", "goes_on"),
    [
        (step(Step.VERIFY), (), False),
        (step(Step.VERIFY), (Status.MISSING_AT_DISTRICT,), False),
        (step(Step.VERIFY, on_state_only=OnStateOnly.DELETE), (Status.MISSING_AT_DISTRICT,), True),
        (step(Step.VERIFY), (Status.MISSING_AT_STATE, Status.FAILED), True),
        (step(Step.VERIFY), (Status.DIFFERS, Status.CANCELLED), False),
        (step(Step.VERIFY, linked=False), (Status.DIFFERS,), False),
        (step(Step.VERIFY, request_id=str(uuid.uuid4())), (Status.DIFFERS,), False),
        (step(Step.VERIFY, selection=Keys(())), (Status.DIFFERS,), False),
        (step(Step.RESYNC), (), True),
        (step(Step.VERIFY_AGAIN), (Status.DIFFERS,), False),
    ],
)
def test_what_follows_from_a_step(world: World, first: Request, statuses: tuple[Status, ...], goes_on: bool) -> None:  # noqa: FBT001
    store = world.store()
    world.catch_up(store)
    world.produce(*ended(first, *statuses))
    settle(world, store)
    assert first.request_id in world.ends()
    assert len(told(world)) == goes_on


def test_a_cancelled_or_rejected_step_ends_the_run(world: World) -> None:
    cancelled, rejected = step(Step.VERIFY), step(Step.RESYNC)
    end = replace(RequestStatus(cancelled, RequestState.CANCELLED, None, None, 0, DECIDED), decided_by="chief")
    world.produce(*ended(cancelled, Status.DIFFERS), end)
    world.produce(RequestStatus(rejected, RequestState.REJECTED, None, "too bad", 0, DECIDED))
    store = world.store()
    settle(world, store)
    assert {ends[-1].state for ends in world.ends().values()} == {RequestState.CANCELLED, RequestState.REJECTED}
    assert told(world) == []


def test_a_step_that_is_known_or_was_cleared_is_not_begun_again(world: World) -> None:
    """However late an answer changes the end of the one before."""
    first = step(Step.VERIFY)
    store = world.store()
    world.catch_up(store)
    world.produce(*ended(first, Status.DIFFERS))
    [second] = await_told(world, store)
    world.produce(RequestStatus(second, RequestState.ACCEPTED, None, None, 0, DECIDED))
    world.catch_up(store)
    before, ends = told(world), len(world.ends()[first.request_id])
    world.produce(outcome(first.request_id, "9", Status.DIFFERS))
    settle(world, store)
    assert len(world.ends()[first.request_id]) > ends
    assert told(world) == before


def test_a_store_that_announces_all_ends_anew_goes_on_only_with_what_ended_lately(world: World) -> None:
    """And a replay, which announces none, with nothing."""
    old, fresh = step(Step.VERIFY), step(Step.VERIFY)
    lately = datetime.now(UTC) - timedelta(hours=1)
    world.produce(*ended(old, Status.DIFFERS), *ended(fresh, Status.DIFFERS, decided_at=lately))
    store = world.store()
    world.catch_up(store)
    [second] = told(world)
    assert second.run_id == fresh.run_id
    world.replay()
    run_for(store, 20)
    assert told(world) == [second]


@pytest.mark.parametrize("crash_at", ["store.before_sql_commit", "store.after_sql_commit"])
def test_a_run_outlives_a_store_that_is_killed(world: World, crash_at: str) -> None:
    first = step(Step.VERIFY, selection=All())
    store = world.store()
    world.catch_up(store)
    world.stop(store)
    process = world.process(crash_at=crash_at)
    world.produce(*ended(first, Status.DIFFERS))
    assert process.wait(30) == -9
    again = world.store()
    settle(world, again)
    assert {second.request_id for second in told(world)} == {step_id(first.run_id or "", Step.RESYNC)}
    assert len(told(world)) == (2 if crash_at == "store.before_sql_commit" else 1)
    await_(lambda: first.request_id in world.ends(), "the end")
