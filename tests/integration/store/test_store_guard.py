"""Requests that were planned are held or let pass; what was parked of them is published, in order and once."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from processor import metrics
from processor.core.chunk import Stage
from processor.core.errors import Reason
from processor.core.history import ChunkState, Guard, HistoryRecord, PlanCounts, RequestState, Status
from processor.core.partition import partition_of
from processor.core.request import Keys, Request
from tests.integration.store.planning import (
    GUARD,
    PLANNED_AT,
    await_told,
    history_of,
    parked,
    pending,
    plan,
    planned,
    released,
    request,
    settle,
    told,
    unparked,
    work,
)
from tests.integration.store.records import DECIDED, chunk_status, outcome
from tests.integration.store.waiting import await_, run
from tests.integration.store.world import World

DECISIONS = ("resync_store_decisions_total", {"decision": "passed"})
ACCEPTED, HELD, CANCELLED = RequestState.ACCEPTED, RequestState.HELD, RequestState.CANCELLED


def planned_whole(asked: Request, *counts: PlanCounts) -> list[HistoryRecord]:
    chunks = [planned(asked, f"0.{n}", each) for n, each in enumerate(counts)]
    return [*history_of(asked, ACCEPTED), parked(asked, "0.0.0", "1"), *chunks]


def test_what_is_beyond_the_guard_is_held_and_the_sum_counts(world: World) -> None:
    asked = request()
    store = world.store()
    world.catch_up(store)
    world.produce(*planned_whole(asked, plan(6), plan(5)))
    [status] = await_told(world, store)
    assert (status.request, status.state, status.reason) == (asked, HELD, Reason.MASS_CHANGE)
    assert status.detail == "it would change 11 records of PersonIdentity; without a release at most 10 pass"
    assert (status.guard, status.decided_at, status.decided_by) == (GUARD, PLANNED_AT, None)
    assert {(c.op.name, c.field): c.keys for c in status.planned.counts} == {
        ("UPDATE", None): 11,
        ("UPDATE", "lastName"): 11,
    }
    [sent] = work(world, world.retry)
    assert sent.partition == partition_of("NORTH", world.partitions)
    assert sent.timestamp_s < time.time() - 5, "due at once"
    world.produce(status)
    settle(world, store)
    assert world.rows("select state, parked_keys from history.requests") == [("HELD", 1)]
    assert world.rows("select operation, field, keys from history.planned order by 2 nulls first") == [
        ("UPDATE", None, 11),
        ("UPDATE", "lastName", 11),
    ]
    assert world.rows("select operation, key from history.planned_samples") == [("UPDATE", "1"), ("UPDATE", "1")]
    assert (told(world), released(world), world.ends()) == ([status], [], {})
    run(store, lambda: (store.counts.held, store.counts.oldest_held) == (1, PLANNED_AT))


def test_what_is_within_the_guard_goes_on_by_itself(world: World) -> None:
    asked = request()
    world.produce(*planned_whole(asked, plan(5, 1), plan(4)))
    store = world.store()
    [status] = await_told(world, store)
    assert (status.state, status.reason, status.detail, status.decided_by) == (ACCEPTED, None, None, None)
    assert released(world) == []
    world.produce(status)
    run(store, lambda: len(released(world)) == 1)
    assert released(world) == [parked(asked, "0.0.0", "1").chunk]


def test_deletions_and_single_objects_have_limits_of_their_own(world: World) -> None:
    deleting, child = request(), request(object="Enrollment")
    person = replace(planned(child, "0.0", plan(1)), object="PersonIdentity", guard=Guard(100, 1))
    world.produce(
        *planned_whole(deleting, plan(1, 2)),
        *history_of(child, ACCEPTED),
        person,
        planned(child, "1.0", plan(20, object_name="Enrollment"), Guard(15, 1)),
    )
    found = {status.request.request_id: status.detail for status in await_told(world, world.store(), 2)}
    assert found == {
        deleting.request_id: "it would delete 2 records; without a release at most 1 pass",
        child.request_id: "it would change 20 records of Enrollment; without a release at most 15 pass",
    }


@pytest.mark.parametrize(
    "missing",
    [
        lambda asked: pending(asked, "0.2"),
        lambda asked: outcome(asked.request_id, "7", Status.DEFERRED),
    ],
)
def test_nothing_is_decided_before_all_is_planned(world: World, missing: object) -> None:
    asked = request()
    assert callable(missing)
    world.produce(*planned_whole(asked, plan(1)), missing(asked))
    store = world.store()
    settle(world, store)
    assert told(world) == []
    assert world.rows("select state from history.requests") == [("ACCEPTED",)]
    parked_now = outcome(asked.request_id, "7", Status.DEFERRED, reason=Reason.MASS_CHANGE)
    world.produce(planned(asked, "0.2", plan(20)), parked_now)
    [status] = await_told(world, store)
    assert status.state is HELD


def test_a_request_of_which_nothing_is_planned_is_never_decided(world: World) -> None:
    """As all were before there was a guard."""
    asked = request()
    world.produce(*history_of(asked, ACCEPTED), chunk_status(asked.request_id, "0.0", ChunkState.DONE, in_sync=4))
    store = world.store()
    settle(world, store)
    assert told(world) == []
    assert [end.state for end in world.ends()[asked.request_id]] == [RequestState.COMPLETE]


def test_a_plan_without_changes_ends_the_request_once_it_is_let_pass(world: World) -> None:
    asked = request()
    world.produce(*history_of(asked, ACCEPTED), planned(asked, "0.0", PlanCounts()))
    store = world.store()
    [status] = await_told(world, store)
    assert world.ends() == {}
    world.produce(status)
    world.catch_up(store)
    assert [end.state for end in world.ends()[asked.request_id]] == [RequestState.COMPLETE]


def test_parked_chunks_are_published_in_the_order_of_their_ranks_in_pages(world: World) -> None:
    asked = request()
    children = [parked(asked, f"0.{n:03}.1", f"c{n}", rank=1) for n in range(30)]
    parents = [parked(asked, f"1.{n:03}.0", f"p{n}") for n in range(25)]
    deletes = [parked(asked, "0.000.2", "d", rank=1_000)]
    store = world.store()
    world.catch_up(store)
    world.produce(*history_of(asked, HELD, *children, *deletes, *parents, planned=plan(99), guard=GUARD))
    settle(world, store)
    assert released(world) == []
    world.produce(*history_of(asked, ACCEPTED, planned=plan(99), guard=GUARD, decided_by="chief"))
    run(store, lambda: len(released(world)) == 56)
    assert released(world) == [each.chunk for each in [*parents, *children, *deletes]]
    settle(world, store)
    assert len(released(world)) == 56, "not again so soon"
    assert world.ends() == {}
    unparked(world, *parents, *children, *deletes)
    world.produce(*(outcome(asked.request_id, each.chunk.asks[0].key) for each in [*parents, *children, *deletes]))
    world.catch_up(store)
    assert world.tables()["parked"] == []
    assert [end.state for end in world.ends()[asked.request_id]][-1] is RequestState.COMPLETE


def test_another_store_publishes_what_is_still_parked(world: World) -> None:
    asked = request()
    both = [parked(asked, f"0.{n}.0", str(n)) for n in range(2)]
    world.produce(*history_of(asked, ACCEPTED, *both, planned=plan(2), guard=GUARD))
    first = world.store()
    run(first, lambda: len(released(world)) == 2)
    world.stop(first)
    unparked(world, both[0])
    second = world.store()
    run(second, lambda: len(released(world)) == 3)
    assert released(world)[-1] == both[1].chunk


def test_a_cancelled_request_is_open_until_what_was_parked_has_ended(world: World) -> None:
    asked = request()
    held = parked(asked, "0.0.0", "1", "2")
    world.produce(*history_of(asked, HELD, held, planned=plan(2), guard=GUARD))
    store = world.store()
    world.catch_up(store)
    world.produce(*history_of(asked, CANCELLED, planned=plan(2), guard=GUARD, decided_by="chief"))
    run(store, lambda: released(world) == [replace(held.chunk, stage=Stage.GUARDED)])
    assert world.rows("select state, decision, decided_by from history.requests") == [
        ("ACCEPTED", "CANCELLED", "chief")
    ]
    assert world.ends() == {}
    world.produce(*(outcome(asked.request_id, key, Status.CANCELLED) for key in ("1", "2")))
    unparked(world, held)
    world.catch_up(store)
    assert world.rows("select state from history.requests") == [("CANCELLED",)]
    assert [end.state for end in world.ends()[asked.request_id]][-1] is CANCELLED


def test_another_district_s_request_of_the_same_id_is_neither_counted_nor_released(world: World) -> None:
    asked = request()
    other = replace(asked, district_id="LAKE")
    world.produce(
        parked(other, "9.0", "9"),
        planned(other, "9", plan(50)),
        *planned_whole(asked, plan(1)),
    )
    store = world.store()
    [status] = await_told(world, store)
    assert (status.request.district_id, status.state) == ("NORTH", ACCEPTED)
    world.produce(status)
    run(store, lambda: len(released(world)) >= 1)
    settle(world, store)
    assert released(world) == [parked(asked, "0.0.0", "1").chunk]


def test_replay_gives_the_same_and_verifies_it(world: World) -> None:
    asked = request()
    world.produce(*planned_whole(asked, plan(20)))
    store = world.store()
    [status] = await_told(world, store)
    world.produce(status, parked(asked, "0.1.0", "2"))
    world.catch_up(store)
    before = world.tables()
    assert len(before["parked"]) == 2
    assert world.verify().divergences == 0
    world.replay()
    assert world.tables() == before
    world.execute("update resync_store.parked set record = '\\x00' where chunk = '0.1.0'")
    found = world.verify()
    assert found.divergences == 1
    assert found.first is not None
    assert (found.first.table, found.first.columns) == ("parked", ("record",))


@pytest.mark.parametrize("crash_at", ["store.before_decision", "store.after_decision", "store.after_released"])
def test_a_store_that_is_killed_decides_the_same_again(world: World, crash_at: str) -> None:
    asked = request()
    world.produce(*planned_whole(asked, plan(3)))
    process = world.process(crash_at=crash_at)
    if crash_at == "store.after_released":
        await_(lambda: told(world) != [], "the decision")
        world.produce(told(world)[0])
    assert process.wait(30) == -9
    store = world.store()
    if crash_at == "store.after_released":
        run(store, lambda: len(released(world)) == 2)
    else:
        run(store, lambda: len(told(world)) == (1 if crash_at == "store.before_decision" else 2))
    assert len({status.decided_at for status in told(world)}) == 1, "the processor takes both for one"


def test_a_decision_comes_soon(world: World) -> None:
    """Counted when the broker has it."""

    def passed() -> float:
        return metrics.ALL.registry(metrics.STORE).get_sample_value(*DECISIONS) or 0.0

    store = world.store()
    world.catch_up(store)
    before = passed()
    world.produce(*planned_whole(request(), plan(3)))
    began = time.monotonic()
    while passed() == before and time.monotonic() < began + 5:
        store.step()
    assert time.monotonic() - began < 1.0


def test_what_is_decided_upon_is_as_it_was_asked(world: World) -> None:
    """All of a request that a status carries comes back from the tables."""
    asked = replace(request(school_year="2026", run_id="run 7"), requested_at=None)
    world.produce(*planned_whole(asked, plan(3)))
    [status] = await_told(world, world.store())
    assert status.request == asked
    assert status.decided_at > DECIDED - timedelta(days=1)


def test_chunks_of_before_a_repetition_count_only_while_they_are_parked(world: World) -> None:
    """A request repeated after the window has the ids of before; what was parked of it then is released with it."""
    asked = request()
    before = timedelta(days=2)
    old = [replace(planned(asked, f"0.{n}", plan(50)), decided_at=DECIDED - before) for n in range(3)]
    world.produce(*history_of(asked, ACCEPTED), parked(asked, "0.1.0", "1"), *old)
    store = world.store()
    [status] = await_told(world, store)
    assert (status.state, {(c.op.name, c.field): c.keys for c in status.planned.counts}["UPDATE", None]) == (HELD, 50)
    unparked(world, parked(asked, "0.1.0", "1"))
    world.catch_up(store)
    assert world.rows("select state from history.requests") == [("COMPLETE",)]
    world.stop(store)
    world.produce(planned(asked, "0.1", plan(2)))
    [_, again] = await_told(world, world.store(), 2)
    assert (again.state, {(c.op.name, c.field): c.keys for c in again.planned.counts}["UPDATE", None]) == (ACCEPTED, 2)


def test_a_request_that_was_held_once_ends_when_it_is_repeated_and_passes(world: World) -> None:
    asked = request(selection=Keys(("1",)))
    old = replace(planned(asked, "0", plan(50)), decided_at=DECIDED - timedelta(days=2))
    world.produce(*history_of(asked, ACCEPTED, keys=1), old, outcome(asked.request_id, "1", Status.APPLIED))
    store = world.store()
    settle(world, store)
    assert told(world) == []
    assert world.rows("select state from history.requests") == [("COMPLETE",)]
