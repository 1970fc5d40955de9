"""Expressions that turn a column's text into a field's value, as `core.values.canonical` does.

They are null for what the kind cannot carry and never fail: what does not look like a value is not cast.
"""

from collections.abc import Callable

from psycopg import sql

from processor.core.catalog import FieldSpec, Kind, Rule

AS_TEXT = '({} COLLATE "C")'
"""By code point, as Python compares, and fit for regular expressions whatever the column's collation."""

PARAMETER: dict[Kind, str] = {
    Kind.STRING: "text",
    Kind.LONG: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.DOUBLE: "float8",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamptz",
    Kind.DECIMAL: "numeric",
}
"""What canonical text is cast to, to be compared with such a value."""

_FIRST, _AFTER = "0001-01-01 00:00:00", "10000-01-01 00:00:00"
"""The times that the wire carries."""
_IN_UTC = f"{{0}} >= '{_FIRST}+00' AND {{0}} < '{_AFTER}+00'"
_LOCAL = f"{{0}} >= '{_FIRST}' AND {{0}} < '{_AFTER}'"
_IN_UTC_BY_ZONE = _IN_UTC.replace("{0}", "({0} AT TIME ZONE {zone})")

NATIVE: dict[tuple[Kind, str], str] = {
    **{(Kind.LONG, name): "{0}" for name in ("int2", "int4", "int8")},
    (Kind.BOOLEAN, "bool"): "{0}",
    (Kind.STRING, "text"): AS_TEXT.replace("{}", "{0}"),
    (Kind.STRING, "varchar"): AS_TEXT.replace("{}", "{0}"),
    (Kind.DATE, "date"): "(CASE WHEN {0} BETWEEN '0001-01-01' AND '9999-12-31' THEN {0} END)",
    (Kind.TIMESTAMP, "timestamp"): f"(CASE WHEN {_LOCAL} AND {_IN_UTC_BY_ZONE} THEN {{0}} AT TIME ZONE {{zone}} END)",
    (Kind.TIMESTAMP, "timestamptz"): f"(CASE WHEN {_IN_UTC} THEN {{0}} END)",
}
"""By kind and the column's type: what needs no look at the text."""

_BLANK = r"[ \t\n\r\f\v]*"
_NUMBER = rf"^{_BLANK}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{{1,3}})?{_BLANK}$"
_ODD_NUMBER = rf"^{_BLANK}[+-]?(nan|inf|infinity){_BLANK}$"
_DAYS = (
    r"(?!0000)(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
"""The calendar's days of the years 1 to 9999."""
_MIDNIGHT = r"(?:[ T]00:00(?::00(?:\.0+)?)?)?"
_TIME = r"[ T](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_ZONE = r"(?:Z|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9]){0,2})"
_SPACES = sql.Literal(" \t\n\r\f\v\x1c\x1d\x1e\x1f")
_TRUE = sql.Literal("{true,t,yes,y,on,1}")
_FALSE = sql.Literal("{false,f,no,n,off,0}")
_LONGEST_NUMBER = 2_000


def value_of_text(field: FieldSpec, text: sql.Composable, zone: str) -> sql.Composable:
    """`text` is an expression of collation "C"; `zone` places timestamps without one. See `PARAMETER` for the type."""
    return _VALUES[field.kind](field, text, zone)


def _number(text: sql.Composable, then: sql.Composable) -> sql.Composable:
    return sql.SQL("(CASE WHEN {text} ~ {number} AND length({text}) <= {longest} THEN {then} END)").format(
        text=text, number=sql.Literal(_NUMBER), longest=sql.Literal(_LONGEST_NUMBER), then=then
    )


def _long(_field: FieldSpec, text: sql.Composable, _zone: str) -> sql.Composable:
    return _number(
        text,
        sql.SQL(
            "CASE WHEN {0}::numeric = trunc({0}::numeric)"
            " AND {0}::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 THEN {0}::numeric END"
        ).format(text),
    )


def _decimal(field: FieldSpec, text: sql.Composable, _zone: str) -> sql.Composable:
    rounded = sql.SQL("round({}::numeric, {})").format(text, sql.Literal(field.scale))
    fits = sql.SQL("abs({}) < {}::numeric").format(rounded, sql.Literal(f"1e{field.precision - field.scale}"))
    if Rule.SCALE not in field.rules:
        fits = sql.SQL("{} = {}::numeric AND {}").format(rounded, text, fits)
    return _number(text, sql.SQL("CASE WHEN {} THEN {} END").format(fits, rounded))


def _double(_field: FieldSpec, text: sql.Composable, _zone: str) -> sql.Composable:
    """Beyond a double's range Python reads infinity, which is no value, or 0; Postgres would fail."""
    finite = sql.SQL(
        "CASE WHEN abs({0}::numeric) >= 1.797693134862315807e308 THEN NULL"
        " WHEN abs({0}::numeric) <= 2.4703282292062328e-324 THEN 0::float8 ELSE {0}::float8 END"
    ).format(text)
    return sql.SQL(
        "(CASE WHEN lower({text}) ~ {odd} THEN CASE WHEN lower({text}) ~ 'nan' THEN 'NaN'::float8"
        " WHEN {text} ~ '-' THEN '-Infinity'::float8 ELSE 'Infinity'::float8 END ELSE {finite} END)"
    ).format(text=text, odd=sql.Literal(_ODD_NUMBER), finite=_number(text, finite))


def _boolean(_field: FieldSpec, text: sql.Composable, _zone: str) -> sql.Composable:
    word = sql.SQL("lower(btrim({}, {}))").format(text, _SPACES)
    return sql.SQL("(CASE WHEN {0} = ANY({1}::text[]) THEN true WHEN {0} = ANY({2}::text[]) THEN false END)").format(
        word, _TRUE, _FALSE
    )


def _timestamp(_field: FieldSpec, text: sql.Composable, zone: str) -> sql.Composable:
    moment = sql.SQL(
        "CASE WHEN {text} ~ {local} THEN {text}::timestamp AT TIME ZONE {zone}"
        " WHEN {text} ~ {zoned} THEN {text}::timestamptz END"
    ).format(
        text=text,
        local=sql.Literal(f"^{_DAYS}(?:{_TIME})?$"),
        zoned=sql.Literal(f"^{_DAYS}{_TIME}{_ZONE}$"),
        zone=sql.Literal(zone),
    )
    return sql.SQL("(SELECT CASE WHEN {within} THEN m.at END FROM (SELECT {moment} AS at OFFSET 0) AS m)").format(
        within=sql.SQL(_IN_UTC).format(sql.Identifier("m", "at")), moment=moment
    )


def _string(_field: FieldSpec, text: sql.Composable, _zone: str) -> sql.Composable:
    return text


def _date(_field: FieldSpec, text: sql.Composable, _zone: str) -> sql.Composable:
    return sql.SQL("(CASE WHEN {text} ~ {day} THEN left({text}, 10)::date END)").format(
        text=text, day=sql.Literal(f"^{_DAYS}{_MIDNIGHT}$")
    )


_VALUES: dict[Kind, Callable[[FieldSpec, sql.Composable, str], sql.Composable]] = {
    Kind.STRING: _string,
    Kind.LONG: _long,
    Kind.BOOLEAN: _boolean,
    Kind.DOUBLE: _double,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
    Kind.DECIMAL: _decimal,
}
