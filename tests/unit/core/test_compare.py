import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.catalog import KeyType, Kind, ObjectType, Owner, ParentRef
from processor.core.compare import (
    EQUAL,
    MAX_ROW_BYTES,
    MOST_KNOWN,
    Difference,
    both_values,
    check_size,
    compare,
    parent_key,
    state_values,
    wanted_values,
)
from processor.core.errors import FieldError, UnmappedValue, Unrepresentable
from processor.core.row_values import RowValues
from processor.core.snapshot import Row
from processor.core.values import DANGLING
from tests.unit.core.builders import CHICAGO, ENROLLMENT, PERSON, UTC_ZONE, object_type, ours, row, spec, theirs
from tests.unit.core.strategies import column_texts

PLAIN = object_type("Plain", [replace(f, crosswalk=None) for f in PERSON.fields], zones=(CHICAGO, CHICAGO))
"""The person without a crosswalk and in one timezone, so that equal texts are equal values."""


def rows_of(kind: ObjectType) -> st.SearchStrategy[Row]:
    return st.tuples(*(column_texts(field) for field in kind.compared))


def test_one_person_spelled_in_two_ways_is_equal() -> None:
    assert compare(PERSON, ours(), theirs()) == EQUAL


@given(rows_of(PLAIN))
def test_a_side_compared_with_itself_gives_nothing(held: Row) -> None:
    """Whatever it holds: infinity, NaN, years before Christ, texts that no kind can carry."""
    assert compare(PLAIN, held, held) == EQUAL


@given(rows_of(PLAIN), rows_of(PLAIN))
def test_what_differs_is_the_same_from_both_sides(left: Row, right: Row) -> None:
    def difference(ours: Row, theirs: Row) -> object:
        try:
            return compare(PLAIN, ours, theirs)
        except FieldError as error:
            return error.field

    assert difference(left, right) == difference(right, left)


@pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "2026-08-01 13:00:00+00", None])
def test_a_moment_held_alike_is_equal_across_timezones(text: str | None) -> None:
    assert compare(PERSON, ours(modifiedAt=text), theirs(modifiedAt=text)) == EQUAL


def test_a_local_time_held_alike_is_another_moment_across_timezones() -> None:
    text = "2026-08-01 08:00:00"
    assert compare(PERSON, ours(modifiedAt=text), theirs(modifiedAt=text)).changed == ("modifiedAt",)


@pytest.mark.parametrize(
    ("field", "district", "state", "differs"),
    [
        ("lastName", "a", "a ", True),
        ("lastName", "é", "e\u0301", True),
        ("lastName", "", None, True),
        ("lastName", 'O\'Neil "J"', 'O\'Neil "J"', False),
        ("lastName", "🙂", "🙂", False),
        ("nickname", "e\u0301 ", "É", False),
        ("nickname", "", None, False),
        ("nickname", "a", "b", True),
        ("gender", "F", "2", False),
        ("gender", "F", "1", True),
        ("gender", None, "2", True),
        ("gender", None, None, False),
        ("birthDate", "2010-02-28", "2010-02-27", True),
        ("birthDate", "2010-02-28", None, True),
        ("income", "NaN", "NaN", False),
        ("income", "NaN", "nan", False),
        ("income", "-0", "0", False),
        ("income", "Infinity", "-Infinity", True),
        ("ratio", "1.499", "1.5", False),
        ("ratio", "1.49", "1.5", True),
        ("siblings", "007", "7", False),
        ("homeless", "1", "true", False),
        ("homeless", "1", "false", True),
        ("modifiedAt", "2026-08-01 08:00:00.000001", "2026-08-01 13:00:00+00", True),
    ],
)
def test_values_of_both_sides(field: str, district: str | None, state: str | None, differs: bool) -> None:  # noqa: FBT001
    difference = compare(PERSON, ours(**{field: district}), theirs(**{field: state}))
    assert difference.changed == ((field,) if differs else ())
    assert difference.expected == ()


def test_fields_are_named_in_the_order_of_the_schema_by_owner() -> None:
    difference = compare(PERSON, ours(siblings="1", lastName="A", certification="x"), theirs(certification="y"))
    assert (difference.changed, difference.expected) == (("lastName", "siblings"), ("certification",))


@pytest.mark.parametrize(
    ("district", "state"), [("infinity", "2010-01-01"), ("2010-01-01", "infinity"), ("0044-03-15 BC", None)]
)
def test_a_value_beyond_its_kind_is_named_where_it_differs(district: str, state: str | None) -> None:
    with pytest.raises(Unrepresentable, match=re.escape("birthDate: the ")) as caught:
        compare(PERSON, ours(birthDate=district), theirs(birthDate=state))
    assert caught.value.field == "birthDate"
    assert "infinity" not in str(caught.value)


def test_a_code_without_translation_is_not_told() -> None:
    with pytest.raises(UnmappedValue) as caught:
        compare(PERSON, ours(gender="secret"), theirs())
    assert (caught.value.field, caught.value.detail) == ("gender", "gender: the code is not in crosswalk gender")


def test_a_state_owned_value_that_cannot_be_read_differs_and_stops_nothing() -> None:
    kind = object_type("Graded", [spec("name"), spec("rank", Kind.LONG, owner=Owner.STATE)])
    difference = compare(kind, row(kind, name="a", rank="x"), row(kind, name="b", rank="1"))
    assert (difference.changed, difference.expected) == (("name",), ("rank",))


def test_corrections_speak_the_state_s_codes_in_canonical_text() -> None:
    assert wanted_values(PERSON, ours()) == {
        "lastName": "Núñez",
        "nickname": "ana",
        "gender": "2",
        "birthDate": "2010-02-28",
        "income": "1000.0",
        "ratio": "1.50",
        "siblings": "2",
        "homeless": "false",
        "modifiedAt": "2026-08-01T13:00:00.000000Z",
    }
    assert state_values(PERSON, theirs()) == {**wanted_values(PERSON, ours()), "nickname": " Ana "}


def values_or_fault(read: Callable[[], object]) -> object:
    try:
        return read()
    except FieldError as fault:
        return type(fault), str(fault)


@pytest.mark.parametrize("kind", [PLAIN, PERSON, ENROLLMENT])
@given(st.data())
def test_values_of_two_rows_are_those_of_each(kind: ObjectType, data: st.DataObject) -> None:
    """Also which fault of several is told."""
    left = data.draw(rows_of(kind))
    right = tuple(data.draw(st.just(text) | column_texts(f)) for f, text in zip(kind.compared, left, strict=True))
    apart = values_or_fault(lambda: (state_values(kind, right), wanted_values(kind, left))[::-1])
    difference = values_or_fault(lambda: compare(kind, left, right))
    if isinstance(difference, Difference):
        together = values_or_fault(lambda: both_values(kind, left, right, difference)[::-1])
        assert together == apart


def test_texts_known_to_be_canonical_are_bounded_in_number_and_length() -> None:
    kind = object_type("Counted", [spec("count", Kind.LONG), spec("share", Kind.DECIMAL, precision=90, scale=80)])
    for number in range(MOST_KNOWN + 1):
        texts = {"count": str(number), "share": "0." + "3" * 80}
        assert state_values(kind, row(kind, **texts))["count"] == str(number)
    counts, shares = (known for _, _, known in kind.spelled)
    assert (len(counts), len(shares)) == (MOST_KNOWN, 0)


def test_a_moment_that_the_state_s_calendar_lacks_is_not_sent() -> None:
    kind = object_type("Dated", [spec("at", Kind.TIMESTAMP)], zones=(UTC_ZONE, CHICAGO))
    with pytest.raises(
        Unrepresentable, match="at: the district's value is no time in the calendar of the state's timezone"
    ):
        wanted_values(kind, row(kind, at="0001-01-01 00:00:00"))


def reference(text: str | None) -> str | None:
    return parent_key(ENROLLMENT, row(ENROLLMENT, personID=text))


@pytest.mark.parametrize(
    ("text", "key"), [("7", "7"), ("007", "7"), ("7.0", "7"), (None, None), ("x", None), (DANGLING, None)]
)
def test_the_parent_s_key_is_canonical(text: str | None, key: str | None) -> None:
    assert reference(text) == key
    assert parent_key(PERSON, ours()) is None


def test_a_reference_that_cannot_be_a_key_is_not_sent() -> None:
    """It would break the read of every other parent: `uuid[]` takes no other text."""
    note = object_type("Note", [spec("personID")], ParentRef("Person", "personID", KeyType.UUID))
    assert parent_key(note, row(note, personID="not a uuid")) is None
    with pytest.raises(Unrepresentable, match="personID: the district's value cannot be a key of Person"):
        wanted_values(note, row(note, personID="not a uuid"))
    assert wanted_values(note, row(note, personID=None)) == {"personID": None}


@pytest.mark.parametrize(
    ("before", "after", "largest"),
    [
        (None, None, None),
        ({"a": None}, None, None),
        ({"a": "x" * 450_000, "b": None}, {"a": "x" * 450_000, "b": None}, None),
        ({"a": "x" * 450_000, "b": None}, {"a": "x" * 450_000, "b": "y"}, "a"),
        (None, {"a": "x" * MAX_ROW_BYTES, "b": ""}, None),
        (None, {"a": "x", "b": "y" * MAX_ROW_BYTES}, "b"),
        (None, {"a": "é" * 450_000, "b": "y"}, "a"),
        ({"a": "x", "b": "y" * 500_000}, {"a": "x" * 600_000, "b": ""}, "a"),
        ({"a": "x" * MAX_ROW_BYTES, "b": "y"}, None, "a"),
    ],
)
def test_rows_that_one_record_cannot_carry(
    before: dict[str, str | None] | None, after: dict[str, str | None] | None, largest: str | None
) -> None:
    rows = [None if row is None else RowValues(tuple(row), [*row.values()]) for row in (before, after)]
    if largest is None:
        check_size(*rows)
        return
    with pytest.raises(Unrepresentable) as caught:
        check_size(*rows)
    assert caught.value.field == largest
    assert len(caught.value.detail) < 100
