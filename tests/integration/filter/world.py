"""An object with a column of every type that a field of its kind may be kept in, below another; on both sides."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import psycopg
from hypothesis import strategies as st
from psycopg import sql

from processor.adapters.postgres.condition_hints import ColumnTypes
from processor.adapters.postgres.database import Database, ReaderOptions
from processor.adapters.postgres.finder import column_types, find_statement
from processor.core.catalog import (
    Catalog,
    Crosswalk,
    District,
    FieldSpec,
    KeyType,
    Kind,
    Limits,
    Lookup,
    ObjectType,
    Owner,
    ParentRef,
    Rule,
    Table,
)
from processor.core.condition import Condition, Operand, table_of
from processor.core.request import Side
from tests.conditions import Value, evaluate, read_value
from tests.unit.core.strategies import column_texts

CHICAGO, UTC_ZONE = ZoneInfo("America/Chicago"), ZoneInfo("UTC")
DISTRICT = "NORTH"
GENDER = Crosswalk("gender", {"F": "2", "M": "1", "W": "2", "X": ""})

DAYS = ["0001-01-01", "9999-12-31", "infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "2026-02-28", "2024-02-29"]
TIMES = [
    "infinity",
    "-infinity",
    "0044-03-15 12:00:00 BC",
    "0001-01-01 00:00:00",
    "0001-01-01 05:00:00",
    "9999-12-31 23:59:59.999999",
    "10000-01-01 00:00:00",
    "2026-11-01 01:30:00",
    "2026-03-08 02:30:00",
    "2026-08-01 00:00:00",
    "2026-08-01 08:00:00.5",
]
_days = st.sampled_from(DAYS) | st.dates().map(str)
_times = st.sampled_from(TIMES) | st.datetimes().map(lambda at: at.isoformat(sep=" "))
_numbers = st.decimals(-10_000, 10_000, allow_nan=False, places=3).map(str) | st.sampled_from(
    ["NaN", "Infinity", "-Infinity", "7", "7.00", "0", "1e300", "1e-330", "12345.67", "0.005", "9223372036854775808"]
)
NO_DAYS = ["0000-01-01", "0000-02-29 00:00", "2023-02-29", "1900-02-29", "2026-04-31T00:00:00Z"]
"""Texts that look like days and are none."""
OF_TYPE: Mapping[str, st.SearchStrategy[str]] = {
    "int2": st.integers(-(2**15), 2**15 - 1).map(str) | st.sampled_from(["0", "1", "7"]),
    "int8": st.integers(-(2**63), 2**63 - 1).map(str) | st.sampled_from(["0", "1", "7"]),
    "numeric": _numbers,
    "float4": st.floats(width=32).map(repr) | st.sampled_from(["0.1", "7", "-0"]),
    "float8": st.floats().map(repr) | st.sampled_from(["0.1", "7", "-0", "1e20"]),
    "uuid": st.uuids().map(str) | st.just("00000000-0000-0000-0000-000000000007"),
    "bool": st.sampled_from(["true", "false"]),
    "date": _days,
    "timestamp": _times,
    "timestamptz": _times,
    "char(4)": st.text(st.sampled_from("aÀé ~"), max_size=4),
}
"""Texts that a column of a type takes; the other types take what `column_texts` gives."""

COLUMNS: Sequence[tuple[Kind, str]] = [
    *((Kind.STRING, name) for name in ("text", "varchar", "char(4)", "int8", "uuid")),
    *((Kind.LONG, name) for name in ("int2", "int8", "numeric", "float8", "text")),
    *((Kind.BOOLEAN, name) for name in ("bool", "int2", "text")),
    *((Kind.DOUBLE, name) for name in ("float8", "float4", "numeric", "text")),
    *((Kind.DECIMAL, name) for name in ("numeric", "float8", "int8", "text")),
    *((Kind.DATE, name) for name in ("date", "timestamp", "text")),
    *((Kind.TIMESTAMP, name) for name in ("timestamp", "timestamptz", "date", "text")),
]


def _field(name: str, kind: Kind, *rules: Rule, **more: Any) -> FieldSpec:
    return FieldSpec(name, kind, Owner.DISTRICT, frozenset(rules), name, name, precision=6, scale=2, **more)


FIELDS = [_field(f"f{index}", kind) for index, (kind, _) in enumerate(COLUMNS)]
TYPES = {f"f{index}": type_name for index, (_, type_name) in enumerate(COLUMNS)}
FIELDS += [_field("scaled", Kind.DECIMAL, Rule.SCALE), _field("scaled_text", Kind.DECIMAL, Rule.SCALE)]
FIELDS += [_field("gender", Kind.STRING, crosswalk=GENDER)]
TYPES |= {"scaled": "numeric", "scaled_text": "text", "gender": "varchar"}
LOOKUP = Lookup("state_school", "district_id", "id", "state_id")


def _table(name: str, zone: ZoneInfo, district_column: str | None) -> Table:
    return Table(name, "id", KeyType.INTEGER, district_column, zone)


def _object(name: str, fields: Iterable[FieldSpec], parent: ParentRef | None = None) -> ObjectType:
    here, there = _table(name.lower(), CHICAGO, None), _table(f"state_{name.lower()}", UTC_ZONE, "district_id")
    return ObjectType(name, KeyType.INTEGER, tuple(fields), here, there, parent, 0)


AREA = _object("Area", [_field("title", Kind.STRING)])
SCHOOL = _object(
    "School",
    [_field("areaID", Kind.LONG), _field("founded", Kind.TIMESTAMP), _field("size", Kind.LONG)],
    ParentRef("Area", "areaID", KeyType.INTEGER),
)
PUPIL = _object(
    "Pupil",
    [
        *FIELDS,
        _field("schoolID", Kind.LONG, state_lookup=LOOKUP),
        _field("schoolText", Kind.STRING, state_lookup=LOOKUP),
    ],
    ParentRef("School", "schoolID", KeyType.INTEGER),
)
CATALOG = Catalog({k.name: k for k in (AREA, SCHOOL, PUPIL)}, {DISTRICT: District(DISTRICT, DISTRICT, "")}, Limits())
OPERANDS = [
    *(Operand((PUPIL,), each) for each in PUPIL.fields),
    *(Operand((PUPIL, SCHOOL), each) for each in SCHOOL.fields),
    *(Operand((PUPIL, SCHOOL, AREA), each) for each in AREA.fields),
]


Writer: TypeAlias = Callable[[Condition, Side, ColumnTypes], tuple[sql.Composed, dict[str, str]]]
Held: TypeAlias = Mapping[str, list[dict[str, Any]]]


def tables() -> str:
    own = ", ".join(f'"{name}" {type_name}' for name, type_name in TYPES.items())
    shared = "district_id text not null, state_id bigint generated always as identity"
    return f"""
        create table area (id integer, title text);
        create table school (id integer, "areaID" integer, founded timestamp, size smallint);
        create table pupil (id integer, {own}, "schoolID" integer, "schoolText" varchar);
        create table state_area ({shared}, id bigint, title varchar(9));
        create table state_school ({shared}, id bigint, "areaID" bigint, founded timestamptz, size text);
        create table state_pupil ({shared}, id bigint, {own}, "schoolID" bigint, "schoolText" bigint);
    """


def texts_of(name: str) -> st.SearchStrategy[str | None]:
    """What the column of a pupil's field may hold."""
    spec, type_name = PUPIL.by_name[name], TYPES[name]
    if spec.crosswalk is not None:
        return st.none() | st.sampled_from(["F", "M", "W", "X", "?", ""])
    if type_name in OF_TYPE:
        return st.none() | OF_TYPE[type_name]
    return column_texts(spec) | st.sampled_from(NO_DAYS)


@dataclass(slots=True)
class World:
    """One side of the district, and what it holds as texts."""

    dsn: str
    side: Side
    database: Database = field(init=False)
    connection: psycopg.Connection[Any] = field(init=False)
    types: ColumnTypes = field(init=False)

    def __post_init__(self) -> None:
        options = ReaderOptions("resync/find/0", statement_timeout_s=20.0, connect_timeout_s=3)
        self.database = Database("test", self.dsn, options)
        self.types = column_types(self.database, [table_of(kind, self.side).name for kind in (PUPIL, SCHOOL)])
        self.connection = psycopg.connect(self.dsn, autocommit=True, options="-c TimeZone=UTC")

    def close(self) -> None:
        self.database.close()
        self.connection.close()

    def fill(self, kind: ObjectType, rows: Iterable[Mapping[str, str | None]]) -> None:
        """Instead of what is there. At the state a school is referred to by the state's id of it."""
        table = table_of(kind, self.side)
        with self.connection.transaction():
            self.connection.execute(sql.SQL("truncate {} restart identity").format(sql.Identifier(table.name)))
            for row in rows:
                given = dict(row) if self.side is Side.DISTRICT else {"district_id": DISTRICT, **row}
                self.connection.execute(
                    sql.SQL("insert into {} ({}) values ({})").format(
                        sql.Identifier(table.name),
                        sql.SQL(", ").join(map(sql.Identifier, given)),
                        sql.SQL(", ").join(sql.Placeholder() for _ in given),
                    ),
                    list(given.values()),
                )

    def found(self, condition: Condition, *, with_types: bool) -> list[str]:
        statement, parameters = find_statement(PUPIL, condition, [], self.side, self.types if with_types else {})
        rows = self.database.rows(statement, {**parameters, "district_id": DISTRICT, "limit": 1_000})
        return [key for (key,) in rows]

    def truths(self, conditions: Sequence[Condition], write: Writer, types: ColumnTypes) -> list[list[bool | None]]:
        """Of every row, in the order of the keys, what Postgres says to each condition."""
        parameters = {"district_id": DISTRICT}
        columns = []
        for number, condition in enumerate(conditions):
            expression, given = write(condition, self.side, types)
            columns.append(sql.SQL(expression.as_string().replace("%(p", f"%(c{number}p")))
            parameters |= {f"c{number}{name}": value for name, value in given.items()}
        table = sql.Identifier(table_of(PUPIL, self.side).name)
        query = sql.SQL("select {} from {} as t order by t.id").format(sql.SQL(", ").join(columns), table)
        return [list(row) for row in self.database.rows(query, parameters)]

    def meant(self, conditions: Sequence[Condition]) -> list[list[bool | None]]:
        """The same by the core."""
        held = self.held()
        rows = sorted(held["Pupil"], key=lambda row: int(row["id"]))
        return [[evaluate(each, _Reader(self.side, held, row)) for each in conditions] for row in rows]

    def held(self) -> Held:
        """What the columns hold as text, by object."""
        return {kind.name: self._held(kind) for kind in CATALOG.objects.values()}

    def evaluated(self, condition: Condition, held: Held) -> list[str]:
        """By the core."""
        meant = [row["id"] for row in held["Pupil"] if evaluate(condition, _Reader(self.side, held, row))]
        return sorted(meant, key=int)

    def _held(self, kind: ObjectType) -> list[dict[str, Any]]:
        table = table_of(kind, self.side)
        names = ["id", *(each.name for each in kind.fields), *(["state_id"] if self.side is Side.STATE else [])]
        where = "true" if self.side is Side.DISTRICT else f"district_id = '{DISTRICT}'"
        query = sql.SQL("select {} from {} where {}").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names),
            sql.Identifier(table.name),
            sql.SQL(where),
        )
        return [dict(zip(names, row, strict=True)) for row in self.database.rows(query, {})]


@dataclass(frozen=True, slots=True)
class _Reader:
    side: Side
    held: Held
    row: Mapping[str, Any]

    def __call__(self, operand: Operand) -> Value:
        row: Mapping[str, Any] | None = self.row
        for below, above in zip(operand.path, operand.path[1:], strict=False):
            row = None if row is None or below.parent is None else self._above(row, below.parent.field, above)
        if row is None:
            return None
        text = row[operand.field.name]
        if operand.field.state_lookup is not None and self.side is Side.STATE and text is not None:
            ids = [each["id"] for each in self.held["School"] if each["state_id"] == text]
            text = ids[0] if ids and ids[0] is not None else "!dangling"
        return read_value(operand, self.side, text)

    def _above(self, row: Mapping[str, Any], reference: str, above: ObjectType) -> Mapping[str, Any] | None:
        text = row[reference]
        if above is SCHOOL and self.side is Side.STATE:
            ids = [each["id"] for each in self.held["School"] if each["state_id"] == text]
            text = ids[0] if ids else None
        there = [each for each in self.held[above.name] if text is not None and each["id"] == text]
        return there[0] if len(there) == 1 else None
