"""Avro's simple types from bytes (specification 1.12, binary encoding).

Each is given all bytes and where its value begins, and gives the value and where the next one begins. Bytes that do not
fit raise one of `UNFIT`, or lead beyond the end.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from functools import lru_cache
from struct import error, unpack_from
from typing import Any, TypeAlias

Read: TypeAlias = Callable[[bytes, int], tuple[Any, int]]

UNFIT = (LookupError, ValueError, ArithmeticError, TypeError, error)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1)
_SURE = 63
_MOST = 70
"""So many bits, of which 64 count, are in the ten bytes that a long may have."""
_ONE_BYTE = 0x80
"""A length below is that of a text of less than 64 bytes, doubled, or is negative where it is odd."""
_NEGATIVE_OR_LONG = 0x81
_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)
"""Python's own context rounds to 28 digits, also where only the point is moved."""
_A_TIME = 8
"""Bytes of a time between 1978 and 3111, in microseconds."""


def read_long(data: bytes, at: int) -> tuple[int, int]:
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
    size, at = read_long(data, at)
    if size < 0:
        raise ValueError("a negative length")
    return size, at


def read_string(data: bytes, at: int) -> tuple[str, int]:
    size = data[at]
    if size & _NEGATIVE_OR_LONG:
        size, at = _size(data, at)
    else:
        size >>= 1
        at += 1
    end = at + size
    return data[at:end].decode(), end


def read_boolean(data: bytes, at: int) -> tuple[bool, int]:
    return (False, True)[data[at]], at + 1


@lru_cache(maxsize=1_024)
def _moment_in(data: bytes) -> datetime | None:
    """What eight bytes say, where they are just one long: so are the times of our days.

    All that a batch decides has one time, so it is remembered.
    """
    number, end = read_long(data, 0) if data and data[-1] < _ONE_BYTE else (0, 0)
    return _EPOCH + timedelta(microseconds=number) if end == _A_TIME else None


def read_timestamp(data: bytes, at: int) -> tuple[datetime, int]:
    if (moment := _moment_in(data[at : at + _A_TIME])) is not None:
        return moment, at + _A_TIME
    microseconds, at = read_long(data, at)
    return _EPOCH + timedelta(microseconds=microseconds), at


def read_double(data: bytes, at: int) -> tuple[float, int]:
    (number,) = unpack_from("<d", data, at)
    return number, at + 8


@lru_cache(maxsize=1_024)
def _day(days: int) -> date:
    return _FIRST_DAY + timedelta(days=days)


def read_date(data: bytes, at: int) -> tuple[date, int]:
    days, at = read_long(data, at)
    return _day(days), at


def read_decimal(precision: int, scale: int, data: bytes, at: int) -> tuple[Decimal, int]:
    """Raises ValueError for more digits than the schema allows."""
    size, at = _size(data, at)
    unscaled = int.from_bytes(data[at : at + size], "big", signed=True)
    if abs(unscaled) >= 10**precision:
        raise ValueError("more digits than the precision")
    return Decimal(unscaled).scaleb(-scale, _EXACT), at + size


def read_optional(null: int, other: int, read: Read, data: bytes, at: int) -> tuple[Any, int]:
    branch = data[at]
    if branch == null:
        return None, at + 1
    if branch != other:
        raise ValueError("no such branch")
    return read(data, at + 1)


def read_optional_string(null: int, other: int, data: bytes, at: int) -> tuple[str | None, int]:
    """The commonest field."""
    branch = data[at]
    if branch == other:
        size = data[at + 1]
        if not size & _NEGATIVE_OR_LONG:
            at += 2
            end = at + (size >> 1)
            return data[at:end].decode(), end
    return read_optional(null, other, read_string, data, at)


def read_null(_data: bytes, at: int) -> tuple[None, int]:
    return None, at
