"""A filter as a tree: which records of an object are meant. Typed, immutable, and evaluated here without a database.

Logic has three values, as in SQL: a comparison with a null, or with a value that the field's type cannot carry, is
neither true nor false (`None`), and a record is meant only if the whole is true. Values are canonical text (see
`values`), codes of a crosswalk those of the state. `adapters/postgres/condition_sql.py` says the same as SQL.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from operator import eq, ge, gt, le, lt, ne
from typing import Any, TypeAlias, assert_never

from processor.core.catalog import FieldSpec, Kind, ObjectType, Table
from processor.core.compare import district_value, state_value
from processor.core.errors import UnmappedValue, Unrepresentable
from processor.core.request import Side
from processor.core.values import DANGLING


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


class Unreadable(Enum):
    """Stands for a value that the field's type cannot carry, or a code without translation."""

    UNREADABLE = "unreadable"


UNREADABLE = Unreadable.UNREADABLE
Value: TypeAlias = str | Unreadable | None

_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: eq,
    Operator.UNEQUAL: ne,
    Operator.LESS: lt,
    Operator.AT_MOST: le,
    Operator.GREATER: gt,
    Operator.AT_LEAST: ge,
}


def evaluate(condition: Condition, value_of: Callable[[Operand], Value]) -> bool | None:
    """None is unknown."""
    match condition:
        case Not(term):
            inner = evaluate(term, value_of)
            return None if inner is None else not inner
        case AllOf(terms):
            found = {evaluate(term, value_of) for term in terms}
            return False if False in found else None if None in found else True
        case AnyOf(terms):
            found = {evaluate(term, value_of) for term in terms}
            return True if True in found else None if None in found else False
        case IsNull(operand):
            return value_of(operand) is None
        case Compare() | OneOf() | StartsWith():
            value = value_of(condition.operand)
            return holds(condition, value) if isinstance(value, str) else None
        case _:
            assert_never(condition)


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


def read_value(operand: Operand, side: Side, text: str | None) -> Value:
    """What a side's column text means, as conditions see it."""
    if text == DANGLING and operand.field.state_lookup is not None:
        return UNREADABLE
    of_side = district_value if side is Side.DISTRICT else state_value
    try:
        return of_side(operand.kind, operand.field, text)
    except (Unrepresentable, UnmappedValue):
        return UNREADABLE


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
