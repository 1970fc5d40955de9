"""Readers made for one schema each, of functions that are chosen once (Avro specification 1.12, binary encoding).

They give what fastavro gives, in less time (ADR 0046), for all types that our records are made of. Where bytes do not
fit their schema they raise one of `UNFIT`, or end elsewhere than the bytes do: fastavro then says what is wrong.

A reader is given all bytes and where its value begins, and gives the value and where the next one begins.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from struct import error, unpack_from
from typing import Any, TypeAlias

from processor.core.values import moment_text

Read: TypeAlias = Callable[[bytes, int], tuple[Any, int]]
Schema: TypeAlias = Any

UNFIT = (LookupError, ValueError, ArithmeticError, TypeError, error)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1)
_SURE = 63
_MOST = 70
"""So many bits, of which 64 count, are in the ten bytes that a long may have."""
_ONE_BYTE = 0x80
"""A length below is that of a text of less than 64 bytes, doubled, or is negative where it is odd."""
_NEGATIVE_OR_LONG = 0x81
_A_TIME = 8
"""Bytes of a time between 1978 and 3111, in microseconds."""


class NotCompiled(Exception):
    """The schema has a type that no reader is made of."""


class Texts(dict[str, str | None]):
    """A record whose fields were read as canonical text (`core.values`), without Python's values in between."""


def compiled(schema: Schema, texts: frozenset[str] = frozenset()) -> Read | None:
    """A reader of a parsed schema's records; None where fastavro has to read them.

    `texts`: full names of records that are read as `Texts`.
    """
    try:
        return _Compiler(texts).reader(schema)
    except NotCompiled:
        return None


def _long(data: bytes, at: int) -> tuple[int, int]:
    """Raises ValueError for more than 64 bits."""
    byte = data[at]
    at += 1
    number, shift = byte & 0x7F, 7
    while byte >= _ONE_BYTE:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
    if shift > _SURE and (shift > _MOST or number >> 64):
        raise ValueError("more than 64 bits")
    return (number >> 1) ^ -(number & 1), at


def _size(data: bytes, at: int) -> tuple[int, int]:
    size, at = _long(data, at)
    if size < 0:
        raise ValueError("a negative length")
    return size, at


def _string(data: bytes, at: int) -> tuple[str, int]:
    size = data[at]
    if size & _NEGATIVE_OR_LONG:
        size, at = _size(data, at)
    else:
        size >>= 1
        at += 1
    end = at + size
    return data[at:end].decode(), end


def _boolean(data: bytes, at: int) -> tuple[bool, int]:
    return (False, True)[data[at]], at + 1


@lru_cache(maxsize=1_024)
def _moment_in(data: bytes) -> datetime | None:
    """What eight bytes say, where they are just one long: so are the times of our days.

    All that a batch decides has one time, so it is remembered.
    """
    number, end = _long(data, 0) if data and data[-1] < _ONE_BYTE else (0, 0)
    return _EPOCH + timedelta(microseconds=number) if end == _A_TIME else None


def _timestamp(data: bytes, at: int) -> tuple[datetime, int]:
    if (moment := _moment_in(data[at : at + _A_TIME])) is not None:
        return moment, at + _A_TIME
    microseconds, at = _long(data, at)
    return _EPOCH + timedelta(microseconds=microseconds), at


def _double(data: bytes, at: int) -> tuple[float, int]:
    (number,) = unpack_from("<d", data, at)
    return number, at + 8


@lru_cache(maxsize=1_024)
def _day(days: int) -> date:
    return _FIRST_DAY + timedelta(days=days)


def _date(data: bytes, at: int) -> tuple[date, int]:
    days, at = _long(data, at)
    return _day(days), at


def _decimal(precision: int, scale: int, data: bytes, at: int) -> tuple[Decimal, int]:
    """Raises ValueError for more digits than the schema allows."""
    size, at = _size(data, at)
    unscaled = int.from_bytes(data[at : at + size], "big", signed=True)
    if abs(unscaled) >= 10**precision:
        raise ValueError("more digits than the precision")
    return Decimal(unscaled).scaleb(-scale), at + size


def _symbol(symbols: Mapping[int, str], data: bytes, at: int) -> tuple[str, int]:
    place, at = _long(data, at)
    return symbols[place], at


def _array(read: Read, data: bytes, at: int) -> tuple[list[Any], int]:
    values = []
    count, at = _long(data, at)
    while count:
        if count < 0:
            count = -count
            _, at = _long(data, at)
        if count > len(data):
            raise ValueError("more values than bytes")
        for _ in range(count):
            value, at = read(data, at)
            values.append(value)
        count, at = _long(data, at)
    return values, at


def _optional(null: int, other: int, read: Read, data: bytes, at: int) -> tuple[Any, int]:
    branch = data[at]
    if branch == null:
        return None, at + 1
    if branch != other:
        raise ValueError("no such branch")
    return read(data, at + 1)


def _optional_string(null: int, other: int, data: bytes, at: int) -> tuple[str | None, int]:
    """The commonest field."""
    branch = data[at]
    if branch == other:
        size = data[at + 1]
        if not size & _NEGATIVE_OR_LONG:
            at += 2
            end = at + (size >> 1)
            return data[at:end].decode(), end
    return _optional(null, other, _string, data, at)


def _branch(readers: Mapping[int, Read], data: bytes, at: int) -> tuple[Any, int]:
    place, at = _long(data, at)
    return readers[place](data, at)


def _null(_data: bytes, at: int) -> tuple[None, int]:
    return None, at


def _record(fields: Sequence[tuple[str, Read]], data: bytes, at: int) -> tuple[dict[str, Any], int]:
    record = {}
    for name, read in fields:
        record[name], at = read(data, at)
    return record, at


def _long_text(data: bytes, at: int) -> tuple[str, int]:
    number, at = _long(data, at)
    return str(number), at


def _boolean_text(data: bytes, at: int) -> tuple[str, int]:
    return ("false", "true")[data[at]], at + 1


def _double_text(data: bytes, at: int) -> tuple[str, int]:
    number, at = _double(data, at)
    return repr(number + 0.0), at


def _timestamp_text(data: bytes, at: int) -> tuple[str, int]:
    moment, at = _timestamp(data, at)
    return moment_text(moment), at


def _date_text(data: bytes, at: int) -> tuple[str, int]:
    day, at = _date(data, at)
    return day.isoformat(), at


def _decimal_text(precision: int, scale: int, data: bytes, at: int) -> tuple[str, int]:
    number, at = _decimal(precision, scale, data, at)
    return format(abs(number) if number == 0 else number, "f"), at


def _texts(fields: Sequence[tuple[str, Read]], data: bytes, at: int) -> tuple[Texts, int]:
    record = Texts()
    for name, read in fields:
        record[name], at = read(data, at)
    return record, at


_TEXT: Mapping[tuple[str, str | None], Read] = {
    ("string", None): _string,
    ("long", None): _long_text,
    ("boolean", None): _boolean_text,
    ("double", None): _double_text,
    ("long", "timestamp-micros"): _timestamp_text,
    ("int", "date"): _date_text,
    ("null", None): _null,
}
_PRIMITIVE: Mapping[str, Read] = {
    "string": _string,
    "long": _long,
    "int": _long,
    "boolean": _boolean,
    "double": _double,
    "null": _null,
}


@dataclass(frozen=True, slots=True)
class _Compiler:
    """What a schema has named so far, by full names."""

    texts: frozenset[str]
    named: dict[str, Read] = field(default_factory=dict)

    def reader(self, schema: Schema, *, as_text: bool = False) -> Read:
        """Raises NotCompiled."""
        if isinstance(schema, list):
            return self._union(schema, as_text=as_text)
        if isinstance(schema, str):
            schema = {"type": schema}
        make = self._text if as_text else self._made
        made = make(schema["type"], schema.get("logicalType"), schema)
        if made is None:
            raise NotCompiled
        return made

    def _text(self, kind: str, logical: str | None, schema: Schema) -> Read | None:
        if (kind, logical) == ("bytes", "decimal"):
            return partial(_decimal_text, schema["precision"], schema.get("scale", 0))
        return _TEXT.get((kind, logical))

    def _made(self, kind: str, logical: str | None, schema: Schema) -> Read | None:
        made: Read | None = None
        match kind, logical:
            case "long", "timestamp-micros":
                made = _timestamp
            case "int", "date":
                made = _date
            case "bytes", "decimal":
                made = partial(_decimal, schema["precision"], schema.get("scale", 0))
            case "record", None:
                fields: list[tuple[str, Read]] = []
                as_text = schema["name"] in self.texts
                made = self.named[schema["name"]] = partial(_texts if as_text else _record, fields)
                fields += [(each["name"], self.reader(each["type"], as_text=as_text)) for each in schema["fields"]]
            case "enum", None:
                made = self.named[schema["name"]] = partial(_symbol, dict(enumerate(schema["symbols"])))
            case "array", None:
                made = partial(_array, self.reader(schema["items"]))
            case name, None:
                made = _PRIMITIVE.get(name) or self.named.get(name)
        return made

    def _union(self, branches: list[Schema], *, as_text: bool) -> Read:
        readers = {place: self.reader(branch, as_text=as_text) for place, branch in enumerate(branches)}
        if len(branches) == 2 and "null" in branches:
            null = branches.index("null")
            if readers[1 - null] is _string:
                return partial(_optional_string, null << 1, (1 - null) << 1)
            return partial(_optional, null << 1, (1 - null) << 1, readers[1 - null])
        return partial(_branch, readers)
