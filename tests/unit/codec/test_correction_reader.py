"""What is found in a correction's bytes is what fastavro reads there, or is left to it (ADR 0049)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastavro import parse_schema, schemaless_reader
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec, DecodeError
from processor.codec.correction_reader import LONGEST_KEPT, MOST_KEPT, CorrectionReader
from processor.codec.correction_records import correction_from_wire
from processor.codec.correction_schema import correction_name, values_name
from processor.codec.decoding import compiled
from processor.codec.errors import NotCompiled
from processor.codec.framing import header_of
from processor.codec.patterns import pattern_of
from processor.codec.rows import Row, RowReader
from processor.core.catalog import ObjectType
from processor.core.correction import Answer, Correction, Result
from processor.core.rows import columns, is_tame, with_nul
from processor.core.values import has_local_time
from tests.unit.codec.catalogs import OBJECTS, catalog_of
from tests.unit.codec.records import CORRECTION
from tests.unit.codec.strategies import corrections

ALL = catalog_of(*OBJECTS)
CODEC = Codec.open(None, ALL)
KINDS = tuple(ALL.objects.values())
NOW = datetime(2026, 8, 3, tzinfo=UTC)
FARTHEST = ("Etc/GMT+12", "Etc/GMT-14")


def schema_of(kind: ObjectType) -> Any:
    (found,) = [each for each in CODEC.schemas_of(Correction) if each.record.name == correction_name(kind.name)]
    return found.parsed


def reader_of(kind: ObjectType) -> CorrectionReader:
    read = compiled(schema_of(kind), frozenset({values_name(kind.name)}))
    assert read is not None
    return CorrectionReader(schema_of(kind), kind.owned, read)


READERS = {kind.name: reader_of(kind) for kind in KINDS}


def body_of(correction: Correction) -> bytes:
    data = CODEC.encode("any", correction)
    return data[len(header_of(data)) :]


def by_fastavro(kind: ObjectType, data: bytes) -> Correction | None:
    """None where these are not the bytes of one correction."""
    body = BytesIO(data)
    try:
        wire: Any = schemaless_reader(body, schema_of(kind), None)
        read = correction_from_wire(wire, kind.owned)
    except (EOFError, LookupError, ValueError, TypeError, ArithmeticError, AttributeError, DecodeError):
        return None
    except Exception as fault:
        if type(fault).__name__ not in ("Unrepresentable", "error"):
            raise
        return None
    return read if body.tell() == len(data) else None


def of_any_kind() -> st.SearchStrategy[tuple[ObjectType, list[Correction]]]:
    return st.sampled_from(KINDS).flatmap(
        lambda kind: st.tuples(st.just(kind), st.lists(corrections(kind), min_size=1, max_size=3))
    )


@given(of_any_kind())
def test_a_correction_is_found_as_fastavro_reads_it(drawn: tuple[ObjectType, list[Correction]]) -> None:
    """One reader reads all, so that it has read others before; and some twice, of which it knows the like."""
    kind, some = drawn
    for correction in some * 2:
        data = body_of(correction)
        found = READERS[kind.name](data, 0)
        if found is not None:
            assert found.correction == by_fastavro(kind, data) == correction
        assert CODEC.decode(CODEC.encode("any", correction), (Correction,)) == correction


@given(of_any_kind(), st.data())
def test_damaged_bytes_are_no_other_correction_than_fastavro_reads(
    drawn: tuple[ObjectType, list[Correction]], draw: st.DataObject
) -> None:
    kind, (correction, *_) = drawn
    data = body_of(correction)
    READERS[kind.name](data, 0)
    place = draw.draw(st.integers(0, len(data) - 1))
    changed = data[:place] + bytes([draw.draw(st.integers(0, 255))]) + data[place + 1 :]
    for damaged in (data[:place], changed, data + b"\0"):
        found = READERS[kind.name](damaged, 0)
        assert found is None or found.correction == by_fastavro(kind, damaged)


LEAVES = [
    "string",
    "long",
    "boolean",
    "double",
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
]
TYPES = LEAVES + [["null", leaf] for leaf in LEAVES] + [[leaf, "null"] for leaf in LEAVES]


@given(st.lists(st.sampled_from(TYPES), min_size=1, max_size=5), st.binary(max_size=60))
def test_rows_of_any_schema_are_found_where_their_readers_read_them(types: Sequence[Any], data: bytes) -> None:
    """Of any bytes: what fits a pattern is read without an error, and ends where it ends."""
    fields = [{"name": f"f{n}", "type": each} for n, each in enumerate(types)]
    schema: Any = parse_schema({"type": "record", "name": "Row", "fields": fields})
    found = None
    with suppress(ValueError):
        found = RowReader(schema, [each["name"] for each in fields])(data, 0)
    if found is not None:
        read = compiled(schema, frozenset({"Row"}))
        assert read is not None
        row, end = found
        assert ({**row}, end) == read(data, 0)
        assert with_nul({**row}) == []
        assert is_tame(row)
        times = [row[each["name"]] for each in fields if "timestamp-micros" in str(each["type"])]
        assert all(has_local_time(text, ZoneInfo(zone)) for text in times if text for zone in FARTHEST)


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.lists(corrections(kind), min_size=1, max_size=4)))
def test_many_rows_hold_by_columns_what_each_of_them_holds(some: list[Correction]) -> None:
    kind = ALL.objects[some[0].source.object]
    names = [field.name for field in kind.owned]
    rows = [row for each in some if (row := CODEC.decode_correction(CODEC.encode("any", each)).correction.after)]
    assert columns(rows, names) == [[row[name] for row in rows] for name in names]
    assert columns([*rows, {}], names) == [[*(row[name] for row in rows), None] for name in names]


@given(of_any_kind(), st.sampled_from(Result), st.none() | st.just("lastName"))
def test_an_answer_carries_the_source_back_as_it_came(
    drawn: tuple[ObjectType, list[Correction]], result: Result, detail: str | None
) -> None:
    for correction in drawn[1]:
        arrived = CODEC.decode_correction(CODEC.encode("any", correction))
        answer = Answer(arrived.correction.source, result, detail, NOW)
        assert CODEC.encode_answer("any", answer, arrived.source) == CODEC.encode("any", answer)


def test_our_own_corrections_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else only the time it takes would tell: one is read to learn what it has in common with those after it."""
    codec = Codec.open(None, ALL)
    first, second = (replace(CORRECTION, source=replace(CORRECTION.source, key=key)) for key in ("7", "8"))
    codec.decode_correction(codec.encode("any", first))
    monkeypatch.setattr("processor.codec.correction_reader.correction_from_wire", None)
    arrived = codec.decode_correction(codec.encode("any", second))
    assert arrived.correction == second
    assert isinstance(arrived.correction.after, Row)
    assert arrived.source is not None


def test_an_operation_of_two_bytes_is_left_to_others() -> None:
    """Avro lets a number have more bytes than it needs; what comes behind is elsewhere then."""
    data = body_of(CORRECTION)
    longer = bytes([data[0] | 0x80, 0]) + data[1:]
    assert by_fastavro(ALL.objects["Enrollment"], longer) == CORRECTION
    assert READERS["Enrollment"](longer, 0) is None


def test_what_is_kept_of_corrections_is_bounded() -> None:
    reader = reader_of(ALL.objects["Enrollment"])
    for number in range(MOST_KEPT + 10):
        assert reader(body_of(replace(CORRECTION, source=replace(CORRECTION.source, attempt=number))), 0) is not None
    assert len(reader) <= MOST_KEPT


def test_a_long_source_is_read_and_not_kept() -> None:
    """Else a thousand of them would be kept, as long as others write them."""
    reader = reader_of(ALL.objects["Enrollment"])
    long = replace(CORRECTION, source=replace(CORRECTION.source, changed_fields=("x" * LONGEST_KEPT,)))
    found = reader(body_of(long), 0)
    assert found is not None
    assert found.correction == long
    assert len(reader) == 0


def test_a_type_without_a_pattern_is_not_compiled() -> None:
    for schema in ({"type": "array", "items": "string"}, ["null", "string", "long"], "bytes"):
        with pytest.raises(NotCompiled):
            pattern_of(schema)
