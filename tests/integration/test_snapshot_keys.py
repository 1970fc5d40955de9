"""Keys as both sides' columns and encodings take them: on databases of many kinds."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from time import monotonic
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.database import Database, ReaderOptions
from processor.adapters.postgres.snapshot_sql import (
    district_statement,
    packed_district_statement,
    packed_state_statement,
    state_statement,
)
from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.adapters.postgres.state_writer import PostgresStateWriter
from processor.adapters.postgres.state_writer_columns import Columns
from processor.adapters.postgres.state_writer_statements import Statements
from processor.core.catalog import (
    Catalog,
    District,
    FieldSpec,
    KeyType,
    Kind,
    Limits,
    ObjectType,
    Owner,
    ParentRef,
    Table,
)
from processor.core.digest import LEAST_KEYS
from processor.core.errors import Reason
from processor.service.ports import BothSides, SnapshotImpossible, SnapshotUnavailable

NewDatabase: TypeAlias = Callable[[str], str]

OPTIONS = ReaderOptions("resync/keys/0", statement_timeout_s=5.0, connect_timeout_s=5)
UTC = ZoneInfo("UTC")
TABLES = """
    create table item (district_id text, id {type}, label text, primary key (district_id, id));
    create table part (district_id text, id text, item_id {type}, primary key (district_id, id))
"""
TARGET = ("D", "Item")
VIEW = """
    update item set label = 'bad label' where id = 'bad';
    alter table item rename to kept;
    create function shown(label text) returns text language plpgsql as $$
    begin
        if label = 'bad label' then
            DO;
        end if;
        return label;
    end $$;
    create function without_an_end() returns text language plpgsql as $$ begin end $$;
    create domain fine as text check (value <> 'bad label');
    create view item as select district_id, id, shown(label) as label from kept
"""
FAULTS = {
    "42883": "perform no_such_function()",
    "22012": "perform 1 / 0",
    "P0002": "select id into strict label from kept where id = 'none'",
    "P0004": "assert false",
    "2F005": "perform without_an_end()",
    "25006": "delete from kept",
    "2D000": "commit",
    "55000": "perform lastval()",
}
"""Of a function, by SQLSTATE; any other is raised."""
PLAIN = {"21000": "(select id from kept)", "23514": "label::fine", "54000": "repeat(label, 1 << 30)"}
"""Of the view itself."""


@pytest.fixture
def new_database(stack_settings: dict[str, str]) -> Iterator[NewDatabase]:
    """Makes a database of an encoding, and gives its DSN."""
    server, made = stack_settings["RESYNC_STATE_DSN"], []
    with psycopg.connect(server, autocommit=True) as connection:

        def new(encoding: str = "UTF8") -> str:
            name = f"keys_{uuid.uuid4().hex[:10]}"
            statement = sql.SQL("create database {} template template0 encoding {} locale 'C'")
            connection.execute(statement.format(sql.Identifier(name), sql.Literal(encoding)))
            made.append(name)
            return make_conninfo(server, dbname=name)

        yield new
        for name in made:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def catalog(key_type: KeyType = KeyType.TEXT, district_dsn: str = "", column: str = "label") -> Catalog:
    def table(name: str, kind: KeyType) -> Table:
        return Table(name, "id", kind, "district_id", UTC)

    def field(name: str, column: str, kind: Kind = Kind.STRING) -> FieldSpec:
        return FieldSpec(name, kind, Owner.DISTRICT, frozenset(), column, column)

    item = ObjectType(
        "Item", key_type, (field("label", column),), table("item", key_type), table("item", key_type), None, 0
    )
    part = ObjectType(
        "Part",
        KeyType.TEXT,
        (field("itemID", "item_id"),),
        table("part", KeyType.TEXT),
        table("part", KeyType.TEXT),
        ParentRef("Item", "itemID", key_type),
        1,
    )
    return Catalog({"Item": item, "Part": part}, {"D": District("D", "D", district_dsn)}, Limits())


def fill(dsn: str, *keys: str) -> None:
    with psycopg.connect(dsn, client_encoding="utf8") as connection:
        connection.execute(TABLES.format(type="text").encode())
        for key in keys:
            connection.execute("insert into item values ('D', %s, 'a label')", [key])
            connection.execute("insert into part values ('D', %s, %s)", [f"part of {key}", key])


def read(district: str, state: str, *keys: str, column: str = "label") -> BothSides | SnapshotUnavailable:
    with closing(PostgresSnapshots(catalog(district_dsn=district, column=column), state, OPTIONS)) as snapshots:
        found = snapshots.read({TARGET: keys})[TARGET]
    if isinstance(found, SnapshotUnavailable):
        return found
    [both] = found
    assert isinstance(both, BothSides), "too few keys for digests"
    return both


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1252"])
@pytest.mark.parametrize("side", ["district", "state"])
def test_a_key_that_an_encoding_lacks_ends_by_itself(new_database: NewDatabase, encoding: str, side: str) -> None:
    narrow, wide = new_database(encoding), new_database("UTF8")
    fill(narrow, "a", "\u00e9", "b")
    fill(wide, "a", "\u00e9", "\u0416", "b")
    district, state = (narrow, wide) if side == "district" else (wide, narrow)
    both = read(district, state, "a", "\u00e9", "\u0416", "b", "\U0001f600", "none")
    assert isinstance(both, BothSides)
    one, other = (both.district, both.state) if side == "district" else (both.state, both.district)
    name = "district D" if side == "district" else "state"
    assert {key: (fault.reason, fault.detail) for key, fault in one.faults.items()} == dict.fromkeys(
        ("\u0416", "\U0001f600"),
        (Reason.INVALID_KEY, f"{name} has no such key: its column or its encoding has no such text"),
    )
    assert set(one.rows) == {"a", "\u00e9", "b"}
    assert (set(other.rows), other.faults) == ({"a", "\u00e9", "\u0416", "b"}, {})


def test_a_chunk_full_of_such_keys_delays_others_by_seconds(
    new_database: NewDatabase, record_property: Callable[[str, object], None]
) -> None:
    narrow, wide = new_database("LATIN1"), new_database("UTF8")
    fill(narrow, "a")
    fill(wide, "a")
    lacking = [f"\u0416{number}" for number in range(4_999)]
    started = monotonic()
    both = read(narrow, wide, "a", *lacking)
    record_property("read_s", round(monotonic() - started, 1))
    assert isinstance(both, BothSides)
    assert (set(both.district.rows), set(both.district.faults)) == ({"a"}, set(lacking))
    assert monotonic() - started < 20


@pytest.mark.parametrize("side", ["district", "state"])
def test_a_row_that_is_no_text_ends_by_itself_and_its_field_is_named(new_database: NewDatabase, side: str) -> None:
    """SQL_ASCII checks nothing: whoever wrote used an encoding of his own."""
    narrow, wide = new_database("SQL_ASCII"), new_database("UTF8")
    fill(narrow, "a", "\u00e9", "broken")
    fill(wide, "a", "\u00e9", "broken")
    with psycopg.connect(narrow, client_encoding="SQL_ASCII") as connection:
        connection.execute(b"update item set label = '\xe9t\xe9' where id = 'broken'")
    district, state = (narrow, wide) if side == "district" else (wide, narrow)
    both = read(district, state, "a", "\u00e9", "broken", "\u0416")
    assert isinstance(both, BothSides)
    one = both.district if side == "district" else both.state
    assert {key: (fault.reason, fault.field) for key, fault in one.faults.items()} == {
        "broken": (Reason.UNREPRESENTABLE, "label")
    }
    assert one.rows == dict.fromkeys(("a", "é"), (("a label",),))


@pytest.mark.parametrize("side", ["district", "state"])
@pytest.mark.parametrize("sqlstate", ["P0001", "42501", "57P01", *FAULTS, *PLAIN])
def test_a_row_that_a_view_fails_for_ends_by_itself(new_database: NewDatabase, side: str, sqlstate: str) -> None:
    """A function of the view refuses, by whatever SQLSTATE it likes, or has a fault that only some values meet."""
    viewed, plain = new_database("UTF8"), new_database("UTF8")
    fill(viewed, "a", "bad", "b")
    fill(plain, "a", "bad", "b")
    with psycopg.connect(viewed) as connection:
        view = VIEW.replace("DO", FAULTS.get(sqlstate, f"raise sqlstate '{sqlstate}'"))
        if sqlstate in PLAIN:
            view = view.replace("shown(label) as", f"case id when 'bad' then {PLAIN[sqlstate]} else label end as")
        connection.execute(view.encode())
    district, state = (viewed, plain) if side == "district" else (plain, viewed)
    both = read(district, state, "a", "bad", "b")
    assert isinstance(both, BothSides), str(both)
    one = both.district if side == "district" else both.state
    name = "district D" if side == "district" else "state"
    assert {key: (fault.reason, fault.detail) for key, fault in one.faults.items()} == {
        "bad": (Reason.UNREPRESENTABLE, f"label: what {name} holds cannot be read ({sqlstate})")
    }
    assert set(one.rows) == {"a", "b"}


@pytest.mark.parametrize("side", ["district", "state"])
@pytest.mark.parametrize("sqlstate", PLAIN)
def test_a_row_that_cannot_be_given_ends_by_itself_among_many(
    new_database: NewDatabase, side: str, sqlstate: str
) -> None:
    """Of so many keys the rows come as one text first, which one of them spoils, or is too large for."""
    viewed, plain = new_database("UTF8"), new_database("UTF8")
    keys = ["bad", *map(str, range(LEAST_KEYS))]
    fill(viewed, *keys)
    fill(plain, *keys)
    with psycopg.connect(viewed) as connection:
        view = VIEW.replace("DO", "null").replace(
            "shown(label) as", f"case id when 'bad' then {PLAIN[sqlstate]} else label end as"
        )
        connection.execute(view.encode())
    district, state = (viewed, plain) if side == "district" else (plain, viewed)
    both = read(district, state, *keys)
    assert isinstance(both, BothSides), str(both)
    one = both.district if side == "district" else both.state
    assert {key: fault.field for key, fault in one.faults.items()} == {"bad": "label"}
    assert set(one.rows) == {*keys[1:]}


@pytest.mark.parametrize("side", ["district", "state"])
@pytest.mark.parametrize(("shown", "rows"), [("label", 4_980), ("'bad label'", 4_980), ("'bad label'", 3)])
def test_a_view_that_fails_for_all_rows_is_not_looked_through_key_by_key(
    new_database: NewDatabase, side: str, shown: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some keys may have no row, and some be no text there: that tells nothing of the rows.

    What is shown for a constant fails when the statement is planned, for whatever keys, and for none.
    """
    viewed, plain = new_database("LATIN1"), new_database("UTF8")
    keys = [*(f"k{number}" for number in range(rows)), *(f"none {number}" for number in range(10)), "\u0416"]
    fill(plain)
    fill(viewed)
    with psycopg.connect(viewed) as connection:
        connection.execute("insert into item select 'D', key, 'bad label' from unnest(%s::text[]) key", [keys[:-11]])
        view = VIEW.replace("DO", "perform no_such_function()").replace("shown(label) as", f"shown({shown}) as")
        connection.execute(view.replace("plpgsql as", "plpgsql immutable as").encode())
    district, state = (viewed, plain) if side == "district" else (plain, viewed)
    statements, put = count(), Database.rows

    def counted(*asked: Any, **how: Any) -> Any:
        next(statements)
        return put(*asked, **how)

    monkeypatch.setattr(Database, "rows", counted)
    fault = read(district, state, *keys)
    assert next(statements) < 100
    assert isinstance(fault, SnapshotImpossible)
    name = "district D" if side == "district" else "state"
    assert str(fault) == (
        f"{name}: no row can be read (42883); a function or a value of the table or view fails;"
        " mend it in that database, then ask again (table item)"
    )


@pytest.mark.parametrize("side", ["district", "state"])
def test_rows_are_read_although_most_cannot_be(new_database: NewDatabase, side: str) -> None:
    viewed, plain = new_database("UTF8"), new_database("UTF8")
    fill(viewed, *map(str, range(200)))
    fill(plain)
    with psycopg.connect(viewed) as connection:
        connection.execute(VIEW.replace("DO", "perform 1 / 0").encode())
        connection.execute("update kept set label = 'bad label' where id::integer % 16 != 8")
    district, state = (viewed, plain) if side == "district" else (plain, viewed)
    both = read(district, state, *map(str, range(200)))
    assert isinstance(both, BothSides), str(both)
    one = both.district if side == "district" else both.state
    assert set(one.rows) == {str(number) for number in range(8, 200, 16)}
    assert len(one.faults) == 200 - len(one.rows)


@pytest.mark.parametrize("side", ["district", "state"])
def test_why_what_hangs_below_cannot_be_read_is_told(new_database: NewDatabase, side: str) -> None:
    viewed, plain = new_database("UTF8"), new_database("UTF8")
    fill(viewed, "a", "b")
    fill(plain)
    with psycopg.connect(viewed) as connection:
        connection.execute("""
            alter table part rename to kept;
            create view part as select district_id, (1 / (ascii(item_id) - ascii('a')))::text as id, item_id from kept
        """)
    district, state = (viewed, plain) if side == "district" else (plain, viewed)
    name = "district D" if side == "district" else "state"
    told = rf"^{name}: a key below cannot be read \(22012\)"
    with (
        closing(PostgresSnapshots(catalog(district_dsn=district), state, OPTIONS)) as snapshots,
        pytest.raises(SnapshotImpossible, match=told),
    ):
        snapshots.children("D", "Part", ["b", "a"], 10)


@pytest.mark.parametrize("side", ["district", "state"])
def test_what_hangs_below_is_found_although_a_side_cannot_hold_a_key(new_database: NewDatabase, side: str) -> None:
    narrow, wide = new_database("LATIN1"), new_database("UTF8")
    fill(narrow, "a")
    fill(wide, "\u0416")
    district, state = (narrow, wide) if side == "district" else (wide, narrow)
    with closing(PostgresSnapshots(catalog(district_dsn=district), state, OPTIONS)) as snapshots:
        below = snapshots.children("D", "Part", ["a", "\u0416"], 10)
    assert sorted(below) == ["part of a", "part of \u0416"]


def test_a_column_that_does_not_exist_is_nothing_to_wait_for(new_database: NewDatabase) -> None:
    dsn = new_database("UTF8")
    fill(dsn)
    fault = read(dsn, dsn, "a", column="no_such")
    assert isinstance(fault, SnapshotImpossible)
    assert str(fault) == (
        "district D: UndefinedColumn (42703): column t.no_such does not exist;"
        " check the catalog against the database (table item)"
    )


@pytest.mark.parametrize("logged", [0, -1], ids=["no parameters logged", "all parameters logged"])
def test_a_table_that_may_not_be_read_is_nothing_to_wait_for(new_database: NewDatabase, logged: int) -> None:
    """A server that logs the parameters of what fails gives each error a context, as those of functions have it."""
    dsn, role = new_database("UTF8"), f"reader_{uuid.uuid4().hex[:8]}"
    fill(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
        logs = sql.SQL("alter role {} set log_parameter_max_length_on_error = {}")
        connection.execute(logs.format(sql.Identifier(role), logged))
        try:
            fault = read(make_conninfo(dsn, user=role), dsn, "a")
        finally:
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
    assert isinstance(fault, SnapshotImpossible)
    assert "InsufficientPrivilege (42501): permission denied for table item" in str(fault)


def test_a_foreign_table_whose_own_is_gone_is_nothing_to_wait_for(new_database: NewDatabase) -> None:
    dsn = new_database("UTF8")
    fill(dsn)
    with psycopg.connect(dsn) as connection:
        info = connection.info
        connection.execute("create extension postgres_fdw; drop table item")
        server = "create server far foreign data wrapper postgres_fdw options (host {}, port {}, dbname {})"
        connection.execute(sql.SQL(server).format(info.host, str(info.port), info.dbname))
        connection.execute(sql.SQL("create user mapping for public server far options (user {})").format(info.user))
        connection.execute("create foreign table item (district_id text, id text, label text) server far")
        connection.execute("alter foreign table item options (table_name 'gone')")
    fault = read(dsn, dsn, "a")
    assert isinstance(fault, SnapshotImpossible)
    assert 'UndefinedTable (42P01): relation "public.gone" does not exist' in str(fault)


def test_a_database_that_does_not_answer_is_waited_for(new_database: NewDatabase) -> None:
    dsn = new_database("UTF8")
    fill(dsn)
    fault = read("host=127.0.0.1 port=1", dsn, "a")
    assert isinstance(fault, SnapshotUnavailable)
    assert not isinstance(fault, SnapshotImpossible)


COLUMNS = {
    "smallint": (KeyType.INTEGER, "n", "7"),
    "integer": (KeyType.INTEGER, "n", "7"),
    "bigint": (KeyType.INTEGER, "n", "7"),
    "numeric(12,2)": (KeyType.INTEGER, "n", "7"),
    "text": (KeyType.TEXT, "'k' || n", "k7"),
    "varchar(40)": (KeyType.TEXT, "'k' || n", "k7"),
    "char(40)": (KeyType.TEXT, "'k' || n", "k7"),
    "uuid": (KeyType.UUID, "md5(n::text)::uuid", "8f14e45f-ceea-167a-5a36-dedd4bea2543"),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_rows_are_found_by_an_index_whatever_the_type_of_the_key(new_database: NewDatabase, column: str) -> None:
    key_type, made, key = COLUMNS[column]
    dsn = new_database("UTF8")
    with psycopg.connect(dsn) as connection:
        connection.execute(TABLES.format(type=column).encode())
        for table, columns in (("item", f"'D', {made}, 'x'"), ("part", f"'D', 'p' || n, {made}")):
            connection.execute(f"insert into {table} select {columns} from generate_series(1, 10000) n".encode())
        connection.execute("analyze item")
        connection.execute("analyze part")
    declared = catalog(key_type, dsn)
    kind = declared.objects["Item"]
    writer = PostgresStateWriter(dsn, declared)
    writer.ensure_schema()
    writer.close()
    with psycopg.connect(dsn) as connection:
        reading = {"district_id": "D", "keys": array_literal([key]), "longest": 100}
        applying = {"object": "Item", "district": ["D"], "key": [key]}
        applier = Statements(kind, declared, Columns(connection)).read
        for statement, parameters in (
            (district_statement(kind).as_bytes(connection), reading),
            (state_statement(kind).as_bytes(connection), reading),
            (packed_district_statement(kind).as_bytes(connection), reading),
            (packed_state_statement(kind).as_bytes(connection), reading),
            (applier, applying),
        ):
            told = connection.execute(b"explain " + statement, parameters).fetchall()
            plan = "\n".join(line for (line,) in told)
            assert re.search(r"item_pkey on item.*\n\s+Index Cond: .*\bid\)?(?:::text)? = ", plan), plan
    both = read_as(declared, dsn, key)
    assert set(both.district.rows) == set(both.state.rows) == {key}
    if key_type is KeyType.TEXT:
        assert set(read_as(declared, dsn, key + "x").district.rows) == set()


def read_as(declared: Catalog, dsn: str, key: str) -> BothSides:
    with closing(PostgresSnapshots(declared, dsn, OPTIONS)) as snapshots:
        found = snapshots.read({TARGET: [key]})[TARGET]
    assert not isinstance(found, SnapshotUnavailable), found
    [both] = found
    assert isinstance(both, BothSides), "too few keys for digests"
    return both


def test_a_key_that_a_column_spells_otherwise_is_not_taken_for_absent(new_database: NewDatabase) -> None:
    """The catalog says text, and the column takes 007 and 7 for one number; so does a column that ignores case."""
    dsn = new_database("UTF8")
    with psycopg.connect(dsn) as connection:
        connection.execute(TABLES.format(type="integer").encode())
        connection.execute("insert into item values ('D', 7, 'a label'), ('D', 8, 'a label')")
    both = read(dsn, dsn, "007", "8", "9", "x")
    assert isinstance(both, BothSides)
    for side, name in ((both.district, "district D"), (both.state, "state")):
        assert set(side.rows) == {"8"}
        assert {key: (fault.reason, fault.detail) for key, fault in side.faults.items()} == {
            "007": (Reason.INVALID_KEY, f"{name} spells this key otherwise"),
            "x": (Reason.INVALID_KEY, f"{name} has no such key: its column or its encoding has no such text"),
        }
