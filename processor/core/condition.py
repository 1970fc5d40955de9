"""A filter as a tree: which records of an object are meant. Typed and immutable.

Logic has three values, as in SQL: a comparison with a null, or with a value that the field's type cannot carry, is
neither true nor false (`None`), and a record is meant only if the whole is true. Values are canonical text (see
`values`), codes of a crosswalk those of the state. `adapters/postgres/condition_sql.py` says the same as SQL.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from operator import eq, ge, gt, le, lt, ne
from typing import Any, TypeAlias, assert_never

from processor.core.catalog import FieldSpec, Kind, ObjectType, Table
from processor.core.request import Side


class Operator(StrEnum):
    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Operand:
    """A field of a record (`path` is its object alone) or of an ancestor, to which `path` leads by way of parents.

    An ancestor that is missing, or there more than once, has null in every field.
    """

    path: tuple[ObjectType, ...]
    field: FieldSpec

    @property
    def kind(self) -> ObjectType:
        """The object whose field it is."""
        return self.path[-1]

    def column(self, side: Side) -> str | None:
        return self.field.district_column if side is Side.DISTRICT else self.field.state_column


@dataclass(frozen=True, slots=True)
class Compare:
    operand: Operand
    operator: Operator
    value: str


@dataclass(frozen=True, slots=True)
class OneOf:
    operand: Operand
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StartsWith:
    operand: Operand
    prefix: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """True or false, never unknown: a value that cannot be carried is not null."""

    operand: Operand


@dataclass(frozen=True, slots=True)
class Not:
    term: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    terms: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    terms: "tuple[Condition, ...]"


Test: TypeAlias = Compare | OneOf | StartsWith | IsNull
Condition: TypeAlias = Test | Not | AllOf | AnyOf

EVERYTHING = AllOf(())


_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: eq,
    Operator.UNEQUAL: ne,
    Operator.LESS: lt,
    Operator.AT_MOST: le,
    Operator.GREATER: gt,
    Operator.AT_LEAST: ge,
}


def holds(test: Compare | OneOf | StartsWith, text: str) -> bool:
    """Of one canonical text."""
    kind = test.operand.field.kind
    match test:
        case Compare(_, operator, value):
            return _COMPARE[operator](_rank(kind, text), _rank(kind, value))
        case OneOf(_, values):
            return any(_rank(kind, text) == _rank(kind, value) for value in values)
        case StartsWith(_, prefix):
            return text.startswith(prefix)
        case _:
            assert_never(test)


def leaves(condition: Condition) -> Iterator[Test]:
    """Every test of a condition, from left to right."""
    match condition:
        case Not(term):
            yield from leaves(term)
        case AllOf(terms) | AnyOf(terms):
            for term in terms:
                yield from leaves(term)
        case _:
            yield condition


def table_of(kind: ObjectType, side: Side) -> Table:
    return kind.district if side is Side.DISTRICT else kind.state


def _rank(kind: Kind, text: str) -> Any:  # noqa: ANN401 (what compares as the kind does)
    """Texts by code point. Numbers by value, NaN being the greatest and equal to itself, as Postgres has it."""
    match kind:
        case Kind.LONG | Kind.DECIMAL:
            return Decimal(text)
        case Kind.DOUBLE:
            return (text == "nan", 0.0 if text == "nan" else float(text))
        case _:
            return text
