"""Orders to release, reject and cancel: judged by the tables and by rights, and passed on to the processor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processor import metrics
from processor.core.errors import Reason
from processor.core.history import Order, OrderAction, RequestState, RequestStatus, Status
from processor.core.order import CLOCKS, Void
from processor.core.policy import ControlRight, ControlTopic, Policy, Scope
from processor.core.request import Request
from processor.service.materialize import Store
from tests.integration.store.clearing import assert_only_the_mark, clearings, wish
from tests.integration.store.planning import GUARD, await_told, history_of, parked, plan, request, told
from tests.integration.store.records import DECIDED, applied_request, outcome
from tests.integration.store.waiting import await_, run
from tests.integration.store.world import World

ACCEPTED, HELD, CANCELLED = RequestState.ACCEPTED, RequestState.HELD, RequestState.CANCELLED
RELEASE, REJECT, CANCEL = OrderAction.RELEASE, OrderAction.REJECT, OrderAction.CANCEL
LATER = DECIDED + timedelta(minutes=1)
DETAIL = "it would change 20 records"
EVERYTHING = Scope(None, None)


def order(asked: Request, action: OrderAction, who: str = "chief", **changes: Any) -> Order:
    given: dict[str, Any] = {"ordered_by": who, "ordered_at": LATER, **changes}
    return Order(asked.request_id, action, **given)


def held(asked: Request) -> list[Any]:
    status, chunk = history_of(asked, HELD, parked(asked, "0.0.0", "1"), planned=plan(20), guard=GUARD)
    return [RequestStatus(**{n: getattr(status, n) for n in status.__slots__} | {"detail": DETAIL}), chunk]


def held_store(world: World, *asked: Request, policy: Policy | None = None) -> Store:
    for each in asked:
        world.produce(*held(each))
    store = world.store(control=True, policy=policy)
    world.catch_up(store)
    return store


def results(action: OrderAction) -> dict[str, float]:
    exported, name = metrics.ALL.registry(metrics.STORE), "resync_store_orders_total"
    labels = ("taken", *Void)
    return {label: exported.get_sample_value(name, {"action": action, "result": label}) or 0.0 for label in labels}


def told_of(action: OrderAction, before: dict[str, float]) -> dict[str, float]:
    return {label: count - before[label] for label, count in results(action).items() if count != before[label]}


@pytest.mark.parametrize(
    ("action", "state", "reason", "detail"),
    [
        (RELEASE, ACCEPTED, None, None),
        (REJECT, CANCELLED, Reason.NOT_RELEASED, DETAIL),
        (CANCEL, CANCELLED, None, None),
    ],
)
def test_an_order_becomes_a_decision(
    world: World, action: OrderAction, state: RequestState, reason: Reason | None, detail: str | None
) -> None:
    asked = request()
    store = held_store(world, asked)
    before = results(action)
    world.wish(order(asked, action))
    [status] = await_told(world, store)
    assert (status.request, status.state, status.reason, status.detail) == (asked, state, reason, detail)
    assert (status.decided_by, status.planned, status.guard) == ("chief", plan(20), GUARD)
    assert status.decided_at > LATER
    assert told_of(action, before) == {"taken": 1}


@pytest.mark.parametrize(
    ("action", "who", "void"),
    [
        (RELEASE, "clerk", Void.SAME_PERSON),
        (REJECT, "clerk", Void.SAME_PERSON),
    ],
)
def test_who_asked_for_it_neither_releases_nor_rejects_but_may_cancel(
    world: World, action: OrderAction, who: str, void: Void
) -> None:
    asked = request()
    store = held_store(world, asked)
    before = results(action)
    world.wish(order(asked, action, who))
    run(store, lambda: told_of(action, before) == {void: 1})
    world.wish(order(asked, CANCEL, who))
    [status] = await_told(world, store)
    assert (status.state, status.decided_by) == (CANCELLED, "clerk")


def test_what_means_nothing_is_counted_and_stays_without_effect(world: World) -> None:
    unknown, running, waiting, later = request(), request(), request(), request()
    ended_id, records = applied_request(1)
    world.produce(*records, *history_of(running, ACCEPTED, outcome(running.request_id, "1", Status.SENT), keys=1))
    of_later = held(later)
    world.produce(replace(of_later[0], decided_at=datetime.now(UTC) + 2 * CLOCKS), *of_later[1:])
    store = held_store(world, waiting)
    before, cancels = results(RELEASE), results(CANCEL)
    world.wish(
        order(unknown, RELEASE),
        order(request(request_id=ended_id), RELEASE),
        order(running, RELEASE),
        order(waiting, RELEASE, ordered_at=DECIDED - timedelta(microseconds=1)),
        order(later, RELEASE, ordered_at=datetime.now(UTC) + timedelta(days=365)),
        order(request(request_id=ended_id), CANCEL),
    )
    run(store, lambda: told_of(CANCEL, cancels) == {Void.ENDED: 1})
    assert told_of(RELEASE, before) == {Void.UNKNOWN: 1, Void.ENDED: 1, Void.NOT_HELD: 1, Void.OUTDATED: 2}
    assert told(world) == []


def test_a_running_request_is_cancelled_and_an_order_from_before_it_was_asked_for_is_not_about_it(world: World) -> None:
    running = request()
    world.produce(*history_of(running, ACCEPTED, outcome(running.request_id, "1", Status.SENT), keys=1))
    store = world.store(control=True)
    world.catch_up(store)
    before = results(CANCEL)
    world.wish(order(running, CANCEL, ordered_at=DECIDED - timedelta(hours=1)))
    run(store, lambda: told_of(CANCEL, before) == {Void.OUTDATED: 1})
    world.wish(order(running, CANCEL))
    [status] = await_told(world, store)
    assert (status.state, status.planned) == (CANCELLED, None)


def test_a_store_that_begins_anew_finds_what_was_carried_out_to_be_void(world: World) -> None:
    asked = request()
    store = held_store(world, asked)
    world.wish(order(asked, RELEASE))
    [status] = await_told(world, store)
    world.produce(status)
    world.catch_up(store)
    world.stop(store)
    before = results(RELEASE)
    again = world.store(control=True)
    run(again, lambda: told_of(RELEASE, before) == {Void.NOT_HELD: 1})
    assert told(world) == [status]


def test_a_release_after_a_rejection_is_too_late_before_the_history_tells_it(world: World) -> None:
    asked = request()
    store = held_store(world, asked)
    before = results(RELEASE)
    world.wish(order(asked, REJECT))
    await_told(world, store)
    world.wish(order(asked, RELEASE, "other chief"))
    run(store, lambda: told_of(RELEASE, before) == {Void.ENDED: 1})
    assert [status.state for status in told(world)] == [CANCELLED]


def releasing(world: World) -> Policy:
    """By one topic everything may be ordered, by the other what is NORTH's persons, and no release."""
    norths = Scope(frozenset({"NORTH"}), frozenset({"PersonIdentity"}))
    return Policy(
        {},
        {},
        control={
            world.control: ControlTopic(world.control, EVERYTHING, (), frozenset(ControlRight)),
            world.norths: ControlTopic(world.norths, norths, ()),
        },
    )


def test_an_order_has_the_rights_of_its_topic_whoever_it_says_it_is_from(world: World) -> None:
    mine, lakes = request(), request(district_id="LAKE")
    store = held_store(world, mine, lakes, policy=releasing(world))
    releases, cancels = results(RELEASE), results(CANCEL)
    world.wish(order(mine, RELEASE, "the state"), order(lakes, CANCEL, "the state"), topic=world.norths)
    run(store, lambda: told_of(CANCEL, cancels) == {Void.NOT_ALLOWED: 1})
    assert told_of(RELEASE, releases) == {Void.NOT_ALLOWED: 1}
    assert told(world) == []
    world.wish(order(mine, CANCEL, "north"), topic=world.norths)
    world.wish(order(lakes, RELEASE))
    found = {status.request.request_id: status.state for status in await_told(world, store, 2)}
    assert found == {mine.request_id: CANCELLED, lakes.request_id: ACCEPTED}


def test_a_release_needs_the_right_for_every_object_that_would_change(world: World) -> None:
    asked = request()
    policy = Policy(
        {},
        {},
        control={
            world.control: ControlTopic(
                world.control, Scope(None, frozenset({"PersonIdentity"})), (), frozenset(ControlRight)
            )
        },
    )
    status, chunk = held(asked)
    both = plan(20, object_name="Enrollment")
    world.produce(RequestStatus(asked, HELD, None, None, 0, DECIDED, GUARD, both), chunk)
    store = world.store(control=True, policy=policy)
    world.catch_up(store)
    before = results(RELEASE)
    world.wish(order(asked, RELEASE))
    run(store, lambda: told_of(RELEASE, before) == {Void.NOT_ALLOWED: 1})
    assert status.request == asked


def test_a_wish_to_clear_and_an_order_do_not_take_each_other_away(world: World) -> None:
    """Both orders of events, also for a store that reads the topic from its beginning: their keys differ."""
    first, second = request(), request()
    store = held_store(world, first, second)
    world.wish(order(first, CANCEL), wish(first.request_id, as_of=LATER))
    world.wish(wish(second.request_id, as_of=LATER), order(second, CANCEL))
    cancelled = await_told(world, store, 2)
    assert {status.request.request_id for status in cancelled} == {first.request_id, second.request_id}
    assert clearings(world) == {}, "neither had ended"
    for asked, status in zip((first, second), cancelled, strict=True):
        world.tombstone(asked.request_id, f"{asked.request_id}/~held/0.0.0")
        world.produce(status, outcome(asked.request_id, "1", Status.CANCELLED))
    world.catch_up(store)
    touched = max(status.decided_at for status in cancelled)
    world.wish(*(wish(asked.request_id, as_of=touched) for asked in (first, second)))
    run(store, lambda: len(clearings(world)) == 2 and world.is_settled())
    for asked in (first, second):
        assert_only_the_mark(world, asked.request_id)
    keys = {message.key() for message in control_records(world)}
    assert keys == {f"{a.request_id}{s}".encode() for a in (first, second) for s in ("", "/~order")}


def control_records(world: World) -> list[Any]:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({**world.options, "group.id": "any", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(world.control, 0, 0)])
    found = consumer.consume(6, 10)
    consumer.close()
    return found


def test_what_is_parked_of_a_cleared_request_goes_too(world: World) -> None:
    """Late ones: a request with parked chunks is not cleared."""
    request_id, records = applied_request(1)
    world.produce(*records)
    store = world.store(control=True)
    world.catch_up(store)
    world.wish(wish(request_id))
    run(store, lambda: request_id in clearings(world) and world.is_settled())
    world.produce(parked(request(request_id=request_id), "0.0.0", "7"))
    world.catch_up(store)
    run(store, world.is_settled)
    assert_only_the_mark(world, request_id)
    assert world.tables()["parked"] == []


@pytest.mark.parametrize("crash_at", ["store.before_order", "store.after_order"])
def test_an_order_outlives_a_store_that_is_killed(world: World, crash_at: str) -> None:
    asked = request()
    world.produce(*held(asked))
    process = world.process(crash_at=crash_at)
    await_(lambda: world.lag() == 0 and world.all_live(), "the store")
    world.wish(order(asked, RELEASE))
    assert process.wait(30) == -9
    store = world.store(control=True)
    count = 1 if crash_at == "store.before_order" else 2
    found = await_told(world, store, count)
    assert {(status.state, status.decided_by) for status in found} == {(ACCEPTED, "chief")}
