"""What a filter and a school year choose at each side, and which side can tell."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from processor.core.catalog import Catalog, Kind, Limits
from processor.core.chosen import chosen
from processor.core.condition import EVERYTHING, AllOf, Compare, Condition, leaves
from processor.core.filter_text import FilterError
from processor.core.request import Side
from processor.core.scope import NoSchoolYear, YearNotOpen
from tests.unit.core.builders import BEHAVIOR, CATALOG, ENROLLMENT, PERSON, object_type, spec

ITEM = replace(
    object_type(
        "Item",
        [
            spec("name"),
            spec("year", Kind.LONG),
            spec("entered", state_column=None),
            spec("certified", district_column=None),
        ],
    ),
    school_year="year",
)
OPEN = Catalog({"Item": ITEM}, CATALOG.districts, Limits(), frozenset({2026}))


def of_item(where: str | None, year: str | None = None) -> Mapping[Side, Condition]:
    found = chosen(where, year, ITEM, OPEN)
    assert found is not None
    return found


def test_without_a_filter_and_a_year_all_records_are_meant() -> None:
    assert chosen(None, None, ITEM, OPEN) is None


@pytest.mark.parametrize(
    ("where", "sides"),
    [
        ("name = 'a'", [Side.DISTRICT, Side.STATE]),
        ("entered = 'a' or name = 'b'", [Side.DISTRICT]),
        ("certified is null", [Side.STATE]),
    ],
)
def test_a_side_chooses_where_it_keeps_all_that_is_named(where: str, sides: list[Side]) -> None:
    assert list(of_item(where)) == sides


def test_a_year_chooses_by_itself_or_within_a_filter() -> None:
    (alone, everything) = _terms(of_item(None, " 2026 ")[Side.STATE])
    assert isinstance(alone, Compare)
    assert (alone.operand.field.name, alone.value, everything) == ("year", "2026", EVERYTHING)
    within = of_item("name = 'a'", "2026")[Side.DISTRICT]
    assert [test.operand.field.name for test in leaves(within)] == ["year", "name"]


def _terms(condition: Condition) -> tuple[Condition, ...]:
    assert isinstance(condition, AllOf)
    return condition.terms


def test_what_hangs_below_what_a_filter_matches_is_chosen_by_its_ancestors() -> None:
    where = "grade = '9' and not person.lastName in ('Lee') or enrollment.key = 7"
    found = chosen(where, None, BEHAVIOR, CATALOG, "Enrollment")
    assert found is not None
    tests = {side: list(leaves(condition)) for side, condition in found.items()}
    for side in Side:
        names = [([kind.name for kind in t.operand.path], t.operand.field.name) for t in tests[side]]
        assert names == [
            (["Behavior", "Enrollment"], "grade"),
            (["Behavior", "Enrollment", "Person"], "lastName"),
            (["Behavior"], "enrollmentID"),
        ]
    itself = chosen(where, None, ENROLLMENT, CATALOG, "Enrollment")
    assert itself == chosen(where, None, ENROLLMENT, CATALOG)
    with pytest.raises(FilterError, match="it is about Behavior, which is not above Enrollment"):
        chosen("code = 'a'", None, ENROLLMENT, CATALOG, "Behavior")


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("", "filter, position 1: it is empty; it would have to name a field, such as grade = '10'"),
        (" name = 'a' and", "filter, position 16: the name of a field should stand here, not the end"),
        ("name = 1", "filter, position 8: name needs a text in single quotes, not a number"),
        (
            "entered = 'a' and certified = 'b'",
            (
                "filter, position 19: the district has no column for certified, and position 1: "
                "the state has no column for entered"
            ),
        ),
    ],
)
def test_a_filter_that_neither_side_can_tell_is_told_with_its_places(where: str, told: str) -> None:
    with pytest.raises(FilterError) as why:
        of_item(where)
    assert str(why.value) == told


def test_a_year_has_to_be_open_and_there() -> None:
    with pytest.raises(YearNotOpen, match="only these school years are open: 2026"):
        of_item("name = 'a'", "2025")
    with pytest.raises(YearNotOpen):
        of_item("year = 2025")
    with pytest.raises(NoSchoolYear, match="Person has no school year, and nothing above it has one"):
        chosen(None, "2026", PERSON, CATALOG)
