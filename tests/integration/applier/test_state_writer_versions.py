"""P2: a correction never makes the state older, and never overwrites what somebody else wrote."""

import pytest

from processor.core.correction import Result
from processor.core.snapshot import DistrictVersion
from processor.service.apply_state import Effect, StateRow, Write
from tests.applying import apply
from tests.integration.applier.catalog import PERSON
from tests.integration.applier.world import NOW, World, complete, create, delete, update, version, with_source

A = {"lastName": "A"}
B = {"lastName": "B"}
C = {"lastName": "C"}


def test_aba_an_older_correction_whose_before_is_there_again(world: World) -> None:
    world.apply(create("Person", "7", A, xmax=100))
    older = update("Person", "7", A, B, xmax=110)
    world.apply(update("Person", "7", A, C, xmax=120), update("Person", "7", C, A, xmax=130))

    assert world.said(older) == (Result.CONFLICT, "version")
    assert world.rows("select last_name from person") == [("A",)]
    assert world.recorded("Person", "7") == (1, 130, 0)


def test_ghost_an_older_create_after_a_newer_delete(world: World) -> None:
    older = create("Person", "7", A, xmax=110)
    world.apply(create("Person", "7", A, xmax=100), delete("Person", "7", A, xmax=120))

    assert world.said(older) == (Result.CONFLICT, "version")
    assert world.rows("select person_id from person") == []
    assert world.results(create("Person", "7", B, xmax=130)) == [Result.APPLIED]


def test_an_older_delete_does_not_remove_a_newer_row(world: World) -> None:
    world.apply(create("Person", "7", A, xmax=120))

    assert world.said(delete("Person", "7", A, xmax=110)) == (Result.CONFLICT, "version")


def test_equal_versions_may_follow_each_other(world: World) -> None:
    assert world.results(create("Person", "7", A), update("Person", "7", A, B)) == [Result.APPLIED] * 2


@pytest.mark.parametrize(
    ("recorded", "coming", "newer"),
    [
        (version(100, 3), version(100, 2), True),
        (version(100, 2), version(100, 3), False),
        (version(100), version(5, epoch=2), True),
        (version(5, epoch=2), version(100), False),
        (version(2**62), version(2**62 + 1), True),
    ],
)
def test_versions_are_ordered_by_epoch_then_snapshot(
    world: World, recorded: DistrictVersion, coming: DistrictVersion, *, newer: bool
) -> None:
    first = with_source(create("Person", "7", A), district_version=recorded)
    second = with_source(update("Person", "7", A, B), district_version=coming)

    assert world.results(first, second) == [Result.APPLIED, Result.APPLIED if newer else Result.CONFLICT]


def test_already_equal_records_its_version(world: World) -> None:
    world.apply(create("Person", "7", A, xmax=100))
    world.edit("update person set last_name = 'C'")
    assert world.results(update("Person", "7", A, C, xmax=130)) == [Result.ALREADY_EQUAL]
    assert world.recorded("Person", "7") == (1, 130, 0)

    world.edit("update person set last_name = 'A'")
    assert world.said(update("Person", "7", A, B, xmax=120)) == (Result.CONFLICT, "version")


def test_already_equal_never_lowers_the_recorded_version(world: World) -> None:
    world.apply(create("Person", "7", B, xmax=130))

    assert world.results(update("Person", "7", A, B, xmax=100)) == [Result.ALREADY_EQUAL]
    assert world.recorded("Person", "7") == (1, 130, 0)


def test_a_delete_of_what_is_gone_keeps_older_creates_out(world: World) -> None:
    assert world.results(delete("Person", "7", A, xmax=120)) == [Result.ALREADY_EQUAL]
    assert world.said(create("Person", "7", A, xmax=110)) == (Result.CONFLICT, "version")


def test_a_conflict_records_nothing_and_writes_nothing(world: World) -> None:
    world.apply(create("Person", "7", {**A, "firstName": "Ann"}, xmax=100))
    world.edit("update person set first_name = 'Eve'")

    clash = update("Person", "7", {**A, "firstName": "Ann"}, {"lastName": "B"}, xmax=120)

    assert world.said(clash) == (Result.CONFLICT, "firstName")
    assert world.recorded("Person", "7") == (1, 100, 0)
    assert world.rows("select last_name, changes from person") == [("A", 1)]


def test_a_row_that_is_missing_or_there_is_a_conflict(world: World) -> None:
    assert world.said(update("Person", "7", A, B)) == (Result.CONFLICT, "missing")
    world.apply(create("Person", "7", A))
    assert world.said(create("Person", "7", B)) == (Result.CONFLICT, "exists")
    assert world.said(create("Person", "7", A)) == (Result.ALREADY_EQUAL, None)
    assert world.said(delete("Person", "7", B)) == (Result.CONFLICT, "lastName")


def test_equal_under_the_fields_rules_is_equal(world: World) -> None:
    world.apply(create("Person", "7", {**A, "firstName": "ANN"}))

    assert world.results(create("Person", "7", {**A, "firstName": "ann"})) == [Result.ALREADY_EQUAL]


def test_a_key_that_two_rows_have_is_not_touched(world: World) -> None:
    key = "6a2f41a3-c54c-4f3b-9a4d-2d1d3a1b2c3d"
    world.apply(create("Person", "7", A), create("Note", key, {"personID": "7"}))
    world.edit("insert into note select * from note")

    for correction in (
        update("Note", key, {"personID": "7"}, {"body": "x"}),
        delete("Note", key, {"personID": "7"}),
        create("Note", key, {"personID": "7"}),
    ):
        assert world.said(correction) == (Result.CONFLICT, "DUPLICATE")
    assert world.rows("select count(*), count(body) from note") == [(2, 0)]


def test_the_same_key_of_another_district_is_another_record(world: World) -> None:
    assert world.results(create("Person", "7", A, xmax=200), create("Person", "7", B, xmax=100, district="RIVER")) == [
        Result.APPLIED,
        Result.APPLIED,
    ]
    assert world.results(update("Person", "7", B, C, xmax=101, district="RIVER")) == [Result.APPLIED]
    assert world.rows("select district_id, last_name from person order by 1") == [("NORTH", "A"), ("RIVER", "C")]


def test_answers_are_kept_and_given_again(world: World) -> None:
    first = create("Person", "7", A)
    clash = update("Person", "7", B, C)
    answers = world.apply(first, clash)
    world.edit("delete from person")

    again = apply([clash, first, first], world.another_writer(), NOW.replace(hour=18))

    assert again == [answers[1], answers[0], answers[0]]
    assert world.rows("select person_id from person") == []


def test_a_request_repeated_long_after_is_not_answered_from_memory(world: World) -> None:
    first = create("Person", "7", A)
    world.apply(first)
    world.edit("delete from person")
    repeated = with_source(create("Person", "7", A, xmax=120), correction_id=first.source.correction_id)

    assert world.results(repeated) == [Result.APPLIED]
    assert world.rows("select person_id from person") == [(7,)]


def test_the_compare_stands_in_the_write_itself(world: World) -> None:
    """What was read and decided may be wrong by the time of writing: each statement looks for itself."""
    world.apply(create("Person", "7", A, xmax=120))
    held = complete("Person", A)
    as_read = StateRow(tuple(held.values()), held)
    stale = StateRow(("C", *as_read.raw[1:]), held)
    name = PERSON.owned[:1]
    older, newer = update("Person", "7", A, B, xmax=110), update("Person", "7", A, B, xmax=130)
    new = create("Person", "7", B, xmax=130)

    with world.writer.transaction({"NORTH"}) as transaction:
        assert transaction.update(PERSON, [Write(older, name, as_read)]) == [Effect.MISSED]
        assert transaction.update(PERSON, [Write(newer, name, stale)]) == [Effect.MISSED]
        assert transaction.delete(PERSON, [Write(older, (), as_read)]) == [Effect.MISSED]
        assert transaction.delete(PERSON, [Write(newer, (), stale)]) == [Effect.MISSED]
        assert transaction.create(PERSON, [Write(new, PERSON.owned, None)]) == [Effect.MISSED]
        assert world.recorded("Person", "7") == (1, 120, 0)
        assert transaction.update(PERSON, [Write(newer, name, as_read)]) == [Effect.WRITTEN]
    assert world.recorded("Person", "7") == (1, 130, 0)
    assert world.rows("select last_name, changes from person") == [("B", 1)]


def test_keys_stand_first_in_the_index_of_versions(world: World) -> None:
    """Districts and objects are few: each comparison on the way to a key would look at both before it (ADR 0054)."""
    asked = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'versions_key'"
    assert world.rows(asked) == [("PRIMARY KEY (key, district_id, object)",)]


def test_a_table_of_a_former_release_keeps_its_order(world: World) -> None:
    world.edit(
        "alter table resync_applier.versions drop constraint versions_key, "
        "add constraint versions_key primary key (district_id, object, key)"
    )

    assert world.results(create("Person", "7", A), update("Person", "7", A, B)) == [Result.APPLIED] * 2
    assert world.results(update("Person", "7", A, B, xmax=150)) == [Result.ALREADY_EQUAL]
    assert world.recorded("Person", "7") == (1, 150, 0)
