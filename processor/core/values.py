"""Canonical text: the one spelling of a value of a kind, whatever column type a side keeps it in.

Both databases are read as text. Two values are equal exactly if their canonical texts are equal, so this text
is what is compared, hashed and carried. Shapes, by kind: string as it is; long `7`; boolean `true`; double the
shortest that reads back; date `2026-08-01`; timestamp-micros `2026-08-01T13:00:00.000000Z`; decimal(p,s) with
exactly s decimals.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from math import isinf
from typing import TypeAlias
from zoneinfo import ZoneInfo

from processor.core.catalog import FieldSpec, Kind, Rule
from processor.core.errors import Unrepresentable

Values: TypeAlias = Mapping[str, str | None]
"""Field name to canonical text."""

WireValue: TypeAlias = str | int | float | bool | date | datetime | Decimal | None

DANGLING = "!dangling"
"""A state's reference that leads to no record of this district. Equal to nothing; null on the wire."""

_LONGS = range(-(2**63), 2**63)
_LONGEST_EXPONENT = 20
_WIDE = Context(prec=2_000)
_BOOLEANS = frozenset({"true", "false"})
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_ZONE = r"(?:Z|[+-]\d{2}(?::?\d{2}){0,2})"
_TIMESTAMP = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}(?:[ T]\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d{{1,6}})?)?{_ZONE}?)?", re.ASCII
)
_IN_UTC = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?\+00", re.ASCII)
"""As our connections are given a timestamp with a zone."""
_TELLS_ITS_ZONE = re.compile(rf"-?infinity|.*:\d{{2}}(?:\.\d+)?{_ZONE}(?: BC)?", re.ASCII)
_REMEMBERED = 4_096
"""Texts of one kind: days and amounts repeat, and both sides' rows mostly hold the same."""
_SHORT = 64
"""Longer ones are not remembered: a text column may hold any number of zeros."""
_FAR_FROM_BOTH_ENDS = ("0001-01-03", "9999-12-29")


def canonical(field: FieldSpec, text: str | None, tz: ZoneInfo, what: str = "the value") -> str | None:
    """One side's text of a column as canonical text; `tz` places timestamps without a zone.

    Raises Unrepresentable, naming the field and calling `what`, for a value that the field's kind cannot carry.
    """
    if text is None or field.kind is Kind.STRING or _is_dangling(field, text):
        return text
    try:
        return _CANONICAL[field.kind](field, text, tz)
    except (ValueError, OverflowError, InvalidOperation):
        raise Unrepresentable(field.name, f"{field.name}: {what} is not a {field.kind}") from None


def _is_dangling(field: FieldSpec, text: str | None) -> bool:
    """The word stands for itself where a field is not looked up."""
    return text == DANGLING and field.state_lookup is not None


def _number(text: str) -> str:
    """Python reads digits of any script, and underscores between them; no database writes them."""
    if not text.isascii() or "_" in text:
        raise ValueError
    return text


def _long(_field: FieldSpec, text: str, _tz: ZoneInfo) -> str:
    number = Decimal(_number(text))
    if number.adjusted() > _LONGEST_EXPONENT:
        raise ValueError
    whole = int(number)
    if whole != number or whole not in _LONGS:
        raise ValueError
    return str(whole)


def _boolean(_field: FieldSpec, text: str, _tz: ZoneInfo) -> str:
    if text in _BOOLEANS:
        return text
    word = text.strip().lower()
    if word in _TRUE:
        return "true"
    if word in _FALSE:
        return "false"
    raise ValueError


def _double(_field: FieldSpec, text: str, _tz: ZoneInfo) -> str:
    number = float(_number(text))
    if isinf(number) and "inf" not in text.lower():
        raise OverflowError
    return double_text(number)


def _date(_field: FieldSpec, text: str, _tz: ZoneInfo) -> str:
    return (date_text if len(text) <= _SHORT else date_text.__wrapped__)(text)


def _decimal(field: FieldSpec, text: str, _tz: ZoneInfo) -> str:
    make = decimal_text if len(text) <= _SHORT else decimal_text.__wrapped__
    return make(field.precision, field.scale, Rule.SCALE in field.rules, text)


@lru_cache(maxsize=_REMEMBERED)
def date_text(text: str) -> str:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError
    return date.fromisoformat(match[1]).isoformat()


def _timestamp(_field: FieldSpec, text: str, tz: ZoneInfo) -> str:
    if (match := _IN_UTC.fullmatch(text)) is not None:
        datetime.fromisoformat(text)
        day, time, fraction = match.groups("")
        return f"{day}T{time}.{fraction:0<6}Z"
    if _TIMESTAMP.fullmatch(text) is None:
        raise ValueError
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        # An hour that occurs twice or never is taken as Postgres's `at time zone` takes it: at standard time.
        moment = max(_moments(moment, tz))
    return moment_text(moment.astimezone(UTC))


def moment_text(moment: datetime) -> str:
    """Canonical text of a time in UTC."""
    return moment.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def double_text(number: float) -> str:
    """Canonical text; zero has no sign."""
    return repr(number + 0.0)


def amount_text(number: Decimal) -> str:
    """Canonical text of a number that is of its field's scale; zero has no sign."""
    return format(abs(number) if number == 0 else number, "f")


@lru_cache(maxsize=_REMEMBERED)
def decimal_text(precision: int, scale: int, rounds: bool, text: str) -> str:  # noqa: FBT001
    number = Decimal(_number(text))
    if not number.is_finite():
        raise ValueError
    scaled = number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP, context=_WIDE)
    if scaled != number and not rounds:
        raise ValueError
    if scaled and scaled.adjusted() + 1 + scale > precision:
        raise ValueError
    return amount_text(scaled)


_CANONICAL: dict[Kind, Callable[[FieldSpec, str, ZoneInfo], str]] = {
    Kind.LONG: _long,
    Kind.BOOLEAN: _boolean,
    Kind.DOUBLE: _double,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
    Kind.DECIMAL: _decimal,
}


def tells_its_zone(text: str) -> bool:
    """Whether a timestamp column's text means the same moment wherever it is read."""
    return _TELLS_ITS_ZONE.fullmatch(text) is not None


def has_local_time(text: str, tz: ZoneInfo) -> bool:
    """Whether the calendar, which ends with the years 1 and 9999, has this canonical timestamp in a zone."""
    first, last = _FAR_FROM_BOTH_ENDS
    if first <= text < last:
        return True
    try:
        datetime.fromisoformat(text).astimezone(tz)
    except OverflowError:
        return False
    return True


def survives_without_zone(text: str, tz: ZoneInfo) -> bool:
    """Whether a column without a zone gives this canonical timestamp back: of an hour that occurs twice only one."""
    local = datetime.fromisoformat(text).astimezone(tz).replace(tzinfo=None)
    return max(_moments(local, tz)) == datetime.fromisoformat(text)


def _moments(local: datetime, tz: ZoneInfo) -> list[datetime]:
    """What a local time may mean: two moments in an hour that occurs twice or never."""
    return [local.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1)]


def side_text(field: FieldSpec, text: str | None, tz: ZoneInfo) -> str | None:
    """Canonical text as a side's column takes it.

    A timestamp is local time with its offset: a column with a zone uses the offset, one without ignores it, and
    both then hold the same moment. Corrections carry only timestamps that `has_local_time` in the state's zone.
    """
    if text is None or _is_dangling(field, text):
        return None
    if field.kind is Kind.TIMESTAMP:
        return datetime.fromisoformat(text).astimezone(tz).isoformat(sep=" ")
    return text


def to_wire(field: FieldSpec, text: str | None) -> WireValue:
    """Canonical text as the Python value that Avro encodes for the field's kind."""
    if text is None or _is_dangling(field, text):
        return None
    return _WIRE[field.kind](text)


_WIRE: dict[Kind, Callable[[str], WireValue]] = {
    Kind.STRING: str,
    Kind.LONG: int,
    Kind.BOOLEAN: "true".__eq__,
    Kind.DOUBLE: float,
    Kind.DATE: date.fromisoformat,
    Kind.TIMESTAMP: datetime.fromisoformat,
    Kind.DECIMAL: Decimal,
}


def from_wire(field: FieldSpec, value: WireValue) -> str | None:
    """The inverse of `to_wire`. Raises Unrepresentable where the value is not of the field's kind."""
    if value is None:
        return None
    match value:
        case bool():
            text = "true" if value else "false"
        case datetime():
            text = value.isoformat()
        case date():
            text = value.isoformat()
        case float():
            text = repr(value)
        case _:
            text = str(value)
    return canonical(field, text, ZoneInfo("UTC"))


def same(field: FieldSpec, left: str | None, right: str | None) -> bool:
    """Whether two canonical texts are equal under the field's compare rules."""
    if left != right and not field.rules:
        return False
    if _is_dangling(field, left) or _is_dangling(field, right):
        return False
    return left == right or _normal(field.rules, left) == _normal(field.rules, right)


def _normal(rules: frozenset[Rule], text: str | None) -> str | None:
    if text is None:
        return "" if Rule.NULL_IS_EMPTY in rules else None
    if Rule.NFC in rules:
        text = unicodedata.normalize("NFC", text)
    if Rule.TRIM in rules:
        text = text.strip()
    if Rule.CASEFOLD in rules:
        text = text.casefold()
    return text
