"""A condition as SQL for either side, meaning what `core.condition` says. Values are parameters, always.

A column is read as text, as snapshots read it, and turned into its field's value by expressions that are null for what
the field's type cannot carry; never by a cast that could fail. Where the column's own type is known and holds nothing
but such values it is compared as it is, so that an index on it serves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from psycopg import sql

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.condition_hints import ALIAS, ColumnTypes, hints
from processor.adapters.postgres.condition_values import AS_TEXT, NATIVE, PARAMETER, value_of_text
from processor.adapters.postgres.snapshot_sql import table_name
from processor.core.catalog import FieldSpec, ObjectType
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
    holds,
    leaves,
    table_of,
)
from processor.core.request import Side
from processor.core.values import DANGLING

_OPERATORS = {
    Operator.EQUAL: sql.SQL("="),
    Operator.UNEQUAL: sql.SQL("<>"),
    Operator.LESS: sql.SQL("<"),
    Operator.AT_MOST: sql.SQL("<="),
    Operator.GREATER: sql.SQL(">"),
    Operator.AT_LEAST: sql.SQL(">="),
}


def condition_sql(condition: Condition, side: Side, types: ColumnTypes) -> tuple[sql.Composed, dict[str, str]]:
    """An expression over the object's table as `t`: true, false or null as `core.condition` has it. And its parameters.

    These are named `p0`, `p1` and so on; the statement around it also gives `district_id`. Session: TimeZone UTC,
    DateStyle ISO. `types` may be empty.
    """
    writer = _Writer(side, types)
    return sql.SQL("({})").format(writer.condition(condition)), writer.parameters


def where_sql(condition: Condition, side: Side, types: ColumnTypes) -> tuple[sql.Composed, dict[str, str]]:
    """The same with what an index serves: true for the rows that are meant, for others false or null."""
    writer = _Writer(side, types)
    terms = [writer.condition(condition), *hints(condition, side, types, writer.parameter)]
    return sql.SQL("({})").format(sql.SQL(" AND ").join(terms)), writer.parameters


def tables_of(condition: Condition, side: Side) -> list[str]:
    """Those whose columns' types matter."""
    operands = [test.operand for test in leaves(condition)]
    lookups = [each.field.state_lookup for each in operands if side is Side.STATE]
    tables = [table_of(each.path[0], side).name for each in operands]
    return sorted({*tables, *(lookup.table for lookup in lookups if lookup is not None)})


def field_sql(operand: Operand, side: Side) -> sql.Composed:
    """An operand's column as text, as snapshots read it; references that the state holds as its ids are keys."""
    return _text(operand, side)


@dataclass(slots=True)
class _Writer:
    side: Side
    types: ColumnTypes
    parameters: dict[str, str] = field(default_factory=dict)

    def condition(self, condition: Condition) -> sql.Composable:
        match condition:
            case Not(term):
                return sql.SQL("(NOT {})").format(self.condition(term))
            case AllOf(()):
                return sql.SQL("true")
            case AllOf(terms):
                return sql.SQL("({})").format(sql.SQL(" AND ").join(map(self.condition, terms)))
            case AnyOf(terms):
                return sql.SQL("({})").format(sql.SQL(" OR ").join(map(self.condition, terms)))
            case _:
                return self._test(condition)

    def _test(self, test: Test) -> sql.Composable:
        match test:
            case IsNull(operand):
                return sql.SQL("({} IS NULL)").format(_text(operand, self.side))
            case Compare() | OneOf() | StartsWith() if self._is_translated(test.operand):
                return self._by_codes(test)
            case Compare(operand, operator, value):
                given = self.parameter(value, PARAMETER[operand.field.kind])
                return sql.SQL("({} {} {})").format(self._value(operand), _OPERATORS[operator], given)
            case OneOf(operand, values):
                given = self.parameter(array_literal(list(values)), f"{PARAMETER[operand.field.kind]}[]")
                return sql.SQL("({} = ANY({}))").format(self._value(operand), given)
            case StartsWith(operand, prefix):
                return sql.SQL("starts_with({}, {})").format(self._value(operand), self.parameter(prefix, "text"))
            case _:
                assert_never(test)

    def _is_translated(self, operand: Operand) -> bool:
        return self.side is Side.DISTRICT and operand.field.crosswalk is not None

    def _by_codes(self, test: Compare | OneOf | StartsWith) -> sql.Composable:
        """A test of the state's codes as a list of the district's; unknown for a code without translation."""
        crosswalk = test.operand.field.crosswalk
        to_state = {} if crosswalk is None else crosswalk.to_state
        meant = array_literal([ours for ours, theirs in to_state.items() if holds(test, theirs)])
        text = sql.SQL(AS_TEXT).format(_text(test.operand, self.side))
        return sql.SQL("(CASE WHEN {text} = ANY({known}) THEN {text} = ANY({meant}) END)").format(
            text=text,
            known=self.parameter(array_literal(list(to_state)), "text[]"),
            meant=self.parameter(meant, "text[]"),
        )

    def _value(self, operand: Operand) -> sql.Composable:
        table = table_of(operand.kind, self.side)
        looked_up = self.side is Side.STATE and operand.field.state_lookup is not None
        column = operand.column(self.side) or ""
        native = NATIVE.get((operand.field.kind, self.types.get((table.name, column), "")))
        if native is not None and len(operand.path) == 1 and not looked_up:
            return sql.SQL(native).format(sql.Identifier(ALIAS, column), zone=sql.Literal(table.timezone.key))
        text: sql.Composable = _text(operand, self.side)
        if looked_up:
            text = sql.SQL("nullif({}, {})").format(text, sql.Literal(DANGLING))
        return value_of_text(operand.field, sql.SQL(AS_TEXT).format(text), table.timezone.key)

    def parameter(self, value: str, type_name: str) -> sql.Composable:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return sql.SQL("{}::{}").format(sql.Placeholder(name), sql.SQL(type_name))


def _text(operand: Operand, side: Side) -> sql.Composed:
    """Through the parents, each of which must be there exactly once."""
    return _of_row(operand.path, operand.field, side, as_text=True)


def _of_row(path: Sequence[ObjectType], wanted: FieldSpec, side: Side, *, as_text: bool) -> sql.Composed:
    """A column of the record itself, or of the ancestor at the path's end, found by the reference of the one before."""
    level = len(path) - 1
    alias = f"t{level}" if level else ALIAS
    column = _column(wanted, side, alias, as_text=as_text)
    if level == 0:
        return column
    table, reference = table_of(path[-1], side), path[-2].parent
    if reference is None:
        raise ValueError(f"{path[-2].name} has no parent")
    shared: sql.Composable = sql.SQL("")
    if table.district_column is not None:
        shared = sql.SQL("{} = %(district_id)s AND ").format(sql.Identifier(alias, table.district_column))
    return sql.SQL(
        "(SELECT (array_agg({column}))[1] FROM {table} AS {alias}"
        " WHERE {shared}{key} = {reference} HAVING count(*) = 1)"
    ).format(
        column=column,
        table=table_name(table.name),
        alias=sql.Identifier(alias),
        shared=shared,
        key=sql.Identifier(alias, table.key_column),
        reference=_of_row(path[:-1], path[-2].by_name[reference.field], side, as_text=False),
    )


def _column(wanted: FieldSpec, side: Side, alias: str, *, as_text: bool) -> sql.Composed:
    """A column; where it holds the state's id of a record, this record's key, and a mark if there is none (as text)."""
    if side is Side.DISTRICT or wanted.state_lookup is None:
        name = wanted.district_column if side is Side.DISTRICT else wanted.state_column
        return sql.SQL("{}::text" if as_text else "{}").format(sql.Identifier(alias, name or ""))
    lookup, column = wanted.state_lookup, sql.Identifier(alias, wanted.state_column or "")
    key = sql.SQL(
        "(SELECT l.{key} FROM {table} AS l WHERE l.{id} = {column} AND l.{district} = %(district_id)s LIMIT 1)"
    ).format(
        key=sql.Identifier(lookup.key_column),
        table=table_name(lookup.table),
        id=sql.Identifier(lookup.id_column),
        column=column,
        district=sql.Identifier(lookup.district_column),
    )
    if not as_text:
        return key
    return sql.SQL("CASE WHEN {column} IS NOT NULL THEN coalesce({key}::text, {dangling}) END").format(
        column=column, key=key, dangling=sql.Literal(DANGLING)
    )
