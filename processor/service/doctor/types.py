"""Judges a column's type, and the zone of its timestamps, against the field that the catalog keeps in it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from processor.core.catalog import FieldSpec, KeyType, Kind, Owner, Rule
from processor.service.doctor.facts import Column, Database
from processor.service.doctor.findings import Check, Finding, error, warning
from processor.service.doctor.sql_names import quoted
from processor.service.doctor.wanted import WantedColumn

_TEXTS = frozenset({"text", "character varying", "character", "bpchar", "citext", "name"})
_WHOLE = frozenset({"smallint", "integer", "bigint"})
_NUMBERS = _WHOLE | {"numeric"}
_FLOATS = frozenset({"real", "double precision"})
_STAMPS = frozenset({"timestamp without time zone", "timestamp with time zone"})
_NEVER_TEXT = ("bytea", "json", "jsonb", "xml", "money", "interval")
_LOCAL = "timestamp without time zone"

_FITS: dict[Kind, frozenset[str]] = {
    Kind.LONG: _NUMBERS | _FLOATS | _TEXTS,
    Kind.BOOLEAN: _NUMBERS | _TEXTS | {"boolean"},
    Kind.DOUBLE: _NUMBERS | _FLOATS | _TEXTS,
    Kind.DATE: _TEXTS | {"date", _LOCAL},
    Kind.TIMESTAMP: _TEXTS | _STAMPS | {"date"},
    Kind.DECIMAL: _NUMBERS | _FLOATS | _TEXTS,
}
"""Strings take the text of any type but those of `_NEVER_TEXT`."""
_KEYS = {
    KeyType.INTEGER: _NUMBERS,
    KeyType.UUID: frozenset({"uuid"}),
    KeyType.TEXT: _TEXTS,
}
_BEST = {
    Kind.LONG: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.DOUBLE: "double precision",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamptz",
    Kind.STRING: "text",
}
_BEST_KEY = {KeyType.INTEGER: "bigint", KeyType.UUID: "uuid", KeyType.TEXT: "text"}
_ALL_YEAR = [datetime(2026, month, 15, 12, tzinfo=UTC) for month in range(1, 13)]


def judge_column(where: str, facts: Database, table: str, wanted: WantedColumn, found: Column) -> Iterator[Finding]:
    if wanted.key_type is not None and found.base not in _KEYS[wanted.key_type]:
        yield _key(where, table, wanted, wanted.key_type, found)
    if wanted.field is not None:
        yield from _field(where, table, wanted, wanted.field, found)
        yield from _zone(where, facts, table, wanted, found)
    if found.is_written_by_database and "INSERT" in wanted.rights:
        yield error(
            Check.TYPES,
            where,
            f"{table}.{wanted.name} is written by the database itself, so no correction can be",
            f"name the column that it is made from in {wanted.place}, or declare the field as the state's",
        )


def _key(where: str, table: str, wanted: WantedColumn, key_type: KeyType, found: Column) -> Finding:
    return error(
        Check.TYPES,
        where,
        f"{table}.{wanted.name} is {found.declared}, the catalog reads it as a key of type {key_type}: no index is"
        " used, or the database refuses to compare",
        f"set key_type at {wanted.place.removesuffix('.key')} in the catalog, or change the column",
        _change(table, wanted.name, _BEST_KEY[key_type]),
    )


def _field(where: str, table: str, wanted: WantedColumn, field: FieldSpec, found: Column) -> Iterator[Finding]:
    best = f"numeric({field.precision}, {field.scale})" if field.kind is Kind.DECIMAL else _BEST[field.kind]
    if not _fits(field, found):
        yield error(
            Check.TYPES,
            where,
            f"{table}.{wanted.name} is {found.declared}, which is not read as a {field.kind}: every row that has it"
            " ends UNREPRESENTABLE",
            f"name another column in {wanted.place}, or change this one",
            _change(table, wanted.name, best),
        )
    elif "UPDATE" in wanted.rights and _loses(field, found):
        yield error(
            Check.TYPES,
            where,
            f"{table}.{wanted.name} is {found.declared}, which keeps less of a value than the field {field.name}: what"
            " was applied differs again when it is compared",
            "have the column keep all of it",
            _change(table, wanted.name, best),
        )
    elif field.kind is Kind.DECIMAL and found.base in _FLOATS and Rule.SCALE not in field.rules:
        yield warning(
            Check.TYPES,
            where,
            f"{table}.{wanted.name} is {found.declared}: sums in it may have more decimals than {best} can carry",
            "use exact numbers",
            _change(table, wanted.name, best),
        )


def _fits(field: FieldSpec, found: Column) -> bool:
    if found.base.endswith("[]"):
        return False
    if field.kind is Kind.STRING or field.crosswalk is not None:
        return found.base not in _NEVER_TEXT
    return found.base in _FITS[field.kind]


def _loses(field: FieldSpec, found: Column) -> bool:
    """Whether what is written is read back as another value."""
    if field.owner is not Owner.DISTRICT:
        return False
    match field.kind:
        case Kind.TIMESTAMP:
            return found.base == "date" or (found.base in _STAMPS and _digits(found.declared, 6) < 6)
        case Kind.DOUBLE:
            return found.base == "real" or found.base in _WHOLE
        case Kind.DECIMAL:
            return field.scale > 0 and (found.base in _WHOLE or _scale(found.declared, field.scale) < field.scale)
        case _:
            return False


def _digits(declared: str, default: int) -> int:
    """`timestamp(3) with time zone` has 3."""
    _, bracket, rest = declared.partition("(")
    return int(rest.partition(")")[0]) if bracket else default


def _scale(declared: str, default: int) -> int:
    """`numeric(6,2)` has 2; a numeric without brackets keeps all."""
    if not declared.startswith("numeric("):
        return default
    _, _, scale = declared.removeprefix("numeric(").rstrip(")").partition(",")
    return int(scale or 0)


def _zone(where: str, facts: Database, table: str, wanted: WantedColumn, found: Column) -> Iterator[Finding]:
    """A column without a zone that the server fills by its own clock holds the server's local time."""
    zone = wanted.zone
    if zone is None or found.base != _LOCAL or not found.defaults_to_now or _same_time(facts.timezone, zone):
        return
    side = ".".join((*wanted.place.split(".")[:2], wanted.place.rpartition(".")[2]))
    yield error(
        Check.TIMEZONES,
        where,
        f"{table}.{wanted.name} has no zone and is filled by the server's clock, which shows {facts.timezone}; the"
        f" catalog takes it as {zone.key}",
        f"set timezone at {side} in the catalog if the rows are in the server's time, else set the server's",
        f"ALTER DATABASE {quoted(facts.database)} SET TimeZone = '{zone.key}';",
    )


def _same_time(name: str, zone: ZoneInfo) -> bool:
    try:
        other = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return all(_offset(at, other) == _offset(at, zone) for at in _ALL_YEAR)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _change(table: str, column: str, to: str) -> str:
    name = quoted(column)
    return f"ALTER TABLE {table} ALTER COLUMN {name} TYPE {to} USING {name}::text::{to};"
