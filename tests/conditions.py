"""What a condition means, evaluated without a database: its SQL must choose the same records (ADR 0200)."""

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias, assert_never

from processor.core.compare import district_value, state_value
from processor.core.condition import AllOf, AnyOf, Compare, Condition, IsNull, Not, OneOf, Operand, StartsWith, holds
from processor.core.errors import UnmappedValue, Unrepresentable
from processor.core.request import Side
from processor.core.values import DANGLING


class Unreadable(Enum):
    """Stands for a value that the field's type cannot carry, or a code without translation."""

    UNREADABLE = "unreadable"


UNREADABLE = Unreadable.UNREADABLE
Value: TypeAlias = str | Unreadable | None


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


def read_value(operand: Operand, side: Side, text: str | None) -> Value:
    """What a side's column text means, as conditions see it."""
    if text == DANGLING and operand.field.state_lookup is not None:
        return UNREADABLE
    of_side = district_value if side is Side.DISTRICT else state_value
    try:
        return of_side(operand.kind, operand.field, text)
    except (Unrepresentable, UnmappedValue):
        return UNREADABLE
