"""Corrections as an applier reads them off the wire: rows whose fields are found and not yet read (ADR 0049)."""

from contextlib import suppress
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer

from processor.codec.rows import RowReader
from processor.core.catalog import FieldSpec, Kind
from processor.core.correction import Correction
from processor.core.values import Values, to_wire
from tests.integration.applier.catalog import CATALOG

_TYPES: dict[Kind, Any] = {
    Kind.DATE: {"type": "int", "logicalType": "date"},
    Kind.TIMESTAMP: {"type": "long", "logicalType": "timestamp-micros"},
}


def arrived(correction: Correction) -> Correction:
    """A row that no pattern fits, or that holds what its schema cannot carry, stays as it is."""
    if correction.source.object not in CATALOG.objects:
        return correction
    name = correction.source.object
    return replace(correction, before=_row(name, correction.before), after=_row(name, correction.after))


def _row(name: str, held: Values | None) -> Values | None:
    if held is None:
        return None
    schema, read = _schema(name)
    out = BytesIO()
    fields = CATALOG.objects[name].owned
    found = None
    with suppress(ValueError):
        schemaless_writer(out, schema, {field.name: to_wire(field, held.get(field.name)) for field in fields})
        found = read(out.getvalue(), 0)
    return held if found is None else found[0]


@cache
def _schema(name: str) -> tuple[Any, RowReader]:
    owned = CATALOG.objects[name].owned
    fields = [{"name": field.name, "type": ["null", _type(field)]} for field in owned]
    schema: Any = parse_schema({"type": "record", "name": f"{name}Values", "fields": fields})
    return schema, RowReader(schema, [field.name for field in owned])


def _type(field: FieldSpec) -> Any:
    if field.kind is Kind.DECIMAL:
        return {"type": "bytes", "logicalType": "decimal", "precision": field.precision, "scale": field.scale}
    return _TYPES.get(field.kind, field.kind.value)
