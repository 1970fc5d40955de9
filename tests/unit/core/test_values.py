from datetime import UTC, date, datetime
from decimal import Decimal
from math import isnan
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from processor.core import values
from processor.core.catalog import FieldSpec, Kind, Rule
from processor.core.errors import Unrepresentable
from processor.core.values import (
    DANGLING,
    WireValue,
    canonical,
    from_wire,
    has_local_time,
    same,
    side_text,
    tells_its_zone,
    to_wire,
)
from tests.unit.core.builders import CHICAGO, PERSON, PERSON_LOOKUP, UTC_ZONE, spec
from tests.unit.core.strategies import column_texts, wire_values

EXACT = spec("ratio", Kind.DECIMAL, precision=6, scale=2)
SCALED = spec("ratio", Kind.DECIMAL, Rule.SCALE, precision=6, scale=2)
REFERENCE = spec("personID", Kind.LONG, state_lookup=PERSON_LOOKUP)
FIELDS = {kind: spec("f", kind) for kind in Kind} | {Kind.DECIMAL: EXACT}
fields = st.sampled_from([*FIELDS.values(), SCALED, REFERENCE])
zones = st.sampled_from([UTC_ZONE, CHICAGO])


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Kind.STRING, "", ""),
        (Kind.STRING, " a ", " a "),
        (Kind.STRING, "e\u0301", "e\u0301"),
        (Kind.STRING, DANGLING, DANGLING),
        (Kind.LONG, "007", "7"),
        (Kind.LONG, "-0", "0"),
        (Kind.LONG, "7.00", "7"),
        (Kind.LONG, "1e3", "1000"),
        (Kind.LONG, "9223372036854775807", "9223372036854775807"),
        (Kind.BOOLEAN, "t", "true"),
        (Kind.BOOLEAN, "Y ", "true"),
        (Kind.BOOLEAN, "0", "false"),
        (Kind.DOUBLE, "1000", "1000.0"),
        (Kind.DOUBLE, "1e3", "1000.0"),
        (Kind.DOUBLE, "-0", "0.0"),
        (Kind.DOUBLE, "NaN", "nan"),
        (Kind.DOUBLE, "-Infinity", "-inf"),
        (Kind.DATE, "2026-08-01", "2026-08-01"),
        (Kind.DATE, "2026-08-01 00:00:00", "2026-08-01"),
        (Kind.DATE, "0001-01-01", "0001-01-01"),
        (Kind.DATE, "9999-12-31", "9999-12-31"),
        (Kind.TIMESTAMP, "2026-08-01 08:00:00", "2026-08-01T13:00:00.000000Z"),
        (Kind.TIMESTAMP, "2026-01-01 08:00:00.5", "2026-01-01T14:00:00.500000Z"),
        (Kind.TIMESTAMP, "2026-08-01 08:00:00.000001+00", "2026-08-01T08:00:00.000001Z"),
        (Kind.TIMESTAMP, "2026-08-01 08:00:00-05:30", "2026-08-01T13:30:00.000000Z"),
        (Kind.TIMESTAMP, "1883-11-18 12:00:00-05:50:36", "1883-11-18T17:50:36.000000Z"),
        (Kind.TIMESTAMP, "2026-08-01", "2026-08-01T05:00:00.000000Z"),
        (Kind.TIMESTAMP, "0300-08-01 08:00:00+00", "0300-08-01T08:00:00.000000Z"),
        (Kind.DECIMAL, "1.5", "1.50"),
        (Kind.DECIMAL, "1.50000", "1.50"),
        (Kind.DECIMAL, "-0.00", "0.00"),
        (Kind.DECIMAL, "1e2", "100.00"),
        (Kind.DECIMAL, "-9999.99", "-9999.99"),
    ],
)
def test_spellings_of_one_value(kind: Kind, text: str, expected: str) -> None:
    assert canonical(FIELDS[kind], text, CHICAGO) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.505", "1.51"), ("-1.505", "-1.51"), ("1.504999", "1.50"), ("-0.001", "0.00"), ("9999.994", "9999.99")],
)
def test_a_scale_rule_rounds_as_postgres_does(text: str, expected: str) -> None:
    assert canonical(SCALED, text, UTC_ZONE) == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.LONG, ""),
        (Kind.LONG, "7.5"),
        (Kind.LONG, "NaN"),
        (Kind.LONG, "Infinity"),
        (Kind.LONG, "9223372036854775808"),
        (Kind.LONG, "1e999999999"),
        (Kind.LONG, "1e-999999999"),
        (Kind.LONG, "７"),
        (Kind.LONG, "1_000"),
        (Kind.BOOLEAN, ""),
        (Kind.BOOLEAN, "maybe"),
        (Kind.DOUBLE, ""),
        (Kind.DOUBLE, "1e400"),
        (Kind.DOUBLE, "1_0"),
        (Kind.DATE, "infinity"),
        (Kind.DATE, "-infinity"),
        (Kind.DATE, "0044-03-15 BC"),
        (Kind.DATE, "10000-01-01"),
        (Kind.DATE, "0000-01-01"),
        (Kind.DATE, "2026-02-30"),
        (Kind.DATE, "2026-08-01 08:00:00"),
        (Kind.TIMESTAMP, "infinity"),
        (Kind.TIMESTAMP, "0044-03-15 00:00:00 BC"),
        (Kind.TIMESTAMP, "10000-01-01 00:00:00"),
        (Kind.TIMESTAMP, "9999-12-31 23:00:00"),
        (Kind.TIMESTAMP, "2026-08-01 24:00:00"),
        (Kind.TIMESTAMP, "now"),
        (Kind.DECIMAL, "NaN"),
        (Kind.DECIMAL, "Infinity"),
        (Kind.DECIMAL, "1.505"),
        (Kind.DECIMAL, "10000"),
        (Kind.DECIMAL, "1e9999999"),
        (Kind.DECIMAL, "1" * 3_000),
        (Kind.DECIMAL, "x"),
    ],
)
def test_values_that_a_kind_cannot_carry(kind: Kind, text: str) -> None:
    with pytest.raises(Unrepresentable) as caught:
        canonical(FIELDS[kind], text, CHICAGO)
    name = FIELDS[kind].name
    assert (caught.value.field, caught.value.detail) == (name, f"{name}: the value is not a {kind}")


def test_rounding_up_to_one_digit_too_many_is_not_carried() -> None:
    with pytest.raises(Unrepresentable):
        canonical(SCALED, "9999.995", UTC_ZONE)


@given(st.data(), fields, zones)
def test_canonical_text_is_its_own_canonical_text(data: st.DataObject, field: FieldSpec, zone: ZoneInfo) -> None:
    text = data.draw(column_texts(field))
    try:
        once = canonical(field, text, zone)
    except Unrepresentable:
        reject()
    assert canonical(field, once, zone) == once
    assert canonical(field, once, UTC_ZONE) == once


@given(st.data(), fields)
def test_what_can_be_carried_comes_back_from_the_wire(data: st.DataObject, field: FieldSpec) -> None:
    try:
        text = canonical(field, data.draw(column_texts(field)), CHICAGO)
    except Unrepresentable:
        reject()
    assert from_wire(field, to_wire(field, text)) == text


@given(st.data(), st.sampled_from([f for f in PERSON.fields if f.crosswalk is None]))
def test_every_wire_value_has_a_canonical_text(data: st.DataObject, field: FieldSpec) -> None:
    value = data.draw(wire_values(field))
    back = to_wire(field, from_wire(field, value))
    assert back == value or (isinstance(value, float) and isnan(value))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.STRING, "", ""),
        (Kind.STRING, DANGLING, DANGLING),
        (Kind.LONG, "7", 7),
        (Kind.BOOLEAN, "true", True),
        (Kind.BOOLEAN, "false", False),
        (Kind.DOUBLE, "0.1", 0.1),
        (Kind.DATE, "2026-08-01", date(2026, 8, 1)),
        (Kind.TIMESTAMP, "2026-08-01T13:00:00.000001Z", datetime(2026, 8, 1, 13, 0, 0, 1, tzinfo=UTC)),
        (Kind.DECIMAL, "1.50", Decimal("1.50")),
        (Kind.STRING, None, None),
    ],
)
def test_python_values_on_the_wire(kind: Kind, text: str | None, value: WireValue) -> None:
    made = to_wire(FIELDS[kind], text)
    assert (type(made), made) == (type(value), value)
    assert from_wire(FIELDS[kind], value) == text


@pytest.mark.parametrize("value", ["x", 1.5, Decimal("NaN"), True])
def test_wire_values_of_another_kind_are_refused(value: WireValue) -> None:
    with pytest.raises(Unrepresentable):
        from_wire(FIELDS[Kind.LONG], value)


@given(column_texts(FIELDS[Kind.TIMESTAMP]), zones)
def test_both_kinds_of_timestamp_columns_then_hold_the_moment(text: str | None, zone: ZoneInfo) -> None:
    """A column with a zone reads the offset; one without drops it and is read in the side's zone again."""
    field = FIELDS[Kind.TIMESTAMP]
    try:
        moment = canonical(field, text, CHICAGO)
    except Unrepresentable:
        reject()
    assume(moment is None or has_local_time(moment, zone))
    written = side_text(field, moment, zone)
    assert canonical(field, written, UTC_ZONE) == moment
    if written is not None and zone is UTC_ZONE:
        assert canonical(field, written.removesuffix("+00:00"), zone) == moment


def test_a_local_column_gets_local_time() -> None:
    assert side_text(FIELDS[Kind.TIMESTAMP], "2026-08-01T13:00:00.000000Z", CHICAGO) == "2026-08-01 08:00:00-05:00"
    assert side_text(FIELDS[Kind.DECIMAL], "1.50", CHICAGO) == "1.50"


@pytest.mark.parametrize(
    ("text", "in_chicago"),
    [
        ("0001-01-01T00:00:00.000000Z", False),
        ("0001-01-01T05:50:36.000000Z", True),
        ("0001-01-03T00:00:00.000000Z", True),
        ("9999-12-31T23:59:59.999999Z", True),
    ],
)
def test_the_calendar_ends_by_local_time(text: str, in_chicago: bool) -> None:  # noqa: FBT001
    assert has_local_time(text, CHICAGO) is in_chicago
    assert has_local_time(text, UTC_ZONE)


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("infinity", True),
        ("-infinity", True),
        ("2026-08-01 13:00:00+00", True),
        ("2026-08-01 13:00:00.5-05:30", True),
        ("0044-03-15 00:00:00+00 BC", True),
        ("2026-08-01T13:00:00.000000Z", True),
        ("2026-08-01 13:00:00", False),
        ("2026-08-01", False),
        ("0044-03-15 00:00:00 BC", False),
    ],
)
def test_texts_that_are_one_moment_in_every_zone(text: str, tells: bool) -> None:  # noqa: FBT001
    assert tells_its_zone(text) is tells


@pytest.mark.parametrize(
    ("rules", "left", "right", "equal"),
    [
        ((), "a", "a", True),
        ((), None, None, True),
        ((), "a", "a ", False),
        ((), "a", "A", False),
        ((), "é", "e\u0301", False),
        ((), None, "", False),
        ((Rule.TRIM,), " a", "a\t", True),
        ((Rule.TRIM,), None, " ", False),
        ((Rule.CASEFOLD,), "STRASSE", "straße", True),
        ((Rule.CASEFOLD,), "a", "a ", False),
        ((Rule.NFC,), "é", "e\u0301", True),
        ((Rule.NFC,), "ﬁ", "fi", False),
        ((Rule.NULL_IS_EMPTY,), None, "", True),
        ((Rule.NULL_IS_EMPTY,), "", None, True),
        ((Rule.NULL_IS_EMPTY,), None, " ", False),
        ((Rule.NULL_IS_EMPTY, Rule.TRIM), None, " ", True),
        ((Rule.SCALE,), "1.50", "1.5", False),
    ],
)
def test_compare_rules(rules: tuple[Rule, ...], left: str | None, right: str | None, equal: bool) -> None:  # noqa: FBT001
    assert same(spec("f", Kind.STRING, *rules), left, right) is equal
    assert same(spec("f", Kind.STRING, *rules), right, left) is equal


def test_a_reference_that_leads_nowhere_equals_nothing_and_is_null_outside() -> None:
    assert not same(REFERENCE, DANGLING, DANGLING)
    assert not same(REFERENCE, DANGLING, None)
    assert canonical(REFERENCE, DANGLING, UTC_ZONE) == DANGLING
    assert to_wire(REFERENCE, DANGLING) is None
    assert side_text(REFERENCE, DANGLING, UTC_ZONE) is None


def test_the_word_for_it_is_an_ordinary_text_elsewhere() -> None:
    assert same(FIELDS[Kind.STRING], DANGLING, DANGLING)
    assert side_text(FIELDS[Kind.STRING], DANGLING, UTC_ZONE) == DANGLING


def test_texts_that_are_long_are_read_and_not_remembered() -> None:
    """What is remembered is counted, not weighed."""
    zeros = "0" * 10_000
    assert canonical(SCALED, f"1.{zeros}", UTC_ZONE) == "1.00"
    assert canonical(FIELDS[Kind.DATE], f"2026-08-01 00:00:00.{zeros}", UTC_ZONE) == "2026-08-01"
    held = [values.decimal_text, values.date_text]
    before = [each.cache_info().currsize for each in held]
    canonical(SCALED, f"1.{zeros}0", UTC_ZONE)
    canonical(FIELDS[Kind.DATE], f"2026-08-01 00:00:00.{zeros}0", UTC_ZONE)
    assert [each.cache_info().currsize for each in held] == before


@given(st.datetimes() | st.datetimes().map(lambda moment: moment.replace(microsecond=0)))
def test_a_moment_in_utc_is_one_text_however_its_zone_is_written(moment: datetime) -> None:
    texts = {
        canonical(FIELDS[Kind.TIMESTAMP], f"{moment.isoformat(sep=' ')}{zone}", CHICAGO)
        for zone in ("+00", "+00:00", "Z")
    }
    assert len(texts) == 1


@pytest.mark.parametrize("text", ["2026-02-30 00:00:00+00", "2026-08-01 24:00:00+00", "2026-08-01 12:60:00+00"])
def test_a_moment_in_utc_that_is_none_has_no_text(text: str) -> None:
    with pytest.raises(Unrepresentable):
        canonical(FIELDS[Kind.TIMESTAMP], text, CHICAGO)
