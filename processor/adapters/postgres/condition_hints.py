"""What follows from a condition and an index serves: plain comparisons of columns, besides the exact ones.

A row for which the condition is true fulfils every hint; what is found stays the same. Only what stands at the top, or
is joined to it by `and`, gives hints: under `not` something weaker would be wrong.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

from psycopg import sql

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.snapshot_sql import table_name
from processor.core.catalog import Kind
from processor.core.condition import (
    AllOf,
    Compare,
    Condition,
    OneOf,
    Operator,
    StartsWith,
    holds,
    table_of,
)
from processor.core.request import Side

ColumnTypes: TypeAlias = Mapping[tuple[str, str], str]
"""Type names of Postgres (`int4`, `varchar`) by table and column."""
ALIAS = "t"
"""The table of the object itself, in every statement with a condition."""
Parameter: TypeAlias = Callable[[str, str], sql.Composable]
"""Value and type to a placeholder."""

_ARRAY = {
    (Kind.STRING, "text"): "text[]",
    (Kind.STRING, "varchar"): "text[]",
    (Kind.STRING, "uuid"): "uuid[]",
    **{(Kind.LONG, name): "bigint[]" for name in ("int2", "int4", "int8")},
}
"""Where equal values are equal texts, so that the column can be compared as it is."""
_ORDERED = {
    Operator.LESS: sql.SQL("<="),
    Operator.AT_MOST: sql.SQL("<="),
    Operator.GREATER: sql.SQL(">="),
    Operator.AT_LEAST: sql.SQL(">="),
    Operator.EQUAL: sql.SQL("="),
}


def hints(condition: Condition, side: Side, types: ColumnTypes, parameter: Parameter) -> Iterator[sql.Composable]:
    """Of the record's own columns and its references."""
    match condition:
        case AllOf(terms):
            for term in terms:
                yield from hints(term, side, types, parameter)
        case Compare() | OneOf() | StartsWith() if len(condition.operand.path) == 1:
            yield from _of_test(condition, side, types, parameter)
        case _:
            pass


def _of_test(
    test: Compare | OneOf | StartsWith, side: Side, types: ColumnTypes, parameter: Parameter
) -> Iterator[sql.Composable]:
    operand = test.operand
    name = operand.column(side) or ""
    column = sql.Identifier(ALIAS, name)
    type_name = types.get((table_of(operand.kind, side).name, name), "")
    crosswalk, lookup = operand.field.crosswalk, operand.field.state_lookup
    if side is Side.DISTRICT and crosswalk is not None:
        meant = [ours for ours, theirs in crosswalk.to_state.items() if holds(test, theirs)]
        yield from _one_of(column, (Kind.STRING, type_name), meant, parameter)
    elif side is Side.STATE and lookup is not None:
        key_type = operand.field.kind, types.get((lookup.table, lookup.key_column), "")
        for within in _one_of(sql.Identifier("l", lookup.key_column), key_type, _equals(test), parameter):
            yield sql.SQL("{} IN (SELECT l.{} FROM {} AS l WHERE l.{} = %(district_id)s AND {})").format(
                column,
                sql.Identifier(lookup.id_column),
                table_name(lookup.table),
                sql.Identifier(lookup.district_column),
                within,
            )
    elif operand.field.kind is Kind.STRING:
        yield from _one_of(column, (Kind.STRING, type_name), _equals(test), parameter)
    elif isinstance(test, Compare) and test.operator in _ORDERED:
        zone = table_of(operand.kind, side).timezone.key
        yield from _in_time(test, column, type_name, zone, parameter)


def _equals(test: Compare | OneOf | StartsWith) -> Sequence[str]:
    """The only values for which a test holds; none where there may be others."""
    match test:
        case Compare(_, Operator.EQUAL, value):
            return [value]
        case OneOf(_, values):
            return values
        case _:
            return []


def _one_of(
    column: sql.Identifier, kept_as: tuple[Kind, str], values: Sequence[str], parameter: Parameter
) -> Iterator[sql.Composable]:
    array = _ARRAY.get(kept_as)
    if values and array is not None:
        fit = [value for value in values if array != "uuid[]" or _is_uuid(value)]
        yield sql.SQL("{} = ANY({})").format(column, parameter(array_literal(fit), array))


def _in_time(
    test: Compare, column: sql.Identifier, type_name: str, zone: str, parameter: Parameter
) -> Iterator[sql.Composable]:
    """Local times a day off at most: where clocks are put back, they are not in the order of the moments."""
    operator = _ORDERED[test.operator]
    match test.operand.field.kind, type_name:
        case Kind.DATE, "date":
            yield sql.SQL("{} {} {}").format(column, operator, parameter(test.value, "date"))
        case Kind.TIMESTAMP, "timestamptz":
            yield sql.SQL("{} {} {}").format(column, operator, parameter(test.value, "timestamptz"))
        case Kind.TIMESTAMP, "timestamp" if test.operator is not Operator.EQUAL:
            later = test.operator in (Operator.GREATER, Operator.AT_LEAST)
            yield sql.SQL("{} {} ({} AT TIME ZONE {}) {} interval '1 day'").format(
                column,
                operator,
                parameter(test.value, "timestamptz"),
                sql.Literal(zone),
                sql.SQL("-" if later else "+"),
            )
        case _:
            pass


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
