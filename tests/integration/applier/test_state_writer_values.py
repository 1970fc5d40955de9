"""What reaches the state's columns, whatever their types."""

import pytest

from processor.core.correction import Result
from processor.core.values import Values
from tests.integration.applier.world import World, create, delete, force, update

ALL: Values = {
    "lastName": 'O\'Brien \\ "x" 🎓 %s {} NULL',
    "firstName": "Ann",
    "nickname": "annie",
    "code": "ab",
    "ratio": "1.50",
    "rate": "0.1",
    "born": "2010-02-28",
    "seenAt": "2026-07-01T13:00:00.123456Z",
    "localAt": "2026-07-01T13:00:00.000000Z",
    "visits": "-7",
    "active": "true",
    "nationalID": "001",
}


def test_every_kind_is_stored_in_its_columns_type(world: World) -> None:
    assert world.results(create("Person", "7", ALL)) == [Result.APPLIED]

    (row,) = world.rows(
        "select district_id, person_id, last_name, code::text, ratio::text, rate, born::text, seen_at::text,"
        " local_at::text, visits, active, funding from person"
    )
    assert row == (
        "NORTH", 7, ALL["lastName"], "ab", "1.50", 0.1, "2010-02-28", "2026-07-01 13:00:00.123456+00",
        "2026-07-01 08:00:00", -7, True, "GEN",
    )  # fmt: skip


def test_what_was_written_reads_as_before(world: World) -> None:
    world.apply(create("Person", "7", ALL))

    assert world.results(update("Person", "7", ALL, {"ratio": "-0.01"})) == [Result.APPLIED]
    held = {**ALL, "ratio": "-0.01"}
    assert world.results(update("Person", "7", held, dict.fromkeys(list(ALL)[1:]))) == [Result.APPLIED]
    assert world.results(delete("Person", "7", {"lastName": ALL["lastName"]})) == [Result.APPLIED]
    assert world.rows("select person_id from person") == []


def test_an_update_names_only_the_columns_of_changed_fields(world: World) -> None:
    world.apply(create("Person", "7", ALL))
    world.edit(
        "create function forbid() returns trigger language plpgsql as $$ begin raise exception 'named'; end $$;"
        "create trigger unchanged before update of first_name, funding, born on person"
        " for each row execute function forbid();"
    )

    assert world.results(update("Person", "7", ALL, {"code": "xyz", "visits": "8"})) == [Result.APPLIED]


def test_force_writes_an_equal_row_again(world: World) -> None:
    world.apply(create("Person", "7", ALL))

    assert world.results(force("Person", "7", ALL)) == [Result.APPLIED]
    assert world.rows("select changes from person") == [(1,)]
    world.edit("update person set code = 'zzz'")
    assert world.results(force("Person", "7", ALL)) == [Result.CONFLICT]


def test_state_owned_fields_are_refused_even_if_named(world: World) -> None:
    world.apply(create("Person", "7", ALL))

    assert world.said(update("Person", "7", ALL, {"funding": "X"})) == (
        Result.REJECTED_BY_STATE,
        "not owned by the district: funding",
    )


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"nickname": "longer than 8"}, "nickname: too long for the state's column (22001)"),
        ({"code": "abcd"}, "code: too long for the state's column (22001)"),
        ({"visits": "3000000000"}, "visits: beyond what the state's column holds (22003)"),
        ({"ratio": "99999.00"}, "ratio: beyond what the state's column holds (22003)"),
        # One local time in Chicago with 07:30, which it would be read as.
        ({"localAt": "2026-11-01T06:30:00.000000Z"}, "localAt: a time that the state's column cannot hold (22008)"),
        ({"lastName": None}, "lastName: the state's column needs a value (23502)"),
        ({"lastName": "a\x00b"}, "lastName: a character that the state's database cannot hold (22021)"),
        ({"nickname": "nobody"}, "short_name_check"),
        ({"born": "1850-01-01"}, "person_born"),
        ({"nationalID": "taken"}, "person_national_id"),
        ({"lastName": "Banned"}, "refused by a rule of the state's database (P0001)"),
    ],
)
def test_a_refused_value_is_named_by_constraint_or_column_never_by_value(
    world: World, change: Values, detail: str
) -> None:
    other = {"lastName": "Other", "nationalID": "taken"}
    world.apply(create("Person", "1", other), create("Person", "7", ALL))

    wrong = update("Person", "7", ALL, change)
    fine = update("Person", "1", other, {"visits": "1"})
    before, after = world.apply(wrong, fine)

    if "(2200" in detail and world.connection.info.server_version < 160_000:
        detail = detail.partition(": ")[2]
    assert (before.result, before.detail) == (Result.REJECTED_BY_STATE, detail)
    assert after.result is Result.APPLIED
    assert world.rows("select last_name, visits from person where person_id = 7") == [(ALL["lastName"], -7)]


def test_an_hour_that_occurs_twice_reads_as_it_was_written(world: World) -> None:
    """Of the two moments that have one local time the column without a zone keeps the second."""
    times = {"seenAt": "2026-11-01T06:30:00.000000Z", "localAt": "2026-11-01T07:30:00.000000Z"}
    held = {**ALL, **times}
    assert world.results(create("Person", "7", held)) == [Result.APPLIED]

    assert world.rows("select seen_at::text, local_at::text from person") == [
        ("2026-11-01 06:30:00+00", "2026-11-01 01:30:00")
    ]
    assert world.results(update("Person", "7", held, {"visits": "8"})) == [Result.APPLIED]


def test_a_deferred_constraint_is_checked_where_it_can_still_be_answered(world: World) -> None:
    world.apply(create("Person", "7", ALL))
    wrong = create("Enrollment", "1", {"personID": "7", "schoolNumber": "S9"})
    fine = create("Enrollment", "2", {"personID": "7", "schoolNumber": "S1"})

    first, second = world.apply(wrong, fine)

    assert (first.result, first.detail) == (Result.REJECTED_BY_STATE, "enrollment_school")
    assert second.result is Result.APPLIED
    assert world.rows("select enrollment_id from enrollment") == [(2,)]


def test_a_key_beyond_the_columns_type_is_refused_alone(world: World) -> None:
    world.apply(create("Person", "7", ALL))
    first, second = world.apply(
        create("Enrollment", "3000000000", {"personID": "7"}), create("Enrollment", "2", {"personID": "7"})
    )

    assert (first.result, first.detail) == (Result.REJECTED_BY_STATE, "beyond what the state's column holds (22003)")
    assert second.result is Result.APPLIED


def test_a_value_that_became_unreadable_is_a_conflict(world: World) -> None:
    world.apply(create("Person", "7", ALL))
    world.edit("update person set born = 'infinity'")

    assert world.said(update("Person", "7", ALL, {"visits": "1"})) == (Result.CONFLICT, "born")
