"""One row of each side, field by field: what differs, and what the state should hold instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from processor.core.catalog import FieldSpec, ObjectType, Owner
from processor.core.errors import UnmappedValue, Unrepresentable
from processor.core.model import Values
from processor.core.snapshot import Row
from processor.core.values import canonical, same


@dataclass(frozen=True, slots=True)
class Difference:
    """Names of differing fields in schema order: district-owned (`changed`) and state-owned (`expected`)."""

    changed: tuple[str, ...]
    expected: tuple[str, ...]


EQUAL = Difference((), ())


def compare(kind: ObjectType, district: Row, state: Row) -> Difference:
    """Compares one row of each side; O(fields).

    Raises Unrepresentable or UnmappedValue for a district-owned field that differs and that cannot be carried; a
    value that both sides hold alike is never looked at, whatever it is.
    """
    if district == state and all(kind.same_text_same_value):
        return EQUAL
    changed: list[str] = []
    expected: list[str] = []
    for field, direct, ours, theirs in zip(kind.compared, kind.same_text_same_value, district, state, strict=True):
        if direct and ours == theirs:
            continue
        if field.owner is Owner.STATE:
            if not _state_owned_equal(kind, field, ours, theirs):
                expected.append(field.name)
        elif not same(field, district_value(kind, field, ours), state_value(kind, field, theirs)):
            changed.append(field.name)
    return Difference(tuple(changed), tuple(expected))


def state_values(kind: ObjectType, row: Row) -> Values:
    """District-owned fields of a state's row, canonical. Raises Unrepresentable."""
    return {f.name: state_value(kind, f, text) for f, text in _owned(kind, row)}


def wanted_values(kind: ObjectType, row: Row) -> Values:
    """What the state should hold for a district's row: district-owned fields, canonical, in the state's codes.

    Raises Unrepresentable or UnmappedValue.
    """
    return {f.name: district_value(kind, f, text) for f, text in _owned(kind, row)}


def district_value(kind: ObjectType, field: FieldSpec, text: str | None) -> str | None:
    """A district's text, canonical and translated by the field's crosswalk."""
    value = _canonical_at(field, text, kind.district.timezone, "district")
    if value is None or field.crosswalk is None:
        return value
    try:
        return field.crosswalk.to_state[value]
    except KeyError:
        raise UnmappedValue(field.name, f"{field.name}: the code is not in crosswalk {field.crosswalk.name}") from None


def state_value(kind: ObjectType, field: FieldSpec, text: str | None) -> str | None:
    return _canonical_at(field, text, kind.state.timezone, "state")


def parent_key(kind: ObjectType, row: Row) -> str | None:
    """The parent's key in a district's row; None without a parent, or where the reference is null or no key."""
    if kind.parent is None:
        return None
    field = kind.by_name[kind.parent.field]
    try:
        return canonical(field, row[kind.compared.index(field)], kind.district.timezone)
    except Unrepresentable:
        return None


def _canonical_at(field: FieldSpec, text: str | None, timezone: ZoneInfo, side: str) -> str | None:
    try:
        return canonical(field, text, timezone)
    except Unrepresentable:
        raise Unrepresentable(field.name, f"{field.name}: the {side}'s value is not a {field.kind}") from None


def _owned(kind: ObjectType, row: Row) -> Sequence[tuple[FieldSpec, str | None]]:
    return [(f, text) for f, text in zip(kind.compared, row, strict=True) if f.owner is Owner.DISTRICT]


def _state_owned_equal(kind: ObjectType, field: FieldSpec, ours: str | None, theirs: str | None) -> bool:
    try:
        return same(field, district_value(kind, field, ours), state_value(kind, field, theirs))
    except (Unrepresentable, UnmappedValue):
        return False
