"""The statement that turns the rows after a key into a digest, from the types that a side's columns have.

Each field becomes text in one spelling for both sides, or, where SQL cannot tell it, text that the other side never
gives. So equal digests mean rows that `core/compare` finds equal in all fields, and unequal ones mean nothing: the rows
are then read. Whoever changes what is equal in `core/values` looks here too; a property holds one against the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from processor.adapters.postgres.scan_sql import PageStatements
from processor.adapters.postgres.snapshot_sql import state_column
from processor.core.catalog import FieldSpec, KeyType, Kind, ObjectType, Table

COLUMN_TYPES = sql.SQL(
    "SELECT a.attname, a.atttypid::regtype::text FROM pg_attribute AS a"
    " WHERE a.attrelid = to_regclass({}) AND a.attnum > 0 AND NOT a.attisdropped"
)
SAMPLE = sql.SQL(
    "SELECT current_setting('server_encoding') = 'UTF8',"
    " hashtextextended(ROW(7, NULL, '', 'a,\"(b)\\', 'é', true, 1.50)::text COLLATE \"C\", 0)"
).format()
"""Servers that give the same here write rows, and hash texts, in the same way."""

_MARK = "\x01"
"""Begins what only one side gives; doubled where a text of the other side has it."""
MAX_CODES = 100
"""Of a crosswalk; each is one more comparison a row."""
_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_TEXTS = frozenset({"text", "character varying", "character"})
_PLAIN = "^[!-~]([ -~]{0,253}[!-~])?$"
"""Keys in one spelling, whatever Unicode says of others."""
_TRUE, _FALSE = ("true", "t", "yes", "y", "on", "1"), ("false", "f", "no", "n", "off", "0")


@dataclass(frozen=True, slots=True)
class DigestStatements:
    """Of one side; each of the first rows, and of those after a key. Parameters are those of `PageStatements`.

    `windows` give one row (rows, keys, last, checksum, are_plain); `lines` give rows (key, place, digest of columns),
    which is the expression `line`.
    """

    line: sql.Composed
    windows: tuple[sql.Composed, sql.Composed]
    lines: tuple[sql.Composed, sql.Composed]


@dataclass(frozen=True, slots=True)
class _Side:
    """`types` of columns, as Postgres names them; `mark` begins what the other side never gives."""

    table: Table
    types: Mapping[str, str]
    mark: str

    def other(self, text: sql.Composable) -> sql.Composed:
        return sql.SQL("({} || {})").format(sql.Literal(_MARK + self.mark), text)


def types_statement(table: Table) -> sql.Composed:
    name = sql.SQL(".").join(map(sql.Identifier, table.name.split("."))).as_string()
    return COLUMN_TYPES.format(sql.Literal(name))


def digest_statements(
    kind: ObjectType, pages: PageStatements, types: Mapping[str, str], *, at_state: bool
) -> DigestStatements | None:
    """None where digests cannot tell."""
    side = _Side(pages.table, types, "s" if at_state else "d")
    if not _is_key_sure(kind, side):
        return None
    fields = []
    for field in kind.compared:
        text = _state_text(field, side) if at_state else _district_text(field, side)
        if text is None:
            return None
        fields.append(text)
    key = sql.SQL("t.{}::text").format(sql.Identifier(pages.table.key_column))
    line = sql.SQL('hashtextextended(ROW({})::text COLLATE "C", 0) AS line').format(sql.SQL(", ").join([key, *fields]))
    first, following = (pages.rows([line], first=is_first) for is_first in (True, False))
    windows = sum_of(first, kind.key_type), sum_of(following, kind.key_type)
    return DigestStatements(line, windows, (first, following))


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
    column = side.types.get(side.table.key_column)
    wanted = {KeyType.INTEGER: _INTEGERS, KeyType.UUID: frozenset({"uuid"}), KeyType.TEXT: _TEXTS}
    return side.table.key_type is kind.key_type and column in wanted[kind.key_type]


def _district_text(field: FieldSpec, side: _Side) -> sql.Composed | None:
    name = field.district_column or ""
    text = _column(name)
    if field.crosswalk is None:
        return _text(field, sql.Identifier("t", name), side.types.get(name), side)
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
    return _text(field, sql.Identifier("t", name), side.types.get(name), side)


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
    if column_type in _TEXTS and (field.kind is not Kind.STRING or field.crosswalk):
        return sql.SQL("replace({}, {}, {})").format(as_is, sql.Literal(_MARK), sql.Literal(2 * _MARK))
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
    ).format(t=text, other=side.other(text), **lists)


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
