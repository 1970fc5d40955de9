"""Compiled readers give what fastavro gives, or leave it to fastavro."""

import struct
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec, Record
from processor.codec.correction_schema import values_name
from processor.codec.decoding import UNFIT, Texts, compiled
from processor.codec.framing import header_of
from processor.core.correction import Correction
from processor.core.values import moment_text
from tests.unit.codec.records import CATALOG, CORRECTION
from tests.unit.codec.strategies import RECORDS, updates

CODEC = Codec.open(None, CATALOG)
NOTHING = object()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def bytes_of(parsed: Any, value: Any) -> bytes:
    out = BytesIO()
    schemaless_writer(out, parsed, value)
    return out.getvalue()


def by_fastavro(parsed: Any, data: bytes) -> Any:
    """NOTHING where it reads no value of just these bytes."""
    body = BytesIO(data)
    try:
        value = schemaless_reader(body, parsed)
    except (EOFError, LookupError, ValueError, TypeError, ArithmeticError, AttributeError, struct.error):
        return NOTHING
    return value if body.tell() == len(data) else NOTHING


def by_us(parsed: Any, data: bytes) -> Any:
    read = compiled(parsed)
    assert read is not None
    with suppress(*UNFIT):
        value, end = read(data, 0)
        if end == len(data):
            return value
    return NOTHING


def body_and_schema(record: Record) -> tuple[bytes, Any]:
    encoded = CODEC.encode("any", record)
    header = header_of(encoded)
    schemas = CODEC.schemas_of(type(record))
    (parsed,) = [
        each.parsed for each in schemas if header.endswith(each.fingerprint.to_bytes(8, "little", signed=False))
    ]
    return encoded[len(header) :], parsed


@given(RECORDS)
def test_records_are_read_as_fastavro_reads_them(record: Record) -> None:
    data, parsed = body_and_schema(record)
    assert by_us(parsed, data) == by_fastavro(parsed, data) is not NOTHING
    assert CODEC.decode(CODEC.encode("any", record), (type(record),)) == record


def test_values_of_a_correction_are_read_as_text() -> None:
    """Else only the time it takes would tell."""
    data, parsed = body_and_schema(CORRECTION)
    read = compiled(parsed, frozenset({"selectivesync.v1.EnrollmentValues"}))
    assert read is not None
    wire, _ = read(data, 0)
    assert isinstance(wire["before"], Texts)
    assert wire["before"] == CORRECTION.before


@given(st.lists(updates(), max_size=2))
def test_a_row_is_read_beside_the_row_before_it(corrections: list[Correction]) -> None:
    """By one codec, which remembers the last one."""
    encoded = [CODEC.encode("any", each) for each in corrections]
    for data, correction in [*zip(encoded, corrections, strict=True)] * 2:
        assert CODEC.decode(data, (Correction,)) == correction


@given(updates(), st.data())
def test_a_damaged_row_beside_another_is_nothing_that_fastavro_does_not_see(
    update: Correction, draw: st.DataObject
) -> None:
    data, parsed = body_and_schema(update)
    read = compiled(parsed, frozenset({values_name(update.source.object)}))
    place = draw.draw(st.integers(0, len(data) - 1))
    damaged = data[:place] + bytes([draw.draw(st.integers(0, 255))]) + data[place + 1 :]
    plain = by_us(parsed, damaged)
    assert read is not None
    with suppress(*UNFIT):
        wire, end = read(damaged, 0)
        if end == len(damaged):
            assert plain is not NOTHING
            for side in ("before", "after"):
                assert (wire[side] is None) == (plain[side] is None)
                assert [*(wire[side] or ())] == [*(plain[side] or ())]


@given(RECORDS, st.data())
def test_damaged_bytes_are_nothing_that_fastavro_does_not_see(record: Record, draw: st.DataObject) -> None:
    data, parsed = body_and_schema(record)
    place = draw.draw(st.integers(0, max(0, len(data) - 1)))
    with_one = data[:place] + bytes([draw.draw(st.integers(0, 255))]) + data[place + 1 :]
    for damaged in (data[:place], with_one, data + b"\0"):
        found = by_us(parsed, damaged)
        assert found is NOTHING or found == by_fastavro(parsed, damaged)


@given(st.integers(-(2**63), 2**63 - 1))
def test_longs(number: int) -> None:
    assert by_us("long", bytes_of("long", number)) == number


@pytest.mark.parametrize("data", [b"\xff" * 9 + b"\x7f", b"\x80" * 10 + b"\x00", b"\x80", b""])
def test_a_long_of_more_than_64_bits_or_without_an_end_is_refused(data: bytes) -> None:
    assert by_us("long", data) is NOTHING


TIME: Any = parse_schema({"type": "long", "logicalType": "timestamp-micros"})
FIRST_MICROSECOND = -62_135_596_800_000_000
"""Of the year 1."""


@given(st.integers(FIRST_MICROSECOND, 2**57))
def test_times_of_any_length(number: int) -> None:
    data = bytes_of("long", number)
    assert by_us(TIME, data) == by_fastavro(TIME, data)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_as_text(moment: datetime) -> None:
    row = parse_schema({"type": "record", "name": "Row", "fields": [{"name": "at", "type": TIME}]})
    read = compiled(row, frozenset({"Row"}))
    assert read is not None
    data = bytes_of(TIME, moment)
    assert read(data, 0) == ({"at": moment_text(moment)}, len(data))


def test_a_time_before_another_value_is_not_read_with_it() -> None:
    fields = [{"name": "at", "type": TIME}, {"name": "then", "type": "long"}]
    parsed = parse_schema({"type": "record", "name": "R", "fields": fields})
    for days in (1, 100, 10_000, 1_000_000):
        for then in (0, -1, 2**62):
            value = {"at": EPOCH + timedelta(days=days), "then": then}
            assert by_us(parsed, bytes_of(parsed, value)) == value


DAY: Any = parse_schema({"type": "int", "logicalType": "date"})
DECIMAL: Any = parse_schema({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})


@given(st.dates())
def test_days(day: date) -> None:
    assert by_us(DAY, bytes_of(DAY, day)) == day


@given(st.decimals(-9_999_999, 9_999_999, places=2))
def test_decimals(number: Decimal) -> None:
    assert by_us(DECIMAL, bytes_of(DECIMAL, number)) == number


LONG_DECIMAL: Any = parse_schema({"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 20})
LONG_FIELD: Any = {"name": "amount", "type": ["null", LONG_DECIMAL]}


@given(st.integers(-(10**60) + 1, 10**60 - 1))
def test_decimals_keep_all_their_digits(unscaled: int) -> None:
    """Python's arithmetic rounds to 28."""
    sign, digits = "-" if unscaled < 0 else "", f"{abs(unscaled):021d}"
    text = f"{sign}{digits[:-20]}.{digits[-20:]}"
    data = bytes_of(LONG_DECIMAL, Decimal(text))
    assert by_us(LONG_DECIMAL, data) == by_fastavro(LONG_DECIMAL, data) == Decimal(text)
    row = parse_schema({"type": "record", "name": "Row", "fields": [LONG_FIELD]})
    read = compiled(row, frozenset({"Row"}))
    assert read is not None
    assert read(b"\x02" + data, 0) == ({"amount": text}, 1 + len(data))


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (DECIMAL, b"\x0a" + (10**9).to_bytes(5, "big")),
        (DECIMAL, b"\x01"),
        ("string", b"\x01"),
        ("string", b"\x81\x01"),
        ("string", b"\x04\xff\xff"),
        ("boolean", b"\x02"),
        (["null", "string"], b"\x04"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, b"\x01"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, b"\x04"),
        ({"type": "array", "items": "null"}, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"),
    ],
)
def test_what_does_not_fit_is_refused(schema: Any, data: bytes) -> None:
    assert by_us(parse_schema(schema), data) is NOTHING


def test_an_array_in_blocks_of_known_size() -> None:
    parsed = parse_schema({"type": "array", "items": "long"})
    assert by_us(parsed, b"\x03\x04\x02\x04\x02\x06\x00") == [1, 2, 3]


@pytest.mark.parametrize("schema", ["bytes", "float", {"type": "map", "values": "string"}])
def test_what_no_reader_is_made_of_is_left_to_fastavro(schema: Any) -> None:
    assert compiled({"type": "record", "name": "R", "fields": [{"name": "f", "type": schema}]}) is None


def test_our_own_records_are_read_by_readers_made_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else only the time it takes would tell."""

    def unexpected(*_: object) -> None:
        raise AssertionError("read by fastavro")

    monkeypatch.setattr("processor.codec.writer.schemaless_reader", unexpected)
    assert CODEC.decode(CODEC.encode("any", CORRECTION), (type(CORRECTION),)) == CORRECTION
