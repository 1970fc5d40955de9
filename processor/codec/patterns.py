"""Regular expressions of Avro's bytes (specification 1.12): where each value of a record begins and ends (ADR 0049).

One match finds in two microseconds what readers find in twenty, since no value costs a call. What fits a pattern is
read by the schema's own readers without an error, and they end where it ends. Not all that they read fits: texts of 64
bytes and more, or with NUL in them, and times far from ours are left to them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from processor.codec.errors import NotCompiled

Schema: TypeAlias = Any

_LONGEST = 64
"""Lengths below take one byte."""
_LONGEST_NUMBER = 17
"""Bytes of a decimal's number; whoever reads it looks whether it has more digits than its schema allows."""
_UP_TO_63_BITS = rb"[\x80-\xff]{0,8}[\x00-\x7f]"
_DAYS_OF_THE_CALENDAR = rb"(?:[\x80-\xff]?[\x00-\x7f]|[\x80-\xff]{2}[\x00-\x3f])"
"""Between the years 534 and 3405."""
_TIMES_OF_THE_CALENDAR = rb"[\x80-\xff]{7}[\x00-\x7f]"
"""Between the years 828 and 3111."""


def pattern_of(schema: Schema) -> bytes:
    """Of a type's bytes, without groups. Raises NotCompiled for a type that has none."""
    if isinstance(schema, list):
        null, other = branches_of(schema)
        return b"(?:%b|%b%b)" % (_literal(null), _literal(other[0]), pattern_of(other[1]))
    if isinstance(schema, str):
        schema = {"type": schema}
    pattern = _PATTERNS.get((schema["type"], schema.get("logicalType")))
    if pattern is None:
        raise NotCompiled
    return pattern


def branches_of(union: Sequence[Schema]) -> tuple[bytes, tuple[bytes, Schema]]:
    """The byte that stands for null, and that of the only other branch with its type. Raises NotCompiled."""
    if len(union) != 2 or "null" not in union:
        raise NotCompiled
    null = union.index("null")
    return bytes([null << 1]), (bytes([(1 - null) << 1]), union[1 - null])


def _sized(longest: int, one: bytes) -> bytes:
    """A length of one byte, doubled as all numbers are, and so many of `one`."""
    sizes = [_literal(bytes([size << 1])) + one + b"{%d}" % size for size in range(1, longest)]
    return b"(?:%b)" % b"|".join([_literal(b"\0"), *sizes])


def _literal(data: bytes) -> bytes:
    return re.escape(data)


_PATTERNS: Mapping[tuple[str, str | None], bytes] = {
    ("string", None): _sized(_LONGEST, rb"[^\x00]"),
    ("bytes", "decimal"): _sized(_LONGEST_NUMBER, b"."),
    ("int", None): _UP_TO_63_BITS,
    ("long", None): _UP_TO_63_BITS,
    ("int", "date"): _DAYS_OF_THE_CALENDAR,
    ("long", "timestamp-micros"): _TIMES_OF_THE_CALENDAR,
    ("boolean", None): rb"[\x00\x01]",
    ("double", None): b".{8}",
    ("enum", None): rb"[\x00-\x7f]",
}
"""By type and logical type."""
