"""The statement that turns the rows after a key into a digest, from the types that both sides' columns have.

A field that both sides keep in the same type is hashed as it stands. Any other becomes text in one spelling for both
sides, or, where SQL cannot tell it, text that the other side never gives. So equal digests mean rows that
`core/compare` finds equal in all fields, and unequal ones mean nothing: the rows are then read. Whoever changes what is
equal in `core/values` looks here too; a property holds one against the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import NamedTuple, TypeAlias

from psycopg import sql

from processor.adapters.postgres.snapshot_sql import state_column
from processor.core.catalog import FieldSpec, KeyType, Kind, ObjectType, Table

COLUMN_TYPES = sql.SQL(
    "SELECT a.attname, a.atttypid::regtype::text, a.atttypmod FROM pg_attribute AS a"
    " WHERE a.attrelid = to_regclass({}) AND a.attnum > 0 AND NOT a.attisdropped"
)
SAMPLE = sql.SQL(r"""
    SELECT current_setting('server_encoding') = 'UTF8', hashtextextended('a,"(b)\ é' COLLATE "C", hashint4extended(2,
        hash_record_extended(ROW(7::smallint, 7, 7::bigint, int8send(7), numeric_send(-1.50::numeric(5, 2)),
        date '2026-08-01', timestamp_send('2026-08-01 08:00:00.25'), timestamptz_send('2026-08-01 08:00:00.25+00'),
        uuid '00000001-0000-0000-0000-00000000000f', NULL::date, text 'a' COLLATE "C"), 7)))
""").format()
"""Servers that give the same here hash values of all these types in the same way."""

_MARK = "\x01"
"""Begins what only one side gives; doubled where a text of the other side has it."""
MAX_CODES = 100
"""Of a crosswalk; each is one more comparison a row."""
_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_TEXTS = frozenset({"text", "character varying", "character"})
_NULL = token_hex(16)
"""What a text that is null is hashed as: drawn by each process, so that no row holds it."""
_CHAINED: Mapping[str, str] = {
    **dict.fromkeys(_TEXTS, f"hashtextextended(coalesce({{}}, '{_NULL}') COLLATE \"C\", "),
    "boolean": "hashint4extended(coalesce({}::int, 2), ",
}
"""How a column's hash begins whose seed is the hash of others: half as dear as a place in a record (ADR 0224)."""
_IN_RECORD: Mapping[str, str] = {
    **dict.fromkeys(("smallint", "integer", "date", "uuid"), "{}"),
    "bigint": "int8send({})",
    "numeric": "numeric_send({})",
    "timestamp without time zone": "timestamp_send({})",
    "timestamp with time zone": "timestamptz_send({})",
}
"""As what a column of a type is hashed in a record, so that values have one hash only where they have one text.

Postgres's own hash of 8 bytes is one of 4 of them (-1 is 4294967295), and that of a number takes no heed of its sign;
a collation may take several texts for one.
"""
_UNMARKED = frozenset({*_IN_RECORD, "boolean", "double precision", "real"})
"""Types of which no text has the mark; of others one may, as of a domain."""
_PLAIN = "^[!-~]([ -~]{0,253}[!-~])?$"
"""Keys in one spelling, whatever Unicode says of others."""
_TRUE, _FALSE = ("true", "t", "yes", "y", "on", "1"), ("false", "f", "no", "n", "off", "0")


class Column(NamedTuple):
    """Its type as Postgres names it, and the type's modifier, which is -1 where there is none."""

    type: str
    modifier: int


Columns: TypeAlias = Mapping[str, Column]
"""By name."""


class RowDigests(NamedTuple):
    """An object's rows as digests at either side: expressions over `t`, named `line`."""

    district: sql.Composed
    state: sql.Composed


@dataclass(frozen=True, slots=True)
class _Side:
    """`mark` begins what the other side never gives."""

    table: Table
    columns: Columns
    mark: str

    def type_of(self, column: str | None) -> str | None:
        found = self.columns.get(column or "")
        return None if found is None else found.type

    def other(self, text: sql.Composable) -> sql.Composed:
        return sql.SQL("({} || {})").format(sql.Literal(_MARK + self.mark), text)


class _Hashed(NamedTuple):
    """A value, and the type as which it is hashed."""

    type: str
    value: sql.Composable


def types_statement(table: Table) -> sql.Composed:
    """One row (name, type, modifier) a column."""
    name = sql.SQL(".").join(map(sql.Identifier, table.name.split("."))).as_string()
    return COLUMN_TYPES.format(sql.Literal(name))


def digest_lines(kind: ObjectType, columns: tuple[Columns, Columns]) -> RowDigests | None:
    """The digest of a row's columns at the district and at the state, by what each has; None where none can tell."""
    ours = _Side(kind.district, columns[0], "d")
    theirs = _Side(kind.state, columns[1], "s")
    if not (_is_key_sure(kind, ours) and _is_key_sure(kind, theirs)):
        return None
    of_ours: list[_Hashed] = []
    of_theirs: list[_Hashed] = []
    for field, direct in zip(kind.compared, kind.same_text_same_value, strict=True):
        if direct and _hashes_alike(field, ours, theirs):
            of_ours.append(_as_it_is(field.district_column, ours))
            of_theirs.append(_as_it_is(field.state_column, theirs))
            continue
        texts = _district_text(field, ours), _state_text(field, theirs)
        if texts[0] is None or texts[1] is None:
            return None
        of_ours.append(_Hashed("text", texts[0]))
        of_theirs.append(_Hashed("text", texts[1]))
    return RowDigests(_line(kind, ours, of_ours), _line(kind, theirs, of_theirs))


def _line(kind: ObjectType, side: _Side, hashed: Sequence[_Hashed]) -> sql.Composed:
    """The key is the seed, since a record's hash is a sum over its columns.

    Else a sum over two rows stays the same where each has the other's value. It is in the record too, whose hash is 0
    where all columns are null.
    """
    chained = [sql.SQL(_CHAINED[each.type]).format(each.value) for each in hashed if each.type in _CHAINED]
    record = [sql.SQL(_IN_RECORD[each.type]).format(each.value) for each in hashed if each.type in _IN_RECORD]
    return sql.SQL("{}hash_record_extended(ROW({}), {}){} AS line").format(
        sql.SQL("").join(chained),
        sql.SQL(", ").join([_key(kind, side), *record]),
        _seed(kind, side),
        sql.SQL(")" * len(chained)),
    )


def _seed(kind: ObjectType, side: _Side) -> sql.Composed:
    """A key as 8 bytes."""
    seed = {
        KeyType.INTEGER: "{}::bigint",
        KeyType.UUID: "uuid_hash_extended({}, 0)",
        KeyType.TEXT: 'hashtextextended({}::text COLLATE "C", 0)',
    }[kind.key_type]
    return sql.SQL(seed).format(sql.Identifier("t", side.table.key_column))


def packed(rows: sql.Composed, key_type: KeyType) -> sql.Composed:
    """One row (keys, digests) of rows (key, place, line), in their order.

    Digests are one text of 8 bytes each, most significant first, and so are keys that are integers; others are an array
    of texts.
    """
    keys = sql.SQL("string_agg(int8send(q.place), '')" if key_type is KeyType.INTEGER else "array_agg(q.key)")
    return sql.SQL("SELECT {}, string_agg(int8send(q.line), '') FROM ({}) AS q").format(keys, rows)


def sum_of(rows: sql.Composed, key_type: KeyType) -> sql.Composed:
    """One row (rows, keys, last, checksum, are_plain) of rows (key, place, line)."""
    last = sql.SQL("max(q.place)::text" if key_type is KeyType.INTEGER else 'max(q.key COLLATE "C")')
    plain: sql.Composable = sql.SQL("true")
    if key_type is KeyType.TEXT:
        plain = sql.SQL('coalesce(bool_and(q.key COLLATE "C" ~ {}), true)').format(sql.Literal(_PLAIN))
    return sql.SQL(
        "SELECT count(*), count(DISTINCT q.place), {last}, sum(q.line)::text, {plain} FROM ({rows}) AS q"
    ).format(last=last, plain=plain, rows=rows)


def _is_key_sure(kind: ObjectType, side: _Side) -> bool:
    """Whether a key's text is the one that the core knows it by, but for what `_PLAIN` tells."""
    wanted = {KeyType.INTEGER: _INTEGERS, KeyType.UUID: frozenset({"uuid"}), KeyType.TEXT: _TEXTS}
    return side.table.key_type is kind.key_type and side.type_of(side.table.key_column) in wanted[kind.key_type]


def _key(kind: ObjectType, side: _Side) -> sql.Composed:
    column = sql.Identifier("t", side.table.key_column)
    if kind.key_type is KeyType.TEXT:
        return sql.SQL('{}::text COLLATE "C"').format(column)
    return sql.SQL("{}").format(column)


def _hashes_alike(field: FieldSpec, ours: _Side, theirs: _Side) -> bool:
    """Whether both columns' values have one hash only where they have one text."""
    if field.state_lookup is not None:
        return False
    one, other = ours.columns.get(field.district_column or ""), theirs.columns.get(field.state_column or "")
    if one is None or other is None or one.type != other.type:
        return False
    if one.type == "numeric":
        return one.modifier == other.modifier != -1
    return one.type in _CHAINED or one.type in _IN_RECORD


def _as_it_is(name: str | None, side: _Side) -> _Hashed:
    return _Hashed(side.columns[name or ""].type, sql.Identifier("t", name or ""))


def _district_text(field: FieldSpec, side: _Side) -> sql.Composed | None:
    name = field.district_column or ""
    text = _column(name)
    if field.crosswalk is None:
        return _text(field, sql.Identifier("t", name), side.type_of(name), side)
    codes = field.crosswalk.to_state
    if field.kind is not Kind.STRING or not 0 < len(codes) <= MAX_CODES or "%" in "".join([*codes, *codes.values()]):
        return None
    whens = [
        sql.SQL("WHEN {} THEN {}").format(sql.Literal(ours), sql.Literal(theirs)) for ours, theirs in codes.items()
    ]
    return sql.SQL('CASE {} COLLATE "C" {} ELSE {} END').format(text, sql.SQL(" ").join(whens), side.other(text))


def _state_text(field: FieldSpec, side: _Side) -> sql.Composed | None:
    name = field.state_column or ""
    if field.state_lookup is not None:
        return state_column(field) if field.kind in {Kind.STRING, Kind.LONG} else None
    return _text(field, sql.Identifier("t", name), side.type_of(name), side)


def _column(name: str) -> sql.Composed:
    return sql.SQL("{}::text").format(sql.Identifier("t", name))


def _text(field: FieldSpec, column: sql.Identifier, column_type: str | None, side: _Side) -> sql.Composed | None:
    """One spelling of a value, where its type is one that this can be told of; else as it stands."""
    as_is = sql.SQL("{}::text").format(column)
    if field.kind is Kind.TIMESTAMP:
        return _timestamp(column, column_type, side)
    if field.kind is Kind.BOOLEAN:
        return _boolean(as_is, side)
    if (spelled := _spelled(field, column_type)) is not None:
        return _when(*spelled, column, side)
    if column_type not in _UNMARKED and (field.kind is not Kind.STRING or field.crosswalk):
        return sql.SQL('replace({} COLLATE "C", {}, {})').format(as_is, sql.Literal(_MARK), sql.Literal(2 * _MARK))
    return as_is


def _spelled(field: FieldSpec, column_type: str | None) -> tuple[str, str] | None:
    """On what condition a column of this type is spelled how; None where it stands as it is."""
    match field.kind, column_type:
        case Kind.DATE, "timestamp without time zone":
            is_day = "{c} = date_trunc('day', {c}) AND {c} >= '0001-01-01' AND {c} < '10000-01-01'"
            return is_day, "{c}::date::text"
        case Kind.LONG, "numeric":
            return "{c} = trunc({c}) AND abs({c}) < 9e18", "trunc({c})::text"
        case Kind.DECIMAL, "numeric" | "smallint" | "integer" | "bigint":
            scale, most = field.scale, field.precision - field.scale
            fits = f"{{c}} = round({{c}}::numeric, {scale}) AND abs({{c}}) < 1e{most}"
            return fits, f"round({{c}}::numeric, {scale})::text"
        case _:
            return None


def _boolean(text: sql.Composed, side: _Side) -> sql.Composed:
    lists = {name: sql.SQL(", ").join(map(sql.Literal, words)) for name, words in (("yes", _TRUE), ("no", _FALSE))}
    return sql.SQL(
        "CASE WHEN lower({t}) IN ({yes}) THEN 'true' WHEN lower({t}) IN ({no}) THEN 'false' ELSE {other} END"
    ).format(t=sql.SQL('{} COLLATE "C"').format(text), other=side.other(text), **lists)


def _when(condition: str, spelled: str, column: sql.Identifier, side: _Side) -> sql.Composed:
    other = side.other(sql.SQL("{}::text").format(column))
    return sql.SQL(f"CASE WHEN {condition} THEN {spelled} ELSE {{other}} END").format(c=column, other=other)


def _timestamp(column: sql.Identifier, column_type: str | None, side: _Side) -> sql.Composed | None:
    """In UTC. Far from our time zones' rules may differ between servers, and from ours."""
    zone = sql.Literal(side.table.timezone.key)
    match column_type:
        case "timestamp with time zone":
            utc = sql.SQL("{} AT TIME ZONE 'UTC'").format(column)
        case "timestamp without time zone" | "date":
            utc = sql.SQL("{}::timestamp AT TIME ZONE {} AT TIME ZONE 'UTC'").format(column, zone)
        case _:
            return None
    near = "{c} >= '1970-01-02' AND {c} < '2037-12-30'"
    other = side.other(sql.SQL("{}::text").format(column))
    return sql.SQL(f"CASE WHEN {near} THEN to_char({{utc}}, 'YYYY-MM-DD HH24:MI:SS.US') ELSE {{other}} END").format(
        c=column, utc=utc, other=other
    )
