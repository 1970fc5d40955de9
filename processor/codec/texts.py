"""A record whose fields are read as canonical text (`core.values`), without Python's values in between."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import partial

from processor.codec.primitives import (
    Read,
    read_date,
    read_decimal,
    read_double,
    read_long,
    read_null,
    read_string,
    read_timestamp,
)
from processor.core.values import amount_text, double_text, moment_text


class Texts(dict[str, str | None]):
    """Field name to canonical text."""


class TextsReader:
    """One such record after the other; not for several threads at once.

    A row as it shall be is mostly the row as it was, byte for byte, and stands behind it. A field's bytes themselves
    say where they end: where the same bytes stand, there stands the same field. So only what differs is read.
    """

    def __init__(self, fields: Sequence[tuple[str, Read]]) -> None:
        """`fields` may still grow: a schema can name a record before it is complete."""
        self._fields = fields
        self._data: bytes | None = None
        self._begin = 0
        self._ends: list[int] = []
        self._record = Texts()

    def __call__(self, data: bytes, at: int) -> tuple[Texts, int]:
        if data is self._data and self._ends:
            return self._beside_the_last(data, at)
        record, begin, ends = Texts(), at, []
        for name, read in self._fields:
            record[name], at = read(data, at)
            ends.append(at)
        self._data, self._begin, self._ends, self._record = data, begin, ends, record
        return record, at

    def _beside_the_last(self, data: bytes, at: int) -> tuple[Texts, int]:
        record, ends = Texts(self._record), [self._begin, *self._ends]
        known = data[ends[0] : ends[-1]]
        first = bisect_right(ends, ends[0] + _alike(known, data[at : at + len(known)])) - 1
        at += ends[first] - ends[0]
        for n in range(first, len(self._fields)):
            rest = data[ends[n] : ends[-1]]
            if data[at : at + len(rest)] == rest:
                return record, at + len(rest)
            name, read = self._fields[n]
            record[name], at = read(data, at)
        return record, at


def _alike(left: bytes, right: bytes) -> int:
    """With how many same bytes both begin."""
    size = min(len(left), len(right))
    differing = int.from_bytes(left[:size], "big") ^ int.from_bytes(right[:size], "big")
    return size - (differing.bit_length() + 7) // 8


def _long_text(data: bytes, at: int) -> tuple[str, int]:
    number, at = read_long(data, at)
    return str(number), at


def _boolean_text(data: bytes, at: int) -> tuple[str, int]:
    return ("false", "true")[data[at]], at + 1


def _double_text(data: bytes, at: int) -> tuple[str, int]:
    number, at = read_double(data, at)
    return double_text(number), at


def _timestamp_text(data: bytes, at: int) -> tuple[str, int]:
    moment, at = read_timestamp(data, at)
    return moment_text(moment), at


def _date_text(data: bytes, at: int) -> tuple[str, int]:
    day, at = read_date(data, at)
    return day.isoformat(), at


def _decimal_text(precision: int, scale: int, data: bytes, at: int) -> tuple[str, int]:
    number, at = read_decimal(precision, scale, data, at)
    return amount_text(number), at


LEAVES: Mapping[tuple[str, str | None], Read] = {
    ("string", None): read_string,
    ("long", None): _long_text,
    ("boolean", None): _boolean_text,
    ("double", None): _double_text,
    ("long", "timestamp-micros"): _timestamp_text,
    ("int", "date"): _date_text,
    ("null", None): read_null,
}
"""By type and logical type."""


def decimal_leaf(precision: int, scale: int) -> Read:
    return partial(_decimal_text, precision, scale)
