"""Rows that are as their corrections expect them are written without being read; all others are read and decided."""

from typing import Any, LiteralString

import pytest

from processor.adapters.postgres import state_writer_unread
from processor.adapters.postgres.named_sql import named_sql
from processor.adapters.postgres.state_writer_columns import Columns
from processor.adapters.postgres.state_writer_statements import Statements
from processor.adapters.postgres.state_writer_transaction import PostgresStateTransaction
from processor.core.correction import Correction, Op, Result
from processor.service.apply import apply_ready, ready
from processor.service.apply_decide import written_fields
from processor.service.apply_state import Effect, Found, Write
from tests.integration.applier.arrived import arrived
from tests.integration.applier.catalog import CATALOG
from tests.integration.applier.world import NOW, World, create, delete, update

A = {
    "lastName": 'A \\ "B", {c}',
    "firstName": "NULL",
    "code": "x",
    "ratio": "1.50",
    "rate": "0.1",
    "born": "1999-12-31",
    "seenAt": "2026-08-01T10:20:30.120000Z",
    "localAt": "2026-08-01T10:20:00.000000Z",
    "visits": "7",
    "active": "true",
}
B = {"lastName": "B", "nickname": "Bo"}


@pytest.fixture
def unreadable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads a row fails. No trigger may have changed one, else it would be looked at afterwards."""
    world.edit("drop trigger person_count on person")

    def read(*_: Any) -> None:
        raise AssertionError("a row was read")

    monkeypatch.setattr(PostgresStateTransaction, "_read", read)


@pytest.mark.usefixtures("unreadable")
def test_rows_as_expected_are_not_read(world: World) -> None:
    keys = [str(number) for number in range(1_200)]
    assert set(world.results(*(create("Person", key, A) for key in keys))) == {Result.APPLIED}
    assert set(world.results(*(update("Person", key, A, B, xmax=110) for key in keys))) == {Result.APPLIED}
    assert world.rows("select last_name, nickname, count(*) from person group by 1, 2") == [("B", "Bo", 1_200)]
    assert world.recorded("Person", "7") == (1, 110, 0)


@pytest.mark.usefixtures("unreadable")
def test_what_refers_to_a_record_is_created_unread(world: World) -> None:
    assert world.results(create("Person", "7", A), create("Enrollment", "1", {"personID": "7"})) == [Result.APPLIED] * 2


def one_that_is_not_as_expected(world: World) -> list[tuple[Correction, tuple[Result, str | None]]]:
    missing = update("Person", "100", A, B), (Result.CONFLICT, "missing")
    world.apply(create("Person", "101", {**A, "visits": "8"}))
    moved = update("Person", "101", A, B), (Result.CONFLICT, "visits")
    world.apply(create("Person", "102", {**A, **B}))
    equal = update("Person", "102", A, B), (Result.ALREADY_EQUAL, None)
    there = create("Person", "101", A), (Result.CONFLICT, "exists")
    world.apply(create("Person", "103", A, xmax=500))
    older = update("Person", "103", A, B, xmax=400), (Result.CONFLICT, "version")
    world.apply(create("Person", "104", A))
    refused = update("Person", "104", A, {"lastName": None}), (Result.REJECTED_BY_STATE, "lastName not null")
    nul = update("Person", "104", {**A, "lastName": "a\0b"}, B), (Result.CONFLICT, "lastName")
    dangling = create("Enrollment", "9", {"personID": "999"}), (Result.PARENT_MISSING, "personID")
    return [missing, moved, equal, there, older, refused, nul, dangling]


def test_what_is_not_as_expected_is_said_of_it_and_stops_no_other(world: World) -> None:
    for correction, said in one_that_is_not_as_expected(world):
        fine = create("Person", "7", A) if correction.source.object == "Person" else None
        answers = world.apply(*(each for each in (fine, correction) if each is not None))
        found = answers[-1].result, answers[-1].detail
        assert found[0] is said[0], correction.source.key
        if said[0] is not Result.REJECTED_BY_STATE:
            assert found == said
        if fine is not None:
            assert answers[0].result is Result.APPLIED
            world.apply(delete("Person", "7", A))


def test_a_key_that_two_rows_have_is_written_to_neither(world: World) -> None:
    """Both are as expected, so both were written, and that was undone."""
    key = "6a2f41a3-c54c-4f3b-9a4d-2d1d3a1b2c3d"
    world.apply(create("Person", "7", A), create("Note", key, {"personID": "7"}))
    world.edit("insert into note select * from note")
    assert world.said(update("Note", key, {"personID": "7"}, {"body": "x"})) == (Result.CONFLICT, "DUPLICATE")
    assert world.rows("select count(*) from note where body is not null") == [(0,)]
    assert world.recorded("Note", key) == (1, 100, 0)


def test_a_key_of_which_one_of_two_rows_is_as_expected_is_written_to_neither(world: World) -> None:
    key = "6a2f41a3-c54c-4f3b-9a4d-2d1d3a1b2c3d"
    world.apply(create("Person", "7", A), create("Note", key, {"personID": "7"}))
    world.edit("insert into note select district_id, note_id, person_id, 'another' from note")
    assert world.said(update("Note", key, {"personID": "7"}, {"body": "x"})) == (Result.CONFLICT, "DUPLICATE")
    assert world.rows("select count(*) from note where body = 'x'") == [(0,)]
    assert world.recorded("Note", key) == (1, 100, 0)


def test_texts_are_the_same_byte_by_byte(world: World) -> None:
    """To a collation that is not deterministic others are equal too; this server, which has no ICU, can have none."""
    kind = CATALOG.objects["Person"]
    statement = Statements(kind, CATALOG, Columns(world.connection)).update(kind.owned).decode()
    assert statement.count('::text collate "C"') == len(kind.owned)


@pytest.mark.parametrize("field", ["seenAt", "localAt"])
def test_a_time_that_the_states_zone_lacks_stops_nothing(world: World, field: str) -> None:
    """No processor of the same catalog sends it."""
    first = {field: "0001-01-01T00:00:00.000000Z"}
    refused = Result.REJECTED_BY_STATE, f"{field}: a time that the state's column cannot hold (22008)"
    assert world.said(create("Person", "7", {**A, **first})) == refused
    world.apply(create("Person", "7", A))
    assert world.said(update("Person", "7", A, first)) == refused
    assert world.said(update("Person", "7", {**A, **first}, B)) == (Result.CONFLICT, field)


def test_an_answer_is_kept_once(world: World) -> None:
    correction = create("Person", "7", A)
    assert world.results(correction, correction) == [Result.APPLIED] * 2
    assert world.results(correction) == [Result.APPLIED]
    kept = world.rows("select result, ctid::text from resync_applier.applied")
    assert kept == [("APPLIED", "(0,1)")], "no row was changed after it was written"


def test_what_was_made_before_the_transaction_is_what_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def made_of(*_: Any) -> None:
        raise AssertionError("made twice")

    world.apply(create("Person", "7", A))
    batch = ready([arrived(update("Person", "7", A, B, xmax=110)), arrived(create("Person", "8", A))], world.writer)
    monkeypatch.setattr(state_writer_unread, "made_of", made_of)
    assert [answer.result for answer in apply_ready(batch, world.writer, NOW)] == [Result.APPLIED] * 2
    assert world.rows("select nickname, changes from person order by person_id") == [("Bo", 1), (None, 0)]


def test_what_was_made_for_another_connection_is_made_anew(world: World) -> None:
    """A column may have another type by then."""
    world.apply(create("Person", "7", B))
    moved = update("Person", "7", B, {"seenAt": "2026-08-02T10:20:30.120000Z"}, xmax=110)
    batch = ready([arrived(moved)], world.writer)
    world.edit("alter table person alter seen_at type timestamp")
    world.writer.close()
    assert [answer.result for answer in apply_ready(batch, world.writer, NOW)] == [Result.APPLIED]
    assert world.rows("select seen_at::text from person") == [("2026-08-02 05:20:30.12",)]


def test_what_was_answered_before_is_found_though_nobody_looked(world: World) -> None:
    """Behind a batch of which nothing was known none is looked for; all that was done for it meanwhile is undone."""
    first, new = create("Person", "7", A), create("Person", "9", A)
    world.apply(first)
    world.apply(create("Person", "8", A))
    world.edit("update resync_applier.applied set detail = 'as before' where key = '7'")
    world.edit("delete from person")
    told = [(answer.result, answer.detail) for answer in world.apply(first, new)]
    assert told == [(Result.APPLIED, "as before"), (Result.APPLIED, None)]
    assert world.rows("select person_id::text from person") == [("9",)]
    assert world.said(new) == (Result.APPLIED, None)


@pytest.mark.parametrize(
    ("made", "is_unique"),
    [
        ("create unique index on person (district_id, person_id)", True),
        ("create unique index on person (person_id) include (last_name)", True),
        ("create unique index on person (person_id, last_name)", False),
        ("create unique index on person (person_id) where last_name <> ''", False),
        ("create unique index on person ((person_id + 1))", False),
        ("create index on person (person_id)", False),
    ],
)
def test_whether_a_key_may_have_two_rows(world: World, made: LiteralString, *, is_unique: bool) -> None:
    world.edit("alter table person drop constraint person_key")
    world.edit(made)
    assert has_unique_key(world) is is_unique


def test_a_table_that_others_inherit_from_may_have_two_rows_of_a_key(world: World) -> None:
    assert has_unique_key(world)
    world.edit("create table heir () inherits (person)")
    assert not has_unique_key(world)


def has_unique_key(world: World) -> bool:
    asked = {"table": "person", "key": ["district_id", "person_id"]}
    ((_, is_unique),) = world.connection.execute(named_sql("applier.sql")["table_facts"], asked)
    return bool(is_unique)


def test_a_row_that_a_trigger_keeps_out_is_not_told_as_applied(world: World) -> None:
    world.edit(
        "create function keep_out() returns trigger language plpgsql as"
        " $$ begin return case when new.last_name = 'Out' then null else new end; end $$"
    )
    world.edit("create trigger keep_out before insert on person for each row execute function keep_out()")
    told = world.results(create("Person", "7", A), create("Person", "8", {**A, "lastName": "Out"}))
    assert told == [Result.APPLIED, Result.CONFLICT]
    assert world.rows("select person_id from person") == [(7,)]
    assert world.recorded("Person", "8") is None


@pytest.mark.parametrize("is_recorded", [True, False])
@pytest.mark.parametrize("op", [Op.UPDATE, Op.DELETE])
def test_a_key_that_has_two_rows_since_it_was_read_is_written_to_neither(
    world: World, op: Op, *, is_recorded: bool
) -> None:
    key, held, kind = "6a2f41a3-c54c-4f3b-9a4d-2d1d3a1b2c3d", {"personID": "7"}, CATALOG.objects["Note"]
    world.apply(create("Person", "7", A), create("Note", key, held))
    if not is_recorded:
        world.edit("delete from resync_applier.versions where object = 'Note'")
    wanted = update("Note", key, held, {"body": "x"}) if op is Op.UPDATE else delete("Note", key, held)
    with world.writer.transaction({"NORTH"}) as transaction:
        (found,) = transaction.read(kind, [wanted])
        assert isinstance(found, Found)
        world.edit("insert into note select * from note")
        write = Write(wanted, written_fields(kind, wanted), found.rows[0])
        effects = transaction.update(kind, [write]) if op is Op.UPDATE else transaction.delete(kind, [write])
    assert effects == [Effect.MISSED]
    assert world.rows("select count(*) from note where body is null") == [(2,)]
    assert world.recorded("Note", key) == ((1, 100, 0) if is_recorded else None)
