"""Who may have what cleared, by which control topic."""

import uuid
from datetime import timedelta
from typing import Any

from processor import metrics
from processor.core.history import HistoryRecord, Status
from processor.core.policy import ControlTopic, Policy, Scope
from processor.core.rights import Ground
from tests.integration.store.clearing import SEEN, assert_only_the_mark, clearings, marks, wish
from tests.integration.store.records import flat, outcome, request_status
from tests.integration.store.waiting import run
from tests.integration.store.world import World


def north_and_all(world: World) -> Policy:
    """By one topic everything may be cleared, by the other what is NORTH's persons."""
    return Policy(
        {},
        {},
        control={
            world.control: ControlTopic(world.control, Scope(None, None), ()),
            world.norths: ControlTopic(world.norths, Scope(frozenset({"NORTH"}), frozenset({"PersonIdentity"})), ()),
        },
    )


def refused() -> dict[str, float]:
    """By ground, since the process began."""
    exported, name = metrics.ALL.registry(metrics.STORE), "resync_store_refused_clearings_total"
    grounds = (Ground.UNDECLARED, Ground.DISTRICT, Ground.OBJECT)
    return {ground: exported.get_sample_value(name, {"ground": ground}) or 0.0 for ground in grounds}


def one_of(district_id: str, object_name: str = "PersonIdentity") -> tuple[str, list[HistoryRecord]]:
    request_id = str(uuid.uuid4())
    place: dict[str, Any] = {"district_id": district_id, "object": object_name}
    return request_id, [request_status(request_id, 1, **place), outcome(request_id, "1", **place)]


def test_a_wish_beyond_its_topic_is_refused_whoever_it_says_it_is_from(world: World) -> None:
    lake, other, mine = one_of("LAKE"), one_of("NORTH", "Enrollment"), one_of("NORTH")
    before = refused()
    world.produce(*flat([lake[1], other[1], mine[1]]))
    store = world.store(control=True, policy=north_and_all(world))
    world.catch_up(store)
    world.wish(*(wish(each[0], who="the state") for each in (lake, other, mine)), topic=world.norths)
    run(store, lambda: mine[0] in clearings(world) and world.is_settled())
    assert clearings(world).keys() == {mine[0]}
    assert {ground: count - before[ground] for ground, count in refused().items()} == {
        Ground.UNDECLARED: 0,
        Ground.DISTRICT: 1,
        Ground.OBJECT: 1,
    }
    assert marks(world) == [mine[0]]
    world.wish(wish(lake[0], who="admin"))
    run(store, lambda: lake[0] in clearings(world) and world.is_settled())
    assert_only_the_mark(world, lake[0], "admin")
    assert world.rows("select request_id from history.requests") == [(other[0],)]


def test_a_refused_wish_does_not_stand_before_one_that_is_allowed(world: World) -> None:
    """Both are there before the store looks."""
    lake = one_of("LAKE")
    world.produce(*lake[1])
    world.wish(wish(lake[0], who="north"), topic=world.norths)
    world.wish(wish(lake[0], who="admin"))
    store = world.store(control=True, policy=north_and_all(world))
    run(store, lambda: lake[0] in clearings(world) and world.is_settled())
    assert_only_the_mark(world, lake[0], "admin")


def test_a_topic_that_is_not_declared_clears_nothing_and_without_a_policy_all(world: World) -> None:
    first, second = one_of("NORTH"), one_of("LAKE")
    before = refused()[Ground.UNDECLARED]
    world.produce(*flat([first[1], second[1]]))
    store = world.store(control=True, policy=Policy({}, {}))
    world.catch_up(store)
    world.wish(wish(first[0]), wish(second[0]))
    run(store, lambda: refused()[Ground.UNDECLARED] == before + 2)
    assert clearings(world) == {}
    world.stop(store)
    again = world.store(control=True)
    run(again, lambda: clearings(world).keys() == {first[0], second[0]})


def test_an_id_that_two_districts_used_is_cleared_only_by_who_may_clear_both(world: World) -> None:
    request_id, records = one_of("LAKE")
    before = refused()[Ground.DISTRICT]
    world.produce(*records, request_status(request_id, 1), outcome(request_id, "2"))
    store = world.store(control=True, policy=north_and_all(world))
    world.catch_up(store)
    assert world.rows("select district_id from history.requests") == [("NORTH",)]
    world.wish(wish(request_id, who="north"), topic=world.norths)
    run(store, lambda: refused()[Ground.DISTRICT] == before + 1)
    assert clearings(world) == {}
    world.wish(wish(request_id, who="admin"))
    run(store, lambda: request_id in clearings(world) and world.is_settled())
    assert_only_the_mark(world, request_id, "admin")


def test_an_id_is_not_cleared_while_the_other_district_s_request_runs(world: World) -> None:
    request_id, records = one_of("NORTH")
    late = SEEN + timedelta(seconds=1)
    lake: dict[str, Any] = {"district_id": "LAKE"}
    open_one = outcome(request_id, "7", Status.SENT, **lake)
    world.produce(request_status(request_id, 1, **lake), open_one, *records)
    store = world.store(control=True)
    world.catch_up(store)
    world.wish(wish(request_id))
    other, more = one_of("NORTH")
    world.produce(*more)
    world.wish(wish(other))
    run(store, lambda: other in clearings(world))
    world.produce(outcome(request_id, "7", decided_at=late, **lake))
    world.catch_up(store)
    world.wish(wish(request_id))
    last, more = one_of("NORTH")
    world.produce(*more)
    world.wish(wish(last))
    run(store, lambda: last in clearings(world))
    assert request_id not in clearings(world), "something was decided since it was wished"
    world.wish(wish(request_id, as_of=late))
    run(store, lambda: request_id in clearings(world))
