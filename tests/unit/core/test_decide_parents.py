"""Parents at any depth: what is read, what is sent ahead, and what fails because an ancestor is nowhere."""

from collections.abc import Iterable
from typing import Any

import pytest

from processor.core.chunk import Ask, Cause
from processor.core.correction import Op, Parent
from processor.core.errors import Reason
from processor.core.history import Status
from processor.core.parents import parents_to_read
from processor.core.plan import Plan
from processor.core.request import Dependencies, Mode
from processor.core.snapshot import Row
from processor.core.values import DANGLING
from tests.unit.core.builders import (
    BEHAVIOR,
    CATALOG,
    ENROLLMENT,
    SANCTION,
    Place,
    World,
    chunk,
    only_outcome,
    ours,
    outcomes,
    row,
    statuses,
    theirs,
)

PARENTS = {"dependencies": Dependencies.PARENTS}
PERSON_1, ENROLLMENT_2, BEHAVIOR_3, SANCTION_4 = (
    ("Person", "1"),
    ("Enrollment", "2"),
    ("Behavior", "3"),
    ("Sanction", "4"),
)
LINE = (PERSON_1, ENROLLMENT_2, BEHAVIOR_3, SANCTION_4)
AT_DISTRICT: dict[Place, Row] = {
    PERSON_1: ours(),
    ENROLLMENT_2: row(ENROLLMENT, personID="1", grade="9"),
    BEHAVIOR_3: row(BEHAVIOR, enrollmentID="2", code="a"),
    SANCTION_4: row(SANCTION, behaviorID="3", days="1"),
}
AT_STATE = {**AT_DISTRICT, PERSON_1: theirs()}


def line(district: Iterable[Place], state: Iterable[Place]) -> World:
    """One sanction and its ancestors, as far as each side has them."""
    return World({place: (AT_DISTRICT[place],) for place in district}, {place: (AT_STATE[place],) for place in state})


def sanction(world: World, **asked: Any) -> Plan:
    return world.decide(chunk("4", object_name="Sanction", **asked))


def sent(plan: Plan) -> list[Place]:
    assert {c.op for c in plan.corrections} <= {Op.CREATE}
    return [(c.source.object, c.source.key) for c in plan.corrections]


@pytest.mark.parametrize("present", range(4))
def test_missing_ancestors_go_ahead_in_order_from_the_top(present: int) -> None:
    """As many levels from the top as `present` says are at the state already."""
    plan = sanction(line(LINE, LINE[:present]), **PARENTS)
    assert sent(plan) == list(LINE[present:])
    assert [(o.status, o.reason, o.asked_as) for o in outcomes(plan)] == [
        *[(Status.SENT, Reason.DEPENDENCY, None)] * (3 - present),
        (Status.SENT, None, "4"),
    ]


def test_a_correction_names_its_parent() -> None:
    plan = sanction(line(LINE, []), **PARENTS)
    assert [c.parent for c in plan.corrections] == [
        None,
        Parent("Person", "1"),
        Parent("Enrollment", "2"),
        Parent("Behavior", "3"),
    ]
    assert [o.parent for o in outcomes(plan)] == [c.parent for c in plan.corrections]


@pytest.mark.parametrize("missing", range(3))
def test_without_dependencies_a_parent_at_the_district_may_be_on_its_way(missing: int) -> None:
    plan = sanction(line(LINE, LINE[:missing]))
    assert sent(plan) == [SANCTION_4]


@pytest.mark.parametrize("asked", [{}, PARENTS])
def test_a_parent_that_is_nowhere_is_named(asked: dict[str, Any]) -> None:
    plan = sanction(line([SANCTION_4], []), **asked)
    outcome = only_outcome(plan)
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.PARENT_MISSING)
    assert (outcome.parent, outcome.detail) == (Parent("Behavior", "3"), "Behavior 3")
    assert not plan.corrections


def test_a_grandparent_that_is_nowhere_fails_the_whole_line_below_it() -> None:
    plan = sanction(line([ENROLLMENT_2, BEHAVIOR_3, SANCTION_4], []), **PARENTS)
    assert not plan.corrections
    assert [(o.object, o.status, o.reason, o.parent) for o in outcomes(plan)] == [
        ("Enrollment", Status.FAILED, Reason.PARENT_MISSING, Parent("Person", "1")),
        ("Behavior", Status.FAILED, Reason.PARENT_MISSING, Parent("Enrollment", "2")),
        ("Sanction", Status.FAILED, Reason.PARENT_MISSING, Parent("Behavior", "3")),
    ]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ((ours(birthDate="infinity"),), Reason.UNREPRESENTABLE),
        ((ours(gender="?"),), Reason.UNMAPPED_VALUE),
        ((ours(), ours()), Reason.DUPLICATE_KEY),
        ((ours(lastName="x" * 1_000_000),), Reason.UNREPRESENTABLE),
    ],
)
def test_an_ancestor_that_cannot_be_sent_has_its_own_outcome(broken: tuple[Row, ...], reason: Reason) -> None:
    world = line(LINE, [])
    world.district[PERSON_1] = broken
    plan = sanction(world, **PARENTS)
    assert not plan.corrections
    assert [(o.object, o.reason) for o in outcomes(plan)] == [
        ("Person", reason),
        ("Enrollment", Reason.PARENT_MISSING),
        ("Behavior", Reason.PARENT_MISSING),
        ("Sanction", Reason.PARENT_MISSING),
    ]


def test_ancestors_of_a_row_that_cannot_be_sent_stay_where_they_are() -> None:
    world = line(LINE, [])
    world.district[SANCTION_4] = (row(SANCTION, behaviorID="3", days="many"),)
    plan = sanction(world, **PARENTS)
    assert not plan.corrections
    assert only_outcome(plan).reason is Reason.UNREPRESENTABLE


def test_siblings_share_one_correction_of_their_ancestors() -> None:
    world = line(LINE, [])
    world.district["Sanction", "5"] = (row(SANCTION, behaviorID="3", days="2"),)
    world.district["Behavior", "6"] = (row(BEHAVIOR, enrollmentID="2", code="b"),)
    world.district["Sanction", "7"] = (row(SANCTION, behaviorID="6", days="3"),)
    plan = world.decide(chunk("7", "5", "4", object_name="Sanction", **PARENTS))
    places = sent(plan)
    assert len(places) == len(set(places)) == 7
    assert not world.apply(plan.corrections), "no correction comes before its parent"


def test_a_missing_ancestor_fails_all_siblings_with_one_outcome_of_its_own() -> None:
    world = line([ENROLLMENT_2, BEHAVIOR_3, SANCTION_4], [])
    world.district["Sanction", "5"] = (row(SANCTION, behaviorID="3", days="2"),)
    plan = world.decide(chunk("4", "5", object_name="Sanction", **PARENTS))
    assert [(o.object, o.key) for o in outcomes(plan)] == [ENROLLMENT_2, BEHAVIOR_3, SANCTION_4, ("Sanction", "5")]


@pytest.mark.parametrize(
    ("asked", "status", "sends"),
    [
        ({}, Status.SENT, [ENROLLMENT_2]),
        (PARENTS, Status.SENT, [("Person", "9"), ENROLLMENT_2]),
    ],
)
def test_an_update_to_another_parent_needs_that_parent(
    asked: dict[str, Any], status: Status, sends: list[Place]
) -> None:
    world = line(LINE, LINE)
    world.district[ENROLLMENT_2] = (row(ENROLLMENT, personID="9", grade="9"),)
    world.district["Person", "9"] = (ours(),)
    plan = world.decide(chunk("2", object_name="Enrollment", **asked))
    assert [(c.source.object, c.source.key) for c in plan.corrections] == sends
    assert statuses(plan)[ENROLLMENT_2] is status
    del world.district["Person", "9"]
    plan = world.decide(chunk("2", object_name="Enrollment", **asked))
    assert only_outcome(plan).parent == Parent("Person", "9")
    assert only_outcome(plan).reason is Reason.PARENT_MISSING


def test_a_reference_that_leads_nowhere_at_the_state_is_repaired() -> None:
    world = line(LINE, LINE)
    world.state[ENROLLMENT_2] = (row(ENROLLMENT, personID=DANGLING, grade="9"),)
    (correction,) = world.decide(chunk("2", object_name="Enrollment")).corrections
    assert correction.source.changed_fields == ("personID",)
    assert correction.parent == Parent("Person", "1")


def test_a_row_without_a_reference_needs_no_parent() -> None:
    world = line(LINE, [])
    world.district[ENROLLMENT_2] = (row(ENROLLMENT, grade="9"),)
    (correction,) = world.decide(chunk("2", object_name="Enrollment", **PARENTS)).corrections
    assert correction.parent is None


@pytest.mark.parametrize(
    ("asked", "state", "read"),
    [
        ({}, LINE, []),
        ({}, LINE[:3], [BEHAVIOR_3]),
        ({}, [], [BEHAVIOR_3]),
        (PARENTS, LINE[:3], [BEHAVIOR_3]),
        (PARENTS, LINE[:1], [BEHAVIOR_3, ENROLLMENT_2, PERSON_1]),
        (PARENTS, [], [BEHAVIOR_3, ENROLLMENT_2, PERSON_1]),
        ({"mode": Mode.VERIFY, **PARENTS}, [], []),
        ({"mode": Mode.FORCE, **PARENTS}, LINE, []),
    ],
)
def test_parents_are_read_only_where_a_decision_needs_them(
    asked: dict[str, Any], state: Iterable[Place], read: list[Place]
) -> None:
    wanted = chunk("4", object_name="Sanction", **asked)
    observed = line(LINE, state).observe(wanted).observed
    assert [(name, key) for name, keys in observed.items() for key in keys] == [SANCTION_4, *read]


def test_parents_are_asked_for_once_a_round() -> None:
    world = line(LINE, [])
    world.district["Sanction", "5"] = (row(SANCTION, behaviorID="3", days="2"),)
    wanted = chunk("4", "5", object_name="Sanction", **PARENTS)
    snapshot = line(LINE, []).observe()
    assert parents_to_read([wanted], CATALOG, snapshot) == {}, "nothing is known before the keys are read"
    observed = world.observe(wanted)
    assert parents_to_read([wanted, wanted], CATALOG, observed) == {}
    del observed.observed["Behavior"]["3"]
    assert parents_to_read([wanted, wanted], CATALOG, observed) == {"Behavior": ["3"]}


def test_a_dependency_compared_again_is_still_one() -> None:
    """Its parent is missing at that moment; the answer caused a comparison of the dependency itself."""
    asked = chunk(object_name="Enrollment", asks=(Ask("2", None),), attempt=2, cause=Cause.PARENT_MISSING, **PARENTS)
    plan = line(LINE, []).decide(asked)
    assert [(o.object, o.reason, o.attempt) for o in outcomes(plan)] == [
        ("Person", Reason.DEPENDENCY, 2),
        ("Enrollment", Reason.DEPENDENCY, 2),
    ]
