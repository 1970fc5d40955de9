"""A condition finds in Postgres exactly what the core says that it means, whatever types the columns have."""

from typing import Any, TypeAlias

from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from processor.adapters.postgres.condition_sql import condition_sql, where_sql
from processor.core.catalog import Kind
from processor.core.condition import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    IsNull,
    Not,
    OneOf,
    Operand,
    Operator,
    StartsWith,
    Test,
)
from processor.core.request import Side
from tests.conditions import read_value
from tests.integration.filter.world import AREA, OPERANDS, PUPIL, SCHOOL, TYPES, World, texts_of

Row: TypeAlias = dict[str, str | None]
AREAS: list[Row] = [
    {"id": "1", "title": "North"},
    {"id": "2", "title": None},
    {"id": "3", "title": "a"},
    {"id": "3", "title": "a"},
]
SCHOOLS: list[Row] = [
    {"id": "1", "areaID": "1", "founded": "1990-08-01 08:00", "size": "7"},
    {"id": "2", "areaID": "3", "founded": None, "size": "0"},
    {"id": "3", "areaID": "9", "founded": "infinity", "size": None},
    {"id": "4", "areaID": "2", "founded": "2026-11-01 01:30", "size": "7"},
    {"id": "4", "areaID": "1", "founded": "2026-11-01 01:30", "size": "7"},
    {"id": None, "areaID": "1", "founded": None, "size": None},
]


_SCHOOL = st.none() | st.integers(1, 7).map(str)


@st.composite
def _pupils(draw: st.DrawFn) -> list[Row]:
    rows: list[Row] = []
    for number in range(draw(st.integers(1, 5))):
        row = {name: draw(texts_of(name)) for name in TYPES}
        rows.append({"id": str(number), **row, "schoolID": draw(_SCHOOL), "schoolText": draw(_SCHOOL)})
    return rows


def _canonical(operand: Operand, text: str | None) -> str | None:
    found = read_value(operand, Side.DISTRICT, text)
    return found if isinstance(found, str) and "\x00" not in found else None


@st.composite
def _tests(draw: st.DrawFn, rows: list[Row]) -> Condition:
    operand = draw(st.sampled_from(OPERANDS))
    if operand.kind is PUPIL:
        texts = [row[operand.field.name] for row in rows]
        if operand.field.name in TYPES:
            texts.append(draw(texts_of(operand.field.name)))
    else:
        texts = [row[operand.field.name] for row in (SCHOOLS if operand.kind is SCHOOL else AREAS)]
    values = sorted({value for text in texts if (value := _canonical(operand, text)) is not None})
    if not values:
        return IsNull(operand)
    shape = draw(st.sampled_from(["compare", "compare", "in", "null", "prefix"]))
    if shape == "null":
        return IsNull(operand)
    if shape == "in":
        return OneOf(operand, tuple(draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))))
    if shape == "prefix" and operand.field.kind is Kind.STRING:
        return StartsWith(operand, draw(st.sampled_from(values))[: draw(st.integers(0, 2))])
    return Compare(operand, draw(st.sampled_from(Operator)), draw(st.sampled_from(values)))


def _conditions(rows: list[Row]) -> st.SearchStrategy[Condition]:
    def combined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        terms = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(inner.map(Not), terms.map(AllOf), terms.map(AnyOf))

    return st.recursive(_tests(rows), combined, max_leaves=4)


@st.composite
def _columns(draw: st.DrawFn) -> list[Row]:
    """Pupils of whom a single field, one after the other, holds a value of its own in each of them."""
    texts = {name: draw(st.lists(texts_of(name), min_size=7, max_size=7)) for name in TYPES}
    schools = [None, *map(str, range(1, 7))]
    return [
        {
            "id": str(number),
            **{name: texts[name][number] for name in TYPES},
            "schoolID": schools[number],
            "schoolText": schools[6 - number],
        }
        for number in range(7)
    ]


def _all_tests(operand: Operand, rows: list[Row]) -> list[Test]:
    """Every comparison of an operand with what the rows hold."""
    holders = {PUPIL.name: rows, SCHOOL.name: SCHOOLS, AREA.name: AREAS}[operand.kind.name]
    texts = [row[operand.field.name] for row in holders]
    values = sorted({value for text in texts if (value := _canonical(operand, text)) is not None})
    found: list[Test] = [IsNull(operand)]
    found += [Compare(operand, operator, value) for operator in Operator for value in values]
    found += [OneOf(operand, tuple(values[at:])) for at in range(len(values))]
    if operand.field.kind is Kind.STRING:
        found += [StartsWith(operand, value[:1]) for value in values]
    return found


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=_columns())
def test_every_test_of_every_column_is_as_true_in_postgres_as_in_the_core(world: World, rows: list[Row]) -> None:
    world.fill(AREA, AREAS)
    world.fill(SCHOOL, SCHOOLS)
    world.fill(PUPIL, rows)
    for operand in OPERANDS:
        conditions = _all_tests(operand, rows)
        expected = world.meant(conditions)
        for types in ({}, world.types):
            found = world.truths(conditions, condition_sql, types)
            assert _differing(conditions, expected, found) == []
        # What an index serves goes along, and for rows that are not meant it may be false instead of unknown.
        found = world.truths(conditions, where_sql, world.types)
        assert _differing(conditions, _meant(expected), _meant(found)) == []


def _meant(truths: list[list[bool | None]]) -> list[list[bool | None]]:
    return [[truth is True for truth in row] for row in truths]


def _differing(conditions: list[Test], expected: list[list[bool | None]], found: list[list[bool | None]]) -> list[Any]:
    return [
        (condition, expected[row][at], found[row][at])
        for row in range(len(expected))
        for at, condition in enumerate(conditions)
        if expected[row][at] is not found[row][at]
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_postgres_finds_what_a_whole_condition_means(world: World, data: Any) -> None:
    rows = data.draw(_pupils())
    world.fill(AREA, AREAS)
    world.fill(SCHOOL, SCHOOLS)
    world.fill(PUPIL, rows)
    held = world.held()
    for _ in range(10):
        condition = data.draw(_conditions(rows))
        expected = world.evaluated(condition, held)
        event(f"finds {'none' if not expected else 'all' if len(expected) == len(rows) else 'some'}")
        note(f"{condition} in {rows}")
        assert world.found(condition, with_types=False) == expected
        assert world.found(condition, with_types=True) == expected
