"""Tables, columns, types, rights and indexes of a side."""

from dataclasses import replace
from typing import Any

import pytest

from processor.core.catalog import Crosswalk, KeyType, Kind, ObjectType, Owner, Rule
from processor.service.doctor.facts import Column, Index
from processor.service.doctor.findings import Check, Finding, Level
from processor.service.doctor.sql_names import quoted
from processor.service.doctor.tables import judge_tables
from processor.service.doctor.wanted import WantedTable, district_tables, state_tables
from tests.unit.core.builders import CATALOG, PERSON, catalog, object_type, spec
from tests.unit.service.doctor.seen import column, database, only, table, tables

ERROR, WARNING = Level.ERROR, Level.WARNING
NAME = "Person"
STATE = state_tables(catalog(PERSON), is_written=True)


def judged(wanted: list[WantedTable], **changes: Any) -> list[Finding]:
    """With one table that differs from what is wanted."""
    facts = database(wanted, tables={**tables(wanted), NAME: table(wanted, **changes)})
    return list(judge_tables("state", facts, wanted))


def with_column(name: str, found: Column | None, wanted: list[WantedTable] = STATE) -> list[Finding]:
    columns = {**table(wanted).columns, name: found}
    return judged(wanted, columns={one: known for one, known in columns.items() if known is not None})


def one_field(kind: Kind, **more: Any) -> list[WantedTable]:
    """The state's table of an object of one field."""
    return state_tables(catalog(object_type(NAME, [spec("value", kind, **more)])), is_written=True)


def as_type(kind: Kind, base: str, declared: str | None = None, **more: Any) -> list[Finding]:
    return with_column("value", column(base, declared=declared or base), one_field(kind, **more))


def test_what_is_well_is_left_at_peace() -> None:
    wanted = state_tables(CATALOG, is_written=True)
    assert list(judge_tables("state", database(wanted), wanted)) == []
    ours = district_tables(CATALOG)
    assert list(judge_tables("NORTH", database(ours), ours)) == []


def test_a_missing_table() -> None:
    facts = database(STATE, tables={NAME: None})
    found = only(judge_tables("state", facts, STATE))
    assert (found.level, found.check) == (ERROR, Check.COLUMNS)
    assert "there is no table Person" in found.what


@pytest.mark.parametrize(
    ("usable", "mend"),
    [
        (True, 'ALTER ROLE reader_of_all SET search_path = "sis", public;'),
        (False, 'GRANT USAGE ON SCHEMA "sis" TO reader_of_all;'),
    ],
)
def test_a_table_that_its_name_does_not_find(usable: bool, mend: str) -> None:  # noqa: FBT001
    found = only(judged(STATE, is_in_path=False, may_use_schema=usable, schema="sis"))
    assert (found.check, found.command) == (Check.COLUMNS, mend)


def test_a_schema_that_may_not_be_used() -> None:
    found = only(judged(STATE, may_use_schema=False, schema="its_own"))
    assert (found.check, found.command) == (Check.RIGHTS, "GRANT USAGE ON SCHEMA its_own TO reader_of_all;")


def test_a_missing_column_is_named_with_its_place_and_the_nearest_name() -> None:
    columns = {("lastname" if name == "lastName" else name): one for name, one in table(STATE).columns.items()}
    found = only(judged(STATE, columns=columns))
    assert found.what == "person has no column lastName (is it lastname?)"
    assert "objects.Person.fields.lastName.state" in found.advice


def test_fields_of_one_side_alone_are_not_looked_for() -> None:
    assert not any(one.name == "loadedAt" for one in STATE[0].columns)


def test_rights_that_are_lacking_are_granted_at_once() -> None:
    columns = {name: replace(one, rights=frozenset({"SELECT"})) for name, one in table(STATE).columns.items()}
    found = only(judged(STATE, columns=columns))
    assert (found.level, found.check) == (ERROR, Check.RIGHTS)
    assert found.command == "GRANT INSERT, UPDATE ON person TO reader_of_all;"


def test_deleting_wants_a_right_of_its_own_where_it_is_allowed() -> None:
    assert judged(STATE, rights=frozenset()) == []
    wanted = state_tables(catalog(PERSON, allow_delete=True), is_written=True)
    assert only(judged(wanted, rights=frozenset())).command == "GRANT DELETE ON person TO reader_of_all;"


def test_a_side_that_is_only_read_wants_no_more() -> None:
    wanted = state_tables(catalog(PERSON, allow_delete=True), is_written=False)
    columns = {name: replace(one, rights=frozenset({"SELECT"})) for name, one in table(wanted).columns.items()}
    assert judged(wanted, columns=columns, rights=frozenset({"SELECT"})) == []


def test_a_sequence_behind_a_default() -> None:
    assert only(judged(STATE, locked_sequences=("person_seq",))).command == (
        "GRANT USAGE ON SEQUENCE person_seq TO reader_of_all;"
    )


def test_row_security_hides_rows() -> None:
    found = only(judged(STATE, row_security=True))
    assert (found.level, found.check) == (WARNING, Check.RIGHTS)


@pytest.mark.parametrize(
    ("indexes", "level", "says"),
    [
        ([], ERROR, "has no index that begins with"),
        ([Index(("id",), is_unique=True)], ERROR, "has no index"),
        ([Index(("district_id", "other", "id"), is_unique=True)], ERROR, "has no index"),
        ([Index(("district_id", None), is_unique=True)], ERROR, "has no index"),
        ([Index(("district_id", "id"), is_unique=True, is_whole=False)], ERROR, "no whole and valid index"),
        ([Index(("district_id", "id"), is_unique=False)], WARNING, "unique in person"),
        ([Index(("district_id", "id", "year"), is_unique=True)], WARNING, "unique in person"),
    ],
)
def test_indexes(indexes: list[Index], level: Level, says: str) -> None:
    found = only(judged(STATE, indexes=indexes))
    assert (found.level, found.check) == (level, Check.INDEXES)
    assert says in found.what
    unique = "UNIQUE " if level is WARNING else ""
    assert found.command == f'CREATE {unique}INDEX CONCURRENTLY ON person (district_id, "id");'


@pytest.mark.parametrize(
    "indexes",
    [
        [Index(("id", "district_id"), is_unique=True)],
        [Index(("district_id", "id", "year"), is_unique=False), Index(("district_id", "id"), is_unique=True)],
    ],
)
def test_an_index_serves_in_any_order(indexes: list[Index]) -> None:
    assert judged(STATE, indexes=indexes) == []


def test_a_view_has_no_indexes() -> None:
    assert judged(STATE, indexes=[], has_indexes=False) == []


def test_a_parents_reference_without_an_index_is_a_warning() -> None:
    wanted = [one for one in district_tables(CATALOG) if one.name == "Behavior"]
    keyed = [index for index in table(wanted).indexes if "enrollmentID" not in index.columns]
    facts = database(wanted, tables={"Behavior": table(wanted, indexes=keyed)})
    found = only(judge_tables("NORTH", facts, wanted))
    assert (found.level, found.command) == (WARNING, 'CREATE INDEX CONCURRENTLY ON behavior ("enrollmentID");')


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (Kind.STRING, "bytea"),
        (Kind.STRING, "text[]"),
        (Kind.LONG, "boolean"),
        (Kind.BOOLEAN, "date"),
        (Kind.DOUBLE, "boolean"),
        (Kind.DATE, "timestamp with time zone"),
        (Kind.DATE, "integer"),
        (Kind.TIMESTAMP, "time without time zone"),
        (Kind.DECIMAL, "money"),
    ],
)
def test_types_that_are_not_read(kind: Kind, base: str) -> None:
    found = only(as_type(kind, base, precision=6, scale=2))
    assert (found.level, found.check) == (ERROR, Check.TYPES)
    assert "UNREPRESENTABLE" in found.what
    assert str(found.command).startswith('ALTER TABLE person ALTER COLUMN "value" TYPE ')


@pytest.mark.parametrize(
    ("kind", "base", "declared"),
    [
        (Kind.STRING, "integer", None),
        (Kind.STRING, "character", "character(3)"),
        (Kind.LONG, "numeric", None),
        (Kind.BOOLEAN, "character", "character(1)"),
        (Kind.BOOLEAN, "smallint", None),
        (Kind.DATE, "timestamp without time zone", None),
        (Kind.TIMESTAMP, "timestamp without time zone", None),
        (Kind.DECIMAL, "numeric", "numeric(6,2)"),
        (Kind.DECIMAL, "numeric", None),
    ],
)
def test_types_that_are_read(kind: Kind, base: str, declared: str | None) -> None:
    assert as_type(kind, base, declared, precision=6, scale=2) == []


@pytest.mark.parametrize(
    ("kind", "base", "declared"),
    [
        (Kind.TIMESTAMP, "timestamp with time zone", "timestamp(3) with time zone"),
        (Kind.TIMESTAMP, "date", None),
        (Kind.DOUBLE, "real", None),
        (Kind.DECIMAL, "numeric", "numeric(6,1)"),
        (Kind.DECIMAL, "numeric", "numeric(6)"),
        (Kind.DECIMAL, "integer", None),
    ],
)
def test_columns_that_keep_less_than_is_written(kind: Kind, base: str, declared: str | None) -> None:
    assert "keeps less" in only(as_type(kind, base, declared, precision=6, scale=2)).what


def test_what_the_state_owns_is_never_written_so_it_may_keep_less() -> None:
    assert as_type(Kind.DOUBLE, "real", owner=Owner.STATE) == []


def test_a_crosswalk_translates_texts() -> None:
    assert as_type(Kind.LONG, "boolean", crosswalk=Crosswalk("yes", {})) == []


def test_floats_for_decimals() -> None:
    assert only(as_type(Kind.DECIMAL, "double precision", precision=6, scale=2)).level is WARNING
    assert as_type(Kind.DECIMAL, "double precision", precision=6, scale=2, rules=frozenset({Rule.SCALE})) == []


@pytest.mark.parametrize(
    ("key_type", "base", "is_well"),
    [
        (KeyType.INTEGER, "integer", True),
        (KeyType.INTEGER, "text", False),
        (KeyType.TEXT, "character varying", True),
        (KeyType.TEXT, "character", True),
        (KeyType.TEXT, "bigint", False),
        (KeyType.UUID, "uuid", True),
        (KeyType.UUID, "text", False),
    ],
)
def test_types_of_keys(key_type: KeyType, base: str, is_well: bool) -> None:  # noqa: FBT001
    kind: ObjectType = object_type(NAME, [spec("value")], key_type=key_type)
    found = with_column("id", column(base), state_tables(catalog(kind), is_written=True))
    assert found == [] if is_well else only(found).check is Check.TYPES


def test_columns_that_the_database_writes() -> None:
    found = only(with_column("lastName", column("text", is_written_by_database=True)))
    assert "written by the database itself" in found.what


def test_columns_that_nobody_fills() -> None:
    found = only(with_column("approved_by", column("text", not_null=True)))
    assert found.command == "ALTER TABLE person ALTER COLUMN approved_by DROP NOT NULL;"
    for well in ({"has_default": True}, {"is_written_by_database": True}, {"not_null": False}):
        assert with_column("approved_by", column("text", **{"not_null": True, **well})) == []


def test_a_clock_of_another_zone_behind_a_default() -> None:
    ours = [one for one in district_tables(CATALOG) if one.name == NAME]
    local = column("timestamp without time zone", defaults_to_now=True)
    assert with_column("modifiedAt", local, ours) == []
    facts = database(ours, timezone="Asia/Tokyo")
    facts = replace(facts, tables={NAME: table(ours, columns={**table(ours).columns, "modifiedAt": local})})
    found = only(judge_tables("NORTH", facts, ours))
    assert (found.check, found.level) == (Check.TIMEZONES, ERROR)
    assert found.command == "ALTER DATABASE \"agency\" SET TimeZone = 'America/Chicago';"
    assert "objects.Person.district" in found.advice
    assert list(judge_tables("NORTH", replace(facts, timezone="US/Central"), ours)) == []


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("state_person", "state_person"),
        ("user", '"user"'),
        ("current_user", '"current_user"'),
        ("Person", '"Person"'),
        ('a"b', '"a""b"'),
        ("9_lives", '"9_lives"'),
    ],
)
def test_names_as_sql_takes_them(name: str, sql: str) -> None:
    assert quoted(name) == sql
