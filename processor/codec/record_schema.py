"""A record of this release with its schema, as it is written."""

import json
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer

from processor.codec import encoding
from processor.codec.bodies import Body, body_writer, correction_writer
from processor.codec.record_types import RecordType
from processor.codec.schema_text import Schema, fingerprint, logical_types
from processor.codec.wire import Wire
from processor.core.catalog import ObjectType


@dataclass(frozen=True, slots=True)
class RecordSchema:
    """`text` is what a registry holds; `fingerprint` names the schema without one."""

    record: RecordType
    text: str
    parsed: Any
    fingerprint: int
    meaning: frozenset[tuple[str, str]]
    write: encoding.Write
    """A record as Avro's fields to its bytes."""
    body: Body
    """A record to its bytes."""


def record_schema(record: RecordType, schema: Schema, corrected: ObjectType | None = None) -> RecordSchema:
    text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    parsed, meaning = parse_schema(schema), frozenset(logical_types(schema))
    write = encoding.compiled(parsed) or partial(_by_fastavro, parsed)
    body = None if corrected is None else correction_writer(corrected, parsed)
    return RecordSchema(record, text, parsed, fingerprint(schema), meaning, write, body or body_writer(record, write))


def _by_fastavro(parsed: Any, wire: Wire) -> bytes:  # noqa: ANN401  (a schema as fastavro keeps it)
    out = BytesIO()
    schemaless_writer(out, parsed, wire)
    return out.getvalue()
