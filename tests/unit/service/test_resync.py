from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from processor.core.catalog import Catalog
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.errors import Reason
from processor.core.guard import changes
from processor.core.history import ChunkState, ChunkStatus, Guard, Parked, PlanCounts, Status
from processor.core.plan import Plan
from processor.core.request import Dependencies, Mode, OnStateOnly, Report
from processor.core.snapshot import Row
from processor.service.resync import lineage, observe, resync
from processor.service.rounds import to_be_planned
from tests.unit.core.builders import (
    BEHAVIOR,
    CATALOG,
    ENROLLMENT,
    NOW,
    SANCTION,
    catalog,
    chunk,
    ours,
    outcomes,
    row,
    theirs,
)
from tests.unit.service.databases import Databases, Target

PARENTS = {"dependencies": Dependencies.PARENTS}


def line(district: str = "NORTH") -> dict[Target, dict[str, tuple[Row, ...]]]:
    """A sanction and its three ancestors."""
    return {
        (district, "Person"): {"1": (ours(),)},
        (district, "Enrollment"): {"2": (row(ENROLLMENT, personID="1", grade="9"),)},
        (district, "Behavior"): {"3": (row(BEHAVIOR, enrollmentID="2", code="a"),)},
        (district, "Sanction"): {"4": (row(SANCTION, behaviorID="3", days="1"),)},
    }


def test_keys_of_a_batch_are_read_together_and_each_once() -> None:
    databases = Databases()
    chunks = [
        chunk("7", "8"),
        chunk("8", "9", request_id="other"),
        chunk("7", object_name="Enrollment"),
        chunk("7", district_id="RIVER"),
    ]
    observe(chunks, databases, CATALOG)
    assert databases.asked == [
        {("NORTH", "Person"): ["7", "8", "9"], ("NORTH", "Enrollment"): ["7"], ("RIVER", "Person"): ["7"]}
    ]


def test_rows_are_read_where_they_are_sent_by_force_or_somebody_saw_them_differ() -> None:
    databases = Databases()
    chunks = [
        chunk("1", mode=Mode.VERIFY),
        chunk("2", cause=Cause.SPLIT),
        chunk("3", mode=Mode.FORCE),
        chunk("4", mode=Mode.VERIFY, cause=Cause.CONFIRM),
        chunk("5", cause=Cause.HELD),
        chunk("6", cause=Cause.CONFLICT),
        chunk("7", object_name="Enrollment"),
    ]
    observe(chunks, databases, CATALOG)
    assert databases.asked == [{("NORTH", "Person"): list("123456"), ("NORTH", "Enrollment"): ["7"]}]
    assert databases.asked_by_rows == [{("NORTH", "Person"): list("3456")}]


def test_nothing_is_read_for_nothing() -> None:
    databases = Databases()
    assert observe([], databases, CATALOG).snapshots == {}
    assert databases.asked == []


def test_parents_are_read_level_by_level() -> None:
    databases = Databases(line() | line("RIVER"))
    chunks = [chunk("4", object_name="Sanction", district_id=name, **PARENTS) for name in ("NORTH", "RIVER")]
    seen = observe(chunks, databases, CATALOG)
    assert databases.asked == [
        {("NORTH", "Sanction"): ["4"], ("RIVER", "Sanction"): ["4"]},
        {("NORTH", "Behavior"): ["3"], ("RIVER", "Behavior"): ["3"]},
        {("NORTH", "Enrollment"): ["2"], ("RIVER", "Enrollment"): ["2"]},
        {("NORTH", "Person"): ["1"], ("RIVER", "Person"): ["1"]},
    ]
    plan = resync(seen, CATALOG, NOW)
    objects = ["Person", "Enrollment", "Behavior", "Sanction"]
    assert [(c.source.district_id, c.source.object) for c in plan.corrections] == [
        (name, each) for name in ("NORTH", "RIVER") for each in objects
    ]


def test_chunks_are_decided_in_their_order() -> None:
    keys = ["3", "1", "2"]
    chunks = [chunk(key, chunk=f"0.{key}") for key in keys]
    plan = resync(observe(chunks, Databases(), CATALOG), CATALOG, NOW)
    assert [o.key for o in outcomes(plan)] == keys


def test_districts_are_never_mixed_up() -> None:
    """The same personID occurs in two districts."""
    databases = Databases(
        district={("NORTH", "Person"): {"7": (ours(),)}, ("RIVER", "Person"): {"7": (ours(lastName="Other"),)}},
        state={("NORTH", "Person"): {"7": (theirs(),)}, ("RIVER", "Person"): {"7": (theirs(),)}},
    )
    chunks = [chunk("7"), chunk("7", district_id="RIVER")]
    plan = resync(observe(chunks, databases, CATALOG), CATALOG, NOW)
    assert [(o.district_id, o.status) for o in outcomes(plan)] == [("NORTH", Status.IN_SYNC), ("RIVER", Status.SENT)]


@pytest.mark.parametrize(
    ("away", "deferred"),
    [
        ([("NORTH", "Sanction")], True),
        ([("NORTH", "Person")], True),
        ([("RIVER", "Sanction")], False),
        ([("NORTH", "Unrelated")], False),
    ],
)
def test_a_chunk_waits_for_all_that_it_needs_and_for_nothing_else(away: list[Target], deferred: bool) -> None:  # noqa: FBT001
    databases = Databases(line(), away=set(away))
    chunks = [chunk("4", object_name="Sanction", **PARENTS)]
    plan = resync(observe(chunks, databases, CATALOG), CATALOG, NOW)
    assert (len(plan.retries), len(plan.corrections)) == ((1, 0) if deferred else (0, 4))


def test_a_dead_district_delays_no_other() -> None:
    databases = Databases(away={("NORTH", "Person"), ("NORTH", "Enrollment")})
    more = {"object_name": "Enrollment", "request_id": "other"}
    asks: list[tuple[str, dict[str, Any]]] = [("NORTH", {}), ("RIVER", {}), ("NORTH", more)]
    chunks = [chunk("7", district_id=name, **other) for name, other in asks]
    plan = resync(observe(chunks, databases, CATALOG), CATALOG, NOW)
    assert [(o.district_id, o.status, o.reason, o.detail) for o in outcomes(plan)] == [
        ("NORTH", Status.DEFERRED, Reason.SNAPSHOT_UNAVAILABLE, "district NORTH: away"),
        ("RIVER", Status.NOT_FOUND, None, None),
        ("NORTH", Status.DEFERRED, Reason.SNAPSHOT_UNAVAILABLE, "district NORTH: away"),
    ]
    assert [each.district_id for each in plan.retries] == ["NORTH", "NORTH"]
    assert len(databases.asked) == 1, "it is not asked again for parents"


def test_what_a_database_lacks_is_not_waited_for() -> None:
    databases = Databases(lacking={("NORTH", "Person")}, away={("LAKE", "Person")})
    asks = [chunk("7", "8", announced=True), chunk("9", district_id="LAKE"), chunk("7", district_id="RIVER")]
    plan = resync(observe(asks, databases, CATALOG), CATALOG, NOW)
    lacks = (Status.FAILED, Reason.SNAPSHOT_UNAVAILABLE, "district NORTH: no such column")
    assert [(o.key, o.status, o.reason, o.detail) for o in outcomes(plan)] == [
        ("7", *lacks),
        ("8", *lacks),
        ("9", Status.DEFERRED, Reason.SNAPSHOT_UNAVAILABLE, "district LAKE: away"),
        ("7", Status.NOT_FOUND, None, None),
    ]
    assert [record.state for record in plan.history if isinstance(record, ChunkStatus)] == [ChunkState.DONE]


def test_only_keys_that_need_a_parent_end_with_what_its_table_lacks() -> None:
    enrollment = row(ENROLLMENT, personID="1", grade="9")
    there: dict[str, tuple[Row, ...]] = {"2": (enrollment,)}
    databases = Databases(
        district={("NORTH", "Enrollment"): {**there, "3": (enrollment,)}},
        state={("NORTH", "Enrollment"): there},
        lacking={("NORTH", "Person")},
    )
    asks = [chunk("1"), chunk("2", object_name="Enrollment"), chunk("3", object_name="Enrollment", request_id="other")]
    plan = resync(observe(asks, databases, CATALOG), CATALOG, NOW)
    assert [(o.key, o.status) for o in outcomes(plan)] == [
        ("1", Status.FAILED),
        ("2", Status.IN_SYNC),
        ("3", Status.FAILED),
    ]


def test_a_family_that_may_delete_ends_with_a_part_that_can_never_be_read() -> None:
    databases = Databases(lacking={("NORTH", "Enrollment")})
    asks = [
        chunk("7", on_state_only=OnStateOnly.DELETE),
        chunk("9", object_name="Enrollment", on_state_only=OnStateOnly.DELETE),
    ]
    plan = resync(observe(asks, databases, CATALOG), CATALOG, NOW)
    assert [o.status for o in outcomes(plan)] == [Status.FAILED] * 2
    assert (plan.retries, plan.corrections) == ([], [])


def test_a_family_that_may_delete_waits_for_all_of_its_chunks_and_is_counted_together() -> None:
    """Deletes of a part that is read later would be counted, and bounded, apart (ADR 0007)."""
    held: dict[Target, dict[str, tuple[Row, ...]]] = {
        ("NORTH", "Person"): {"1": (theirs(),)},
        ("NORTH", "Enrollment"): {"2": (row(ENROLLMENT, personID="1"),)},
    }
    deleting: dict[str, Any] = {"on_state_only": OnStateOnly.DELETE, "request_id": "r"}
    family = [chunk("1", chunk="0", **deleting), chunk("2", chunk="0.E", object_name="Enrollment", **deleting)]
    one = catalog(allow_delete=True, max_deletes=1)

    away = Databases(state=held, away={("NORTH", "Enrollment")})
    waiting = resync(observe(family, away, one), one, NOW)
    assert ([each.object for each in waiting.retries], waiting.corrections) == (["Person", "Enrollment"], [])
    reporting = [replace(each, on_state_only=OnStateOnly.REPORT) for each in family]
    assert [each.object for each in resync(observe(reporting, away, one), one, NOW).retries] == ["Enrollment"]

    back = [family[0], chunk("7", request_id="other"), family[1]]
    plan = resync(observe(back, Databases(state=held), one), one, NOW)
    assert [o.reason for o in outcomes(plan) if o.request_id == "r"] == [Reason.MAX_DELETES] * 2


def test_two_districts_with_one_request_id_are_bounded_apart() -> None:
    held: dict[Target, dict[str, tuple[Row, ...]]] = {
        (name, "Person"): {"1": (theirs(),)} for name in ("NORTH", "RIVER")
    }
    one = catalog(allow_delete=True, max_deletes=1)
    chunks = [chunk("1", district_id=name, on_state_only=OnStateOnly.DELETE) for name in ("NORTH", "RIVER")]
    plan = resync(observe(chunks, Databases(state=held), one), one, NOW)
    assert [o.status for o in outcomes(plan)] == [Status.SENT] * 2


HELD_FROM_1 = catalog(allow_delete=True, hold_changes=1, hold_deletes=1)


def guarded(databases: Databases, *chunks: Chunk, of: Catalog = HELD_FROM_1, rows: int = 0) -> Plan:
    return resync(observe(chunks, databases, of), of, NOW, lambda _district_id, _object: rows)


def parked(plan: Plan) -> list[Chunk]:
    return [record.chunk for record in plan.history if isinstance(record, Parked)]


def test_what_is_beyond_the_guard_is_parked_and_nothing_of_it_sent() -> None:
    both = Databases(district={("NORTH", "Person"): {"1": (ours(),), "2": (ours(),)}})
    plan = guarded(both, chunk("1", "2", "3"))
    assert plan.corrections == []
    assert [[ask.key for ask in each.asks] for each in parked(plan)] == [["1", "2"]]
    assert [(o.key, o.status) for o in outcomes(plan)] == [("3", Status.NOT_FOUND)]
    (done,) = [record for record in plan.history if isinstance(record, ChunkStatus)]
    assert (done.state, done.guard, changes(done.planned or PlanCounts())) == (ChunkState.DONE, Guard(1, 1), 2)


def test_what_is_planned_once_more_is_parked_under_an_id_of_its_own_whatever_the_guard() -> None:
    both = Databases(district={("NORTH", "Person"): {"1": (ours(),)}})
    again = to_be_planned(chunk("1", "3", chunk="0.1.0", stage=Stage.RELEASED))
    plan = guarded(both, again, of=catalog())
    [held] = parked(plan)
    assert (held.chunk, held.stage, held.cause) == ("0.1.0.0", Stage.RELEASED, Cause.HELD)
    assert (plan.corrections, [(o.key, o.status) for o in outcomes(plan)]) == ([], [("3", Status.NOT_FOUND)])
    [done] = [record for record in plan.history if isinstance(record, ChunkStatus)]
    assert (done.chunk, done.state) == ("0.1.0", ChunkState.DONE)


def test_what_is_within_the_guard_is_sent() -> None:
    both = Databases(district={("NORTH", "Person"): {"1": (ours(),)}})
    plan = guarded(both, chunk("1", "3"))
    assert (len(plan.corrections), parked(plan)) == (1, [])


def test_deletions_have_a_guard_of_their_own() -> None:
    both = Databases(state={("NORTH", "Person"): {"1": (theirs(),), "2": (theirs(),)}})
    of = catalog(allow_delete=True, hold_deletes=1)
    assert len(parked(guarded(both, chunk("1", "2", on_state_only=OnStateOnly.DELETE), of=of))) == 1
    assert parked(guarded(both, chunk("1", on_state_only=OnStateOnly.DELETE), of=of)) == []


def test_a_family_is_held_against_the_guard_together() -> None:
    plan = guarded(Databases(line()), chunk("1"), chunk("2", object_name="Enrollment", chunk="0.Enrollment"))
    assert plan.corrections == []
    assert [(each.object, each.chunk) for each in parked(plan)] == [("Person", "0.0"), ("Enrollment", "0.Enrollment.0")]


@pytest.mark.parametrize(("children", "waiting"), [(101, ["Enrollment"]), (100, [])])
def test_what_comes_along_is_held_against_the_share_of_its_own_object(children: int, waiting: list[str]) -> None:
    keys = [str(n) for n in range(1, children + 1)]
    below: dict[str, tuple[Row, ...]] = {key: (row(ENROLLMENT, personID="1", grade="9"),) for key in keys}
    both = Databases(
        {("NORTH", "Person"): {"1": (ours(),)}, ("NORTH", "Enrollment"): below},
        {("NORTH", "Person"): {"1": (theirs(),)}},
    )
    of, rows = catalog(hold_share=0.25), {"Person": 100_000, "Enrollment": 200}
    chunks = [chunk("1"), chunk(*keys, object_name="Enrollment", chunk="0.Enrollment")]
    plan = resync(observe(chunks, both, of), of, NOW, lambda _district_id, name: rows[name])
    assert [each.object for each in parked(plan)] == waiting


def test_a_share_counts_against_the_rows_that_there_are() -> None:
    keys = [str(n) for n in range(1, 151)]
    both = Databases(district={("NORTH", "Person"): {key: (ours(),) for key in keys}})
    of = catalog(hold_share=0.1)
    assert parked(guarded(both, chunk(*keys), of=of, rows=1_000))
    assert not parked(guarded(both, chunk(*keys), of=of, rows=2_000))


@pytest.mark.parametrize(("stage", "sent", "waiting"), [(Stage.RELEASED, 2, 0), (Stage.PLAN, 0, 1)])
def test_what_is_released_is_sent_and_what_is_planned_never_is(stage: Stage, sent: int, waiting: int) -> None:
    both = Databases(district={("NORTH", "Person"): {"1": (ours(),), "2": (ours(),)}})
    for of in (HELD_FROM_1, CATALOG):
        plan = guarded(both, chunk("1", "2", stage=stage, announced=True), of=of)
        assert (len(plan.corrections), len(parked(plan))) == (sent, waiting)


def test_what_is_planned_stays_pending_while_a_database_is_away() -> None:
    """An end told of it would let its request be decided upon, and end, without it."""
    databases = Databases(away={("NORTH", "Person")})
    plan = guarded(databases, replace(chunk("1", "2"), stage=Stage.PLAN, announced=True))
    assert (plan.history, [(each.stage, each.announced) for each in plan.retries]) == ([], [(Stage.PLAN, True)])


def test_lineage_goes_upward() -> None:
    assert lineage("Sanction", CATALOG) == ["Sanction", "Behavior", "Enrollment", "Person"]
    assert lineage("Person", CATALOG) == ["Person"]


def test_a_slow_key_is_found_by_smaller_and_smaller_reads() -> None:
    target, limits = ("NORTH", "Person"), CATALOG.limits
    keys = [str(number) for number in range(500)]
    databases = Databases({target: {key: (ours(),) for key in keys}}, {target: {key: (theirs(),) for key in keys}})
    databases.slow_keys[target] = {"123"}
    waiting, done, reads = [replace(chunk(*keys), stage=Stage.RELEASED)], list[str](), 0
    for round_number in range(5):
        again, now = [], NOW + timedelta(seconds=10 * round_number)
        for each in waiting:
            plan = resync(observe([each], databases, CATALOG), CATALOG, now)
            reads += 1
            done += [o.key for o in outcomes(plan) if o.status is Status.IN_SYNC]
            again += plan.retries
        waiting = again
    assert sorted(done, key=int) == [key for key in keys if key != "123"]
    assert [[ask.key for ask in each.asks] for each in waiting] == [["123"]]
    assert reads == 1 + 10 + 10 + 5 + 1
    plan = resync(observe(waiting, databases, CATALOG), CATALOG, NOW + timedelta(seconds=limits.snapshot_deadline_s))
    assert [(o.status, o.reason) for o in outcomes(plan)] == [(Status.FAILED, Reason.SNAPSHOT_UNAVAILABLE)]
    assert not plan.retries


def test_what_took_too_long_together_is_read_apart_first() -> None:
    """The second time they are cut although others are read with them. What deletes is then planned, so counted."""
    databases = Databases(slow_keys={("NORTH", "Person"): {"1"}})
    together = [chunk("1", "2"), chunk("3", "4", chunk="1")]
    plan = resync(observe(together, databases, CATALOG), CATALOG, NOW)
    assert [len(each.asks) for each in plan.retries] == [2, 2]
    plan = resync(observe(plan.retries, databases, CATALOG), CATALOG, NOW)
    assert [len(each.asks) for each in plan.retries] == [1, 1, 1, 1]
    deleting = replace(chunk("1", "2"), on_state_only=OnStateOnly.DELETE)
    plan = resync(observe([deleting], databases, CATALOG), CATALOG, NOW)
    assert [(len(each.asks), each.stage) for each in plan.retries] == [(1, Stage.PLAN), (1, Stage.PLAN)]


def test_keys_that_were_deferred_and_then_planned_in_pieces_wait_for_the_guard_alone() -> None:
    """An outcome that tells of a database that was away would keep the request from ever being decided upon."""
    target = ("NORTH", "Person")
    keys = [str(number) for number in range(1, 131)]
    databases = Databases({target: {key: (ours(),) for key in keys}}, {target: {"130": (theirs(),)}})
    databases.slow_keys[target] = set(keys)
    asked = replace(chunk(*keys), report=Report.CHANGES)
    first = guarded(databases, asked, chunk("999", request_id="other"))
    assert {o.status for o in outcomes(first)} == {Status.DEFERRED}
    second = guarded(databases, *first.retries[:1])
    assert {each.stage for each in second.retries} == {Stage.PLAN}
    databases.slow_keys.clear()
    third = guarded(databases, *second.retries)
    last = {o.key: (o.status, o.reason) for plan in (first, second, third) for o in outcomes(plan) if o.key != "999"}
    assert last.pop("130") == (Status.IN_SYNC, None)
    assert set(last.values()) == {(Status.DEFERRED, Reason.MASS_CHANGE)}
    databases = Databases({target: {key: (ours(),) for key in keys}}, {target: {key: (theirs(),) for key in keys}})
    released = guarded(databases, *(replace(each, cause=Cause.SPLIT) for each in parked(third)))
    assert {o.key for o in outcomes(released)} == last.keys(), "none is only counted: its outcome would stay DEFERRED"


def test_a_family_that_comes_apart_is_planned_and_its_parts_add_up() -> None:
    """Each by itself would be within the guard, and sent."""
    family = (chunk("1"), chunk("2", object_name="Enrollment", chunk="0.Enrollment"))
    databases = Databases(line(), away={("NORTH", "Enrollment")})
    first = guarded(databases, *family)
    assert (first.corrections, [each.object for each in parked(first)]) == ([], ["Person"])
    assert [(each.object, each.stage, each.announced) for each in first.retries] == [("Enrollment", Stage.PLAN, True)]
    later = guarded(Databases(line()), *first.retries)
    assert (later.corrections, [each.object for each in parked(later)]) == ([], ["Enrollment"])
    ends = [r for plan in (first, later) for r in plan.history if isinstance(r, ChunkStatus) and r.planned is not None]
    assert sum(changes(each.planned or PlanCounts()) for each in ends) == 2
    verifying = [replace(each, mode=Mode.VERIFY) for each in family]
    assert [each.stage for each in guarded(databases, *verifying).retries] == [Stage.GUARDED]


def test_each_object_of_a_family_is_held_against_its_own_share() -> None:
    keys = [str(n) for n in range(1, 151)]
    below: dict[str, tuple[Row, ...]] = {key: (row(ENROLLMENT, personID="1"),) for key in keys}
    databases = Databases({("NORTH", "Enrollment"): below}, {("NORTH", "Person"): {"1": (theirs(),)}})
    family = (chunk("1"), chunk(*keys, object_name="Enrollment", chunk="0.Enrollment"))
    counted = {"Person": 100_000, "Enrollment": 200}

    def plan_of(chunks: tuple[Chunk, ...]) -> Plan:
        return resync(observe(chunks, databases, CATALOG), CATALOG, NOW, lambda _district, name: counted[name])

    assert plan_of(family).corrections == []
    counted["Enrollment"] = 1_000
    assert len(plan_of(family).corrections) == 150


@pytest.mark.parametrize("away", [set(), {("NORTH", "Enrollment")}, {("NORTH", "Person")}])
def test_no_beginning_of_what_is_told_of_a_family_looks_planned_to_its_end(away: set[Target]) -> None:
    """The store may read half of a transaction, and would decide upon half of the plan."""
    below = chunk("2", object_name="Enrollment", chunk="0.Enrollment")
    family = (chunk("1"), replace(below, asks=(Ask("2", None),)))
    plan = guarded(Databases(line(), away=away), *family)
    standing: dict[str, ChunkStatus] = {}
    decided_at = []
    for number, record in enumerate(plan.history, start=1):
        if isinstance(record, ChunkStatus):
            standing[record.chunk] = record
        is_planned = any(each.planned is not None for each in standing.values())
        if is_planned and all(each.state is ChunkState.DONE for each in standing.values()):
            decided_at.append(number)
    assert decided_at == ([] if away else [len(plan.history)])
