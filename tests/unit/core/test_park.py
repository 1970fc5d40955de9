"""Parking: no key is lost by it, none is told twice, and what is released becomes what would have been sent."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from processor.core.chunk import Cause, Chunk, Stage
from processor.core.correction import Op
from processor.core.errors import Reason
from processor.core.guard import changes, plan_counts
from processor.core.history import ChunkState, ChunkStatus, Guard, Parked, Status
from processor.core.park import DELETES_RANK, Held, park
from processor.core.plan import Plan
from processor.core.request import Dependencies, OnStateOnly, Report
from processor.core.settle import defer
from processor.core.snapshot import Row
from tests.unit.core.builders import ENROLLMENT, NOW, Place, World, catalog, chunk, ours, outcomes, row, theirs

KNOWN = catalog(allow_delete=True, max_deletes=1)
GUARD = Guard(0, 0)
ROWS = st.sampled_from([(), (ours(),), (ours(lastName="Else"),), (ours(), ours())])
STATE_ROWS = st.sampled_from([(), (theirs(),), (theirs(lastName="Other"),)])
Sides = dict[str, tuple[tuple[Row, ...], tuple[Row, ...]]]


def world_of(district: dict[Place, tuple[Row, ...]], state: dict[Place, tuple[Row, ...]]) -> World:
    return World(district, state, known=KNOWN)


def parked(plan: Plan) -> list[Chunk]:
    return [record.chunk for record in plan.history if isinstance(record, Parked)]


def planned(asked: Chunk, world: World) -> tuple[Plan, Plan]:
    """(what would be sent, what stands instead)."""
    sending = world.decide(asked)
    return sending, park(asked, sending, Held(plan_counts(sending.corrections), GUARD), KNOWN, NOW)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.integers(1, 30).map(str), st.tuples(ROWS, STATE_ROWS), min_size=1, max_size=12))
def test_each_key_ends_or_is_parked_and_what_is_released_is_what_would_have_been_sent(sides: Sides) -> None:
    world = world_of(
        {("Person", key): ours_ for key, (ours_, _) in sides.items()},
        {("Person", key): theirs_ for key, (_, theirs_) in sides.items()},
    )
    asked = chunk(*sides, stage=Stage.PLAN, on_state_only=OnStateOnly.DELETE, report=Report.CHANGES, announced=True)
    sending, plan = planned(asked, world)
    assert plan.corrections == []
    (done,) = [record for record in plan.history if isinstance(record, ChunkStatus)]
    assert (done.state, done.planned, done.guard) == (ChunkState.DONE, plan_counts(sending.corrections), GUARD)
    told, waiting = [o.key for o in outcomes(plan)], [ask.key for each in parked(plan) for ask in each.asks]
    assert len(told) + done.in_sync + len(waiting) == len(sides)
    assert not set(told) & set(waiting)
    assert not [o for o in outcomes(plan) if o.status is Status.SENT]
    released = [c for each in parked(plan) for c in world.decide(each).corrections]
    assert {(c.source.key, c.op, str(c.after)) for c in released} == {
        (c.source.key, c.op, str(c.after)) for c in sending.corrections
    }
    assert changes(plan_counts(sending.corrections)) == len(waiting)


def test_parents_come_first_and_deletions_last_and_upward() -> None:
    world = world_of(
        {("Person", "1"): (ours(),), ("Enrollment", "1"): (row(ENROLLMENT, personID="1"),)},
        {("Person", "2"): (theirs(),), ("Enrollment", "2"): (row(ENROLLMENT, personID="2"),)},
    )
    found = [
        (each.rank, each.object, each.chunk, each.cause, each.stage)
        for name in ("Enrollment", "Person")
        for each in parked(
            planned(chunk("1", "2", object_name=name, chunk=name, on_state_only=OnStateOnly.DELETE), world)[1]
        )
    ]
    depth = {name: KNOWN.objects[name].depth for name in ("Person", "Enrollment")}
    assert sorted(found) == [
        (depth["Person"], "Person", "Person.0", Cause.HELD, Stage.RELEASED),
        (depth["Enrollment"], "Enrollment", "Enrollment.0", Cause.HELD, Stage.RELEASED),
        (DELETES_RANK - depth["Enrollment"], "Enrollment", "Enrollment.1", Cause.HELD, Stage.RELEASED),
        (DELETES_RANK - depth["Person"], "Person", "Person.1", Cause.HELD, Stage.RELEASED),
    ]


def test_planned_keys_of_a_database_that_is_away_stay_pending_until_they_are_planned() -> None:
    asked = chunk("1", stage=Stage.PLAN, announced=True, report=Report.CHANGES)
    away = defer(asked, "district NORTH: away", KNOWN.limits, NOW)
    assert away.history == []
    (again,) = away.retries
    assert (again.chunk, again.attempt, again.announced) == (asked.chunk, 2, True)
    world = world_of({("Person", "1"): (ours(),)}, {("Person", "1"): (theirs(),)})
    assert [s.in_sync for s in planned(again, world)[1].history if isinstance(s, ChunkStatus)] == [1]
    (waiting,) = parked(planned(again, world_of({("Person", "1"): (ours(),)}, {}))[1])
    assert (waiting.attempt, waiting.deferred_since) == (1, None)
    late = defer(again, "district NORTH: away", KNOWN.limits, NOW + timedelta(minutes=16))
    assert [o.status for o in outcomes(late)] == [Status.FAILED]
    assert [s.state for s in late.history if isinstance(s, ChunkStatus)] == [ChunkState.DONE]


def test_keys_that_were_deferred_and_then_held_are_told_to_wait_for_the_guard() -> None:
    plan = planned(chunk("1", deferred_since=NOW), world_of({("Person", "1"): (ours(),)}, {}))[1]
    assert [(o.status, o.reason) for o in outcomes(plan)] == [(Status.DEFERRED, Reason.MASS_CHANGE)]


def test_an_ancestor_carried_along_counts_and_is_carried_again_when_released() -> None:
    world = world_of({("Person", "1"): (ours(),), ("Enrollment", "1"): (row(ENROLLMENT, personID="1"),)}, {})
    asked = chunk("1", object_name="Enrollment", dependencies=Dependencies.PARENTS)
    sending, plan = planned(asked, world)
    assert [c.op for c in sending.corrections] == [Op.CREATE, Op.CREATE]
    (again,) = parked(plan)
    assert [(c.source.object, c.source.key) for c in world.decide(again).corrections] == [
        ("Person", "1"),
        ("Enrollment", "1"),
    ]
    assert outcomes(plan) == []


def test_what_was_planned_as_a_change_is_never_released_as_a_deletion() -> None:
    """A district may have been emptied while its request was held."""
    places: dict[Place, tuple[Row, ...]] = {("Person", "1"): (ours(lastName="Else"),)}
    state: dict[Place, tuple[Row, ...]] = {("Person", "1"): (theirs(),), ("Person", "2"): (theirs(),)}
    asked = chunk("1", "2", stage=Stage.PLAN, on_state_only=OnStateOnly.DELETE, announced=True)
    changed, deleted = parked(planned(asked, world_of(places, state))[1])
    emptied = world_of({}, state)
    plan = emptied.decide(changed)
    assert ([(o.key, o.status) for o in outcomes(plan)], plan.corrections) == ([("1", Status.STATE_ONLY)], [])
    assert [(c.source.key, c.op) for c in emptied.decide(deleted).corrections] == [("2", Op.DELETE)]
