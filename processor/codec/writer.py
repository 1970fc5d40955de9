"""Who wrote some bytes: a schema of this release or of another, and the reader of what it wrote."""

import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader
from fastavro.read import SchemaResolutionError

from processor.codec import decoding
from processor.codec.answer_reader import AnswerReader, answer_reader
from processor.codec.correction_reader import Arrived, CorrectionReader
from processor.codec.correction_schema import object_of, values_name
from processor.codec.errors import DecodeError, NotCompiled
from processor.codec.outcome_reader import OutcomeReader, outcome_reader
from processor.codec.record_schema import RecordSchema
from processor.codec.record_types import Record
from processor.codec.request_reader import RequestReader, request_reader
from processor.codec.schema_text import Schema, fingerprint, logical_types
from processor.codec.wire import Wire
from processor.core.catalog import FieldSpec
from processor.core.errors import CoreError, Reason

_UNREADABLE = (
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    struct.error,
    SchemaResolutionError,
)
"""What fastavro raises on bytes that do not fit their schema."""


@dataclass(frozen=True, slots=True)
class Writer:
    """The schema that wrote values with a header, and the record of this release that they are read as, if any.

    `resolve_to` is None where both schemas read bytes alike; there may then be a reader made for them, of corrections
    one that finds rather than reads (ADR 0049), and of requests, answers and outcomes one that knows what repeats.
    """

    header: bytes
    name: str
    parsed: Any
    reads: RecordSchema | None
    resolve_to: Any = None
    read: decoding.Read | None = None
    corrections: CorrectionReader | None = None
    answers: AnswerReader | None = None
    outcomes: OutcomeReader | None = None
    requests: RequestReader | None = None

    def arrived(self, data: bytes) -> Arrived | None:
        """None where the record is to be read otherwise, or is no correction."""
        return None if self.corrections is None else self.corrections(data, len(self.header))

    def record(self, data: bytes) -> Record:
        """Raises DecodeError; `reads` is not None."""
        if self.reads is None:
            raise TypeError(f"{self.name} is no record of this release")
        if self.answers is not None and (answer := self.answers(data, len(self.header))) is not None:
            return answer
        wire = self._wire(data)
        try:
            return self.reads.record.from_wire(wire)
        except DecodeError:
            raise
        except CoreError as fault:
            raise DecodeError(
                Reason.UNDECODABLE, f"{self.reads.record.name}: the field {fault.detail} cannot be read"
            ) from None
        except OverflowError:
            raise DecodeError(Reason.UNDECODABLE, f"{self.reads.record.name}: a time beyond the calendar") from None

    def _wire(self, data: bytes) -> Wire:
        begin = len(self.header)
        if self.read is not None:
            with suppress(*decoding.UNFIT):  # fastavro then says what is wrong
                wire, end = self.read(data, begin)
                if end == len(data):
                    return cast("Wire", wire)
        body = BytesIO(data)
        body.seek(begin)
        try:
            found = schemaless_reader(body, self.parsed, self.resolve_to)
        except _UNREADABLE as fault:
            raise DecodeError(
                Reason.UNDECODABLE, f"the value ends early or is damaged: not a {self.name} ({type(fault).__name__})"
            ) from None
        trailing = len(data) - body.tell()
        if trailing:
            raise DecodeError(Reason.UNDECODABLE, f"{trailing} bytes follow the end of the {self.name}")
        return cast("Wire", found)


def writer_of(
    schema: Schema,
    header: bytes,
    parsed: Any,  # noqa: ANN401
    reads: RecordSchema,
    fields: Sequence[FieldSpec],
) -> Writer:
    """`fields`: of a correction's object, as the catalog has them."""
    name = reads.record.name
    alike = fingerprint(schema) == reads.fingerprint and frozenset(logical_types(schema)) == reads.meaning
    if not alike:
        return Writer(header, name, parsed, reads, reads.parsed)
    object_name = object_of(name)
    if object_name is None:
        read = decoding.compiled(parsed)
        outcomes = outcome_reader(header, reads.record, parsed)
        requests = request_reader(header, reads.record, parsed, read)
        answers = answer_reader(reads.record, parsed, read)
        return Writer(header, name, parsed, reads, read=read, answers=answers, outcomes=outcomes, requests=requests)
    read = decoding.compiled(parsed, frozenset({values_name(object_name)}))
    corrections = None
    if read is not None:
        with suppress(NotCompiled):
            corrections = CorrectionReader(parsed, fields, read)
    return Writer(header, name, parsed, reads, read=read, corrections=corrections)


def parsed_schema(schema: Schema) -> tuple[str, Any]:
    """Its record's name, and the schema as fastavro keeps it."""
    parsed = parse_schema(schema)
    return (parsed["name"] if isinstance(parsed, dict) and "name" in parsed else "schema without a name"), parsed
