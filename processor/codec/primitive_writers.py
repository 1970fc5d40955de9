"""Functions that write one value of a type of Avro's, or that make such a function (Avro specification 1.12)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from struct import pack
from typing import Any, TypeAlias

Write: TypeAlias = Callable[[Any], bytes]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_END = b"\x00"


def write_varint(number: int) -> bytes:
    """Raises OverflowError for a number of more than 64 bits."""
    rest = (number << 1) ^ (number >> 63)
    if rest >> 64:
        raise OverflowError("a number of more than 64 bits")
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_SHORT = [write_varint(number) for number in range(1_024)]
"""Lengths and counts, most of all."""


def write_long(number: int) -> bytes:
    return _SHORT[number] if 0 <= number < len(_SHORT) else write_varint(number)


class _Lengths(dict[int, bytes]):
    """What stands before so many bytes."""

    def __init__(self, before: bytes) -> None:
        self._before = before
        super().__init__((number, before + length) for number, length in enumerate(_SHORT))

    def __missing__(self, number: int) -> bytes:
        return self._before + write_varint(number)


lengths_after = cache(_Lengths)
_LENGTHS = lengths_after(b"")


def write_string(text: str) -> bytes:
    data = text.encode()
    return _LENGTHS[len(data)] + data


def write_boolean(value: bool) -> bytes:  # noqa: FBT001  (a value as any other)
    return b"\x01" if value else b"\x00"


def write_timestamp(moment: datetime) -> bytes:
    """Both times of an hour that occurs twice are equal to Python, so the second one is not looked up."""
    return write_microseconds(moment) if moment.fold else _remembered(moment)


def write_microseconds(moment: datetime) -> bytes:
    """A time, whether or not others have been the same."""
    return write_varint((moment - _EPOCH) // _MICROSECOND)


_remembered = lru_cache(maxsize=256)(write_microseconds)
"""All that a batch decides has one time."""


def write_double(number: float) -> bytes:
    return pack("<d", number)


def write_date(day: date) -> bytes:
    return write_varint((day - _FIRST_DAY).days)


def write_decimal(precision: int, scale: int, number: Decimal) -> bytes:
    """Raises ValueError where digits would be lost."""
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or exponent + scale < 0 or len(digits) > precision:
        raise ValueError(f"a decimal of more than {precision} digits, or more than {scale} after the point")
    unscaled: int = int("".join(map(str, digits))) * 10 ** (exponent + scale)
    size = (unscaled.bit_length() + 8) // 8
    return write_long(size) + (-unscaled if sign else unscaled).to_bytes(size, "big", signed=True)


def optional(symbol: bytes, null: bytes, write_value: Write) -> Write:
    """A writer of a value, or of null."""

    def write(value: object) -> bytes:
        return null if value is None else symbol + write_value(value)

    return write


def optional_string(symbol: bytes, null: bytes) -> Write:
    """A writer of what most fields of rows are, so in one step."""
    lengths = lengths_after(symbol)

    def write(text: str | None) -> bytes:
        if text is None:
            return null
        data = text.encode()
        return lengths[len(data)] + data

    return write


def write_array(write: Write, values: Any) -> bytes:  # noqa: ANN401  (a sized iterable)
    return write_long(len(values)) + b"".join(map(write, values)) + _END if len(values) else _END
