"""How a record becomes bytes: field by field, or without writing anew what repeats."""

from collections.abc import Callable
from typing import Any, TypeAlias

from processor.codec.correction_schema import values_name
from processor.codec.correction_writer import CorrectionWriter
from processor.codec.encoding import RecordWriter, Schema, Write, compiled
from processor.codec.record_types import RecordType
from processor.codec.repeating import REPEATING, RepeatingWriter
from processor.core.catalog import ObjectType

Body: TypeAlias = Callable[[Any], bytes]


def body_writer(record: RecordType, write: Write) -> Body:
    """Writes records of a type by the writer of its schema."""
    repeating, to_wire = REPEATING.get(record.type), record.to_wire
    if repeating is None or not isinstance(write, RecordWriter):
        return lambda each: write(to_wire(each))
    return RepeatingWriter(write, to_wire, repeating)


def correction_writer(kind: ObjectType, parsed: Schema) -> Body | None:
    """Writes an object's corrections by their schema, from texts; None where no writer is made of it."""
    write = compiled(parsed, frozenset({values_name(kind.name)}))
    return CorrectionWriter(write, kind) if isinstance(write, RecordWriter) else None
