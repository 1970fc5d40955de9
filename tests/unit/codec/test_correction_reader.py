"""What is found in a correction's bytes is what its readers read there, or is left to them (ADR 0049)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec, DecodeError
from processor.codec.correction_reader import MOST_KEPT, CorrectionReader
from processor.codec.correction_records import correction_from_wire
from processor.codec.correction_schema import correction_name, values_name
from processor.codec.decoding import compiled
from processor.codec.framing import header_of
from processor.codec.rows import Row
from processor.core.catalog import FieldSpec, ObjectType
from processor.core.correction import Answer, Correction, Op, Result, Source
from processor.core.frozen import dataclass
from processor.core.rows import columns, with_nul
from processor.core.values import Values, from_wire
from tests.unit.codec.catalogs import OBJECTS, catalog_of
from tests.unit.codec.records import CATALOG, CORRECTION
from tests.unit.codec.strategies import corrections_of, wire_values

ALL = catalog_of(*OBJECTS)
CODEC = Codec.open(None, ALL)
KINDS = tuple(ALL.objects.values())


def reader_of(kind: ObjectType) -> CorrectionReader:
    (schema,) = [each for each in CODEC.schemas_of(Correction) if each.record.name == correction_name(kind.name)]
    read = compiled(schema.parsed, frozenset({values_name(kind.name)}))
    assert read is not None
    return CorrectionReader(schema.parsed, kind.owned, read)


READERS = {kind.name: reader_of(kind) for kind in KINDS}


def by_fastavro(data: bytes, begin: int, kind: ObjectType) -> Correction:
    (schema,) = [each for each in CODEC.schemas_of(Correction) if each.record.name == correction_name(kind.name)]
    body = BytesIO(data)
    body.seek(begin)
    wire: Any = schemaless_reader(body, schema.parsed, None)
    assert body.tell() == len(data)
    return correction_from_wire(wire, kind.owned)
