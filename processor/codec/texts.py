"""A record whose fields are read as canonical text (`core.values`), without Python's values in between."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Any

from processor.codec.primitives import (
    Read,
    read_decimal,
    read_double,
    read_long,
    read_null,
    read_string,
)
from processor.core.values import amount_text, double_text

_FIRST_DAY = date(1970, 1, 1)
_A_SECOND = 1_000_000
_A_MINUTE = 60 * _A_SECOND
_A_DAY = 1_440 * _A_MINUTE
_MINUTES = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1_440)]


class Texts(dict[str, str | None]):
    """Field name to canonical text."""


def read_texts(fields: Sequence[tuple[str, Read]], data: bytes, at: int) -> tuple[Texts, int]:
    """`fields` may still grow once this is bound to them: a schema can name a record before it is complete."""
    record = Texts()
    for name, read in fields:
        record[name], at = read(data, at)
    return record, at


def _long_text(data: bytes, at: int) -> tuple[str, int]:
    number, at = read_long(data, at)
    return str(number), at


def _boolean_text(data: bytes, at: int) -> tuple[str, int]:
    return ("false", "true")[data[at]], at + 1


def _double_text(data: bytes, at: int) -> tuple[str, int]:
    number, at = read_double(data, at)
    return double_text(number), at


def _timestamp_text(data: bytes, at: int) -> tuple[str, int]:
    """As `core.values.moment_text` writes it, without a time in between."""
    microseconds, at = read_long(data, at)
    day, rest = divmod(microseconds, _A_DAY)
    minute, rest = divmod(rest, _A_MINUTE)
    second, fraction = divmod(rest, _A_SECOND)
    return f"{_day_text(day)}T{_MINUTES[minute]}:{second:02d}.{fraction:06d}Z", at


def _date_text(data: bytes, at: int) -> tuple[str, int]:
    days, at = read_long(data, at)
    return _day_text(days), at


@lru_cache(maxsize=16_384)
def _day_text(days: int) -> str:
    """So many are more than forty years."""
    return (_FIRST_DAY + timedelta(days)).isoformat()


def _decimal_text(precision: int, scale: int, data: bytes, at: int) -> tuple[str, int]:
    number, at = read_decimal(precision, scale, data, at)
    return amount_text(number), at


_LEAVES: Mapping[tuple[str, str | None], Read] = {
    ("string", None): read_string,
    ("long", None): _long_text,
    ("boolean", None): _boolean_text,
    ("double", None): _double_text,
    ("long", "timestamp-micros"): _timestamp_text,
    ("int", "date"): _date_text,
    ("null", None): read_null,
}
"""By type and logical type."""


def text_reader(schema: Any) -> Read | None:  # noqa: ANN401  (a schema as fastavro keeps it)
    """Of a field that is no union; None where it is not read as text."""
    if isinstance(schema, str):
        schema = {"type": schema}
    kind, logical = schema["type"], schema.get("logicalType")
    if (kind, logical) == ("bytes", "decimal"):
        return partial(_decimal_text, schema["precision"], schema.get("scale", 0))
    return _LEAVES.get((kind, logical))
