"""Compiled writers give the bytes that fastavro gives."""

from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec, Record
from processor.codec.encoding import RecordWriter, compiled
from processor.codec.framing import single_object_header
from processor.core.history import KeyOutcome
from tests.unit.codec.records import CATALOG
from tests.unit.codec.strategies import OUTCOMES, RECORDS

CODEC = Codec.open(None, CATALOG)


def by_fastavro(parsed: Any, value: Any) -> bytes:
    out = BytesIO()
    schemaless_writer(out, parsed, value)
    return out.getvalue()


@given(RECORDS)
def test_records_are_the_same_bytes(record: Record) -> None:
    encoded = CODEC.encode("any", record)
    (schema,) = [
        each for each in CODEC.schemas_of(type(record)) if encoded.startswith(single_object_header(each.fingerprint))
    ]
    assert compiled(schema.parsed) is not None
    assert encoded == single_object_header(schema.fingerprint) + by_fastavro(
        schema.parsed, schema.record.to_wire(record)
    )


@given(OUTCOMES, OUTCOMES, st.sets(st.sampled_from([field.name for field in fields(KeyOutcome)])))
def test_records_that_differ_in_some_fields_are_the_same_bytes(
    one: KeyOutcome, other: KeyOutcome, varying: set[str]
) -> None:
    (schema,) = CODEC.schemas_of(KeyOutcome)
    assert isinstance(schema.write, RecordWriter)
    first, last = (schema.record.to_wire(each) for each in (one, other))
    names = [name for name, _ in schema.write.fields if name in varying]
    mixed = {**first, **{name: last[name] for name in names}}
    write = schema.write.alike(first, varying, b"head")
    assert write(*(mixed[name] for name in names)) == b"head" + by_fastavro(schema.parsed, mixed)


def test_a_field_that_is_left_out_has_its_default_and_one_without_is_missed() -> None:
    declared = [
        {"name": "must", "type": "string"},
        {"name": "may", "type": ["null", "string"], "default": None},
        {"name": "many", "type": {"type": "array", "items": "long"}, "default": []},
        {"name": "number", "type": "long", "default": 7},
        {"name": "which", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}, "default": "B"},
    ]
    parsed = parse_schema({"type": "record", "name": "R", "fields": declared})
    write = compiled(parsed)
    assert write is not None
    assert write({"must": "x"}) == by_fastavro(parsed, {"must": "x"})
    with pytest.raises(KeyError, match="must"):
        write({"may": "x"})


def test_a_union_of_records_without_null_takes_no_none() -> None:
    branches: list[Any] = [{"type": "record", "name": name, "fields": []} for name in ("A", "B")]
    write = compiled(parse_schema(branches))
    assert write is not None
    assert write(("B", {})) == by_fastavro(parse_schema(branches), ("B", {}))
    with pytest.raises(TypeError):
        write(None)


@given(st.integers(-(2**63), 2**63 - 1))
def test_longs_are_the_same_bytes(number: int) -> None:
    write = compiled("long")
    assert write is not None
    assert write(number) == by_fastavro("long", number)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**30])
def test_a_number_of_more_than_64_bits_is_refused(number: int) -> None:
    write = compiled("long")
    assert write is not None
    for refuse in (write, lambda value: by_fastavro("long", value)):
        with pytest.raises(OverflowError):
            refuse(number)


TIMESTAMP = parse_schema({"type": "long", "logicalType": "timestamp-micros"})


def test_an_hour_that_occurs_twice_is_two_times() -> None:
    """To Python both are equal, and have one hash."""
    write = compiled(TIMESTAMP)
    assert write is not None
    twice = [datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold) for fold in (0, 1)]
    assert twice[0] == twice[1]
    assert [write(moment) for moment in twice] == [by_fastavro(TIMESTAMP, moment) for moment in twice]


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_first_and_the_last_time_are_the_same_bytes(moment: datetime) -> None:
    write = compiled(TIMESTAMP)
    assert write is not None
    assert write(moment) == by_fastavro(TIMESTAMP, moment)
    with pytest.raises(TypeError):
        write(moment.replace(tzinfo=None))


def test_an_array_that_was_forgotten_is_not_an_empty_one() -> None:
    write = compiled({"type": "array", "items": "string"})
    assert write is not None
    assert write(()) == write([]) == b"\0"
    with pytest.raises(TypeError):
        write(None)


DECIMAL = parse_schema({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})


@given(st.decimals(-9_999_999, 9_999_999, places=2))
def test_decimals_are_the_same_bytes(number: Decimal) -> None:
    write = compiled(DECIMAL)
    assert write is not None
    assert write(number) == by_fastavro(DECIMAL, number)


@pytest.mark.parametrize("number", ["0.001", "12345678.90", "NaN", "Infinity"])
def test_a_decimal_that_its_schema_cannot_hold_is_refused(number: str) -> None:
    write = compiled(DECIMAL)
    assert write is not None
    with pytest.raises(ValueError, match="9 digits"):
        write(Decimal(number))


@pytest.mark.parametrize("schema", ["bytes", ["string", "long"], {"type": "map", "values": "string"}])
def test_what_no_writer_is_made_of_is_left_to_fastavro(schema: Any) -> None:
    assert compiled({"type": "record", "name": "R", "fields": [{"name": "f", "type": schema}]}) is None
