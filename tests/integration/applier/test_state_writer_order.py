"""P4: no child before its parent, no parent deleted before its children, whatever order a batch came in."""

from itertools import permutations

import pytest

from processor.core.correction import Correction, Result
from tests.integration.applier.world import World, create, delete, update

PERSON = {"lastName": "Diaz"}
FAMILY = (
    create("Person", "7", PERSON),
    create("Person", "8", PERSON),
    create("Enrollment", "1", {"personID": "7", "mentorID": "8"}),
    create("Behavior", "b", {"enrollmentID": "1"}),
)


@pytest.mark.parametrize("batch", list(permutations(FAMILY)), ids=lambda batch: "-".join(c.source.key for c in batch))
def test_a_family_is_created_in_any_order(world: World, batch: tuple[Correction, ...]) -> None:
    assert world.results(*batch) == [Result.APPLIED] * 4
    assert world.rows(
        "select p.person_id, m.person_id from enrollment e join person p on p.state_id = e.state_person_id"
        " join person m on m.state_id = e.mentor_id"
    ) == [(7, 8)]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_family_is_deleted_in_any_order(world: World, turn: int) -> None:
    world.apply(*FAMILY)
    batch = [
        delete("Person", "7", PERSON),
        delete("Enrollment", "1", {"personID": "7", "mentorID": "8"}),
        delete("Behavior", "b", {"enrollmentID": "1"}),
    ][::turn]

    assert world.results(*batch) == [Result.APPLIED] * 3
    assert world.rows("select person_id from person") == [(8,)]
    assert world.rows("select person_id, what from audit") == [(7, "deleted")]


def test_turns_of_one_key_keep_their_order(world: World) -> None:
    batch = [
        create("Person", "7", PERSON),
        update("Person", "7", PERSON, {"visits": "1"}),
        create("Enrollment", "1", {"personID": "7"}),
        delete("Enrollment", "1", {"personID": "7"}),
        delete("Person", "7", {**PERSON, "visits": "1"}),
        create("Person", "7", {"lastName": "Again"}),
        create("Enrollment", "1", {"personID": "7", "grade": "5"}),
    ]
    assert world.results(*batch) == [Result.APPLIED] * len(batch)
    assert world.rows("select last_name, grade from person join enrollment on state_person_id = person.state_id") == [
        ("Again", "5")
    ]


def test_what_is_deleted_makes_room_for_what_is_unique(world: World) -> None:
    world.apply(create("Person", "9", {**PERSON, "nationalID": "1"}))

    batch = [delete("Person", "9", {**PERSON, "nationalID": "1"}), create("Person", "7", {**PERSON, "nationalID": "1"})]

    assert world.results(*batch) == [Result.APPLIED] * 2


def test_a_child_moved_away_in_the_same_batch_does_not_hold_its_parent(world: World) -> None:
    world.apply(create("Person", "7", PERSON), create("Enrollment", "1", {"personID": "7"}))

    batch = [
        delete("Person", "7", PERSON),
        update("Enrollment", "1", {"personID": "7"}, {"personID": "8"}),
        create("Person", "8", PERSON),
    ]
    assert world.results(*batch) == [Result.APPLIED] * 3


def test_parent_missing_is_said_of_the_child_alone(world: World) -> None:
    batch = [
        create("Enrollment", "1", {"personID": "7"}),
        create("Enrollment", "2", {"personID": "8"}),
        create("Behavior", "b", {"enrollmentID": "1"}),
        create("Person", "8", PERSON),
    ]
    answers = world.apply(*batch)

    assert [(a.result, a.detail) for a in answers] == [
        (Result.PARENT_MISSING, "personID"),
        (Result.APPLIED, None),
        (Result.PARENT_MISSING, "enrollmentID"),
        (Result.APPLIED, None),
    ]


def test_a_parent_of_another_district_is_no_parent(world: World) -> None:
    world.apply(create("Person", "7", PERSON, district="RIVER"))

    assert world.said(create("Enrollment", "1", {"personID": "7"})) == (Result.PARENT_MISSING, "personID")


def test_a_parent_that_no_constraint_asks_for_is_asked_for(world: World) -> None:
    note = create("Note", "6a2f41a3-c54c-4f3b-9a4d-2d1d3a1b2c3d", {"personID": "7"})

    assert world.said(note) == (Result.PARENT_MISSING, "personID")


def test_another_reference_that_leads_nowhere_names_its_field(world: World) -> None:
    world.apply(create("Person", "7", PERSON))

    child = create("Enrollment", "1", {"personID": "7", "mentorID": "8"})

    assert world.said(child) == (Result.REJECTED_BY_STATE, "lookup mentorID")


def test_a_parent_with_children_stays_though_the_state_would_cascade(world: World) -> None:
    world.apply(*FAMILY)

    assert world.said(delete("Enrollment", "1", {"personID": "7", "mentorID": "8"})) == (
        Result.HAS_CHILDREN,
        "Behavior",
    )
    assert world.said(delete("Person", "7", PERSON)) == (Result.HAS_CHILDREN, "Enrollment")
    assert world.rows("select behavior_id from behavior") == [("b",)]


def test_children_that_the_catalog_does_not_know_are_named_by_constraint(world: World) -> None:
    world.apply(create("Person", "7", PERSON))
    world.edit(
        "create table badge (person bigint constraint badge_person references person);"
        "insert into badge select state_id from person"
    )
    assert world.said(delete("Person", "7", PERSON)) == (Result.HAS_CHILDREN, "badge_person")


def test_a_dangling_reference_is_seen_as_such(world: World) -> None:
    world.apply(create("Person", "7", PERSON), create("Enrollment", "1", {"personID": "7"}))
    world.edit("update enrollment set mentor_id = 4711")

    kept = update("Enrollment", "1", {"personID": "7"}, {"grade": "5"})
    mended = update("Enrollment", "1", {"personID": "7", "grade": "5"}, {"mentorID": "7"})

    assert world.results(kept, mended) == [Result.APPLIED] * 2
    assert world.rows("select count(*) from enrollment where mentor_id = state_person_id") == [(1,)]
