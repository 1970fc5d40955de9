"""Functions that write canonical text (`core.values`) as the value that it stands for, without Python's in between."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from processor.codec.primitive_writers import (
    write_date,
    write_decimal,
    write_double,
    write_long,
    write_microseconds,
    write_string,
)


def _write_long(text: str) -> bytes:
    return write_long(int(text))


def _write_double(text: str) -> bytes:
    return write_double(float(text))


def _write_timestamp(text: str) -> bytes:
    return write_microseconds(datetime.fromisoformat(text))


def _write_date(text: str) -> bytes:
    return write_date(date.fromisoformat(text))


LEAVES: Mapping[tuple[str, str | None], Callable[[str], bytes]] = {
    ("string", None): write_string,
    ("long", None): _write_long,
    ("boolean", None): {"false": b"\x00", "true": b"\x01"}.__getitem__,
    ("double", None): _write_double,
    ("long", "timestamp-micros"): _write_timestamp,
    ("int", "date"): _write_date,
}
"""By type and logical type."""


def decimal_leaf(precision: int, scale: int) -> Callable[[str], bytes]:
    write = partial(write_decimal, precision, scale)
    return lambda text: write(Decimal(text))
