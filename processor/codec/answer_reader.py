"""Answers read by what repeats in them: what a batch of the applier said is like few others (ADR 0169)."""

import re
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeAlias

from processor.codec.correction_records import answer_from_wire
from processor.codec.errors import DecodeError, NotCompiled
from processor.codec.keeping import Seen, keep
from processor.codec.primitives import UNFIT, Read
from processor.codec.record_types import RecordType
from processor.codec.source_reader import Known, known_of, source_like, source_pattern
from processor.core.correction import Answer, Result
from processor.core.errors import CoreError

Schema: TypeAlias = Any
_Kept: TypeAlias = tuple[Known, Result, str | None, datetime]
"""What answers have in common that differ in what is of one key alone."""

MOST_KEPT = 1_024
LONGEST_KEPT = 4_096
"""Bytes of what answers have alike: what is kept may not grow with what others write."""
_FIELDS = ("source", "result", "detail", "answered_at")


class AnswerReader:
    """Of one schema. What it cannot read, and the first of a kind, `read` has to, the reader made for the schema."""

    def __init__(self, schema: Schema, read: Read) -> None:
        """Raises NotCompiled for a schema that is not what an answer's is."""
        by_name = {each["name"]: each["type"] for each in schema["fields"]}
        if tuple(by_name) != _FIELDS:
            raise NotCompiled
        self._match = re.compile(source_pattern(by_name["source"]), re.DOTALL).match
        self._read = read
        self._kept: dict[tuple[bytes, bytes], _Kept] = {}
        self._seen = Seen(MOST_KEPT)

    def __len__(self) -> int:
        """How many kinds of answers are kept."""
        return len(self._kept)

    def __call__(self, data: bytes, at: int) -> Answer | None:
        """None where it has to be read field by field, be it only for what is wrong with it."""
        try:
            return self._found(data, at)
        except (*UNFIT, DecodeError, CoreError):
            return None

    def _found(self, data: bytes, at: int) -> Answer | None:
        match = self._match(data, at)
        if match is None:
            return None
        request_id, chunk, correction_id, place, key, asked_as, rest = match.groups()
        alike = place, rest
        kept = self._kept.get(alike)
        if kept is None:
            if not self._seen.before(alike):
                return None
            kept = self._learn(alike, data, at)
        known, result, detail, answered_at = kept
        source = source_like(known, request_id, chunk, correction_id, key, asked_as)
        return Answer(source, result, detail, answered_at)

    def _learn(self, alike: tuple[bytes, bytes], data: bytes, at: int) -> _Kept:
        """From one of its kind, read field by field."""
        wire, end = self._read(data, at)
        if end != len(data):
            raise ValueError("more bytes than the record has")
        answer = answer_from_wire(wire)
        kept = known_of(answer.source), answer.result, answer.detail, answer.answered_at
        if sum(map(len, alike)) <= LONGEST_KEPT:
            keep(self._kept, alike, kept, MOST_KEPT)
        return kept


def answer_reader(record: RecordType, parsed: Schema, read: Read | None) -> AnswerReader | None:
    """For a schema of answers that has our fields in our order; `parsed` is as fastavro keeps it."""
    if record.type is not Answer or read is None:
        return None
    with suppress(NotCompiled):
        return AnswerReader(parsed, read)
    return None
