"""Corrections read by what repeats in them (ADR 0049).

A row's fields are found, and read only where somebody asks. What a batch of the processor sent has sources that differ
in few fields: the others are read once.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from processor.codec.correction_records import correction_from_wire
from processor.codec.errors import DecodeError, NotCompiled
from processor.codec.keeping import keep
from processor.codec.patterns import pattern_of
from processor.codec.primitives import UNFIT, Read
from processor.codec.rows import Row, RowReader
from processor.codec.source_reader import Known, known_of, source_like, source_pattern
from processor.core.catalog import FieldSpec
from processor.core.correction import Correction, Op, Parent
from processor.core.errors import CoreError

Schema: TypeAlias = Any
_Kept: TypeAlias = tuple[Op, Parent | None, Known]
"""What corrections have in common that differ in what varies alone: operation, parent, the fields of their sources."""

MOST_KEPT = 1_024
LONGEST_KEPT = 4_096
"""Bytes of a source: what is kept may not grow with what others write."""
_FIELDS = ("op", "before", "after", "parent", "source")
_NULL, _SOME = b"\x00", b"\x02"
_LONG_NUMBER = b"\x80"
"""From here on a number has another byte."""
_PARENT = rb"(\x00|\x02%b%b)"
"""Stands before the source."""


class Arrived(NamedTuple):
    """A correction, and the bytes of its source for an answer to carry back; None where they may not go as they are."""

    correction: Correction
    source: bytes | None


class CorrectionReader:
    """Of one schema. What it cannot read `read` has to, the reader that was made for the schema."""

    def __init__(self, schema: Schema, fields: Sequence[FieldSpec], read: Read) -> None:
        """Raises NotCompiled for a schema that is not what a correction's is."""
        by_name = {each["name"]: each["type"] for each in schema["fields"]}
        if tuple(by_name) != _FIELDS:
            raise NotCompiled
        self._row = RowReader(by_name["before"][1], [field.name for field in fields])
        string = pattern_of("string")
        self._source = re.compile(_PARENT % (string, string) + source_pattern(by_name["source"]), re.DOTALL).match
        self._fields = fields
        self._read = read
        self._kept: dict[tuple[bytes, ...], _Kept] = {}

    def __len__(self) -> int:
        """How many kinds of sources are kept."""
        return len(self._kept)

    def __call__(self, data: bytes, at: int) -> Arrived | None:
        """None where it has to be read field by field, be it only for what is wrong with it."""
        try:
            return self._found(data, at)
        except (*UNFIT, DecodeError, CoreError):
            return None

    def _found(self, data: bytes, at: int) -> Arrived | None:
        before, end = self._optional_row(data, at + 1)
        after, end = self._optional_row(data, end)
        match = self._source(data, end)
        if match is None:
            return None
        parent, request_id, chunk, correction_id, district_object, key, asked_as, rest = match.groups()
        alike = data[at : at + 1], parent, district_object, rest
        kept = self._kept.get(alike) or self._learn(alike, data, at)
        op, above, known = kept
        source = source_like(known, request_id, chunk, correction_id, key, asked_as)
        return Arrived(Correction(op, before, after, above, source), data[match.end(1) :])

    def _optional_row(self, data: bytes, at: int) -> tuple[Row | None, int]:
        branch = data[at : at + 1]
        if branch == _NULL:
            return None, at + 1
        found = self._row(data, at + 1) if branch == _SOME else None
        if found is None:
            raise ValueError("no row that fits")
        return found

    def _learn(self, alike: tuple[bytes, ...], data: bytes, at: int) -> _Kept:
        """From the first one of its kind, read field by field."""
        if alike[0] >= _LONG_NUMBER:
            raise ValueError("an operation of more bytes than one")
        wire, end = self._read(data, at)
        if end != len(data):
            raise ValueError("more bytes than the record has")
        read = correction_from_wire(wire, self._fields)
        kept = read.op, read.parent, known_of(read.source)
        if sum(map(len, alike)) <= LONGEST_KEPT:
            keep(self._kept, alike, kept, MOST_KEPT)
        return kept
