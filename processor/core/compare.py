"""One row of each side, field by field: what differs, and what the state should hold instead."""

import dataclasses
from collections.abc import Mapping
from itertools import chain, compress
from operator import ne

from processor.core.catalog import FieldSpec, ObjectType, Owner
from processor.core.errors import InvalidKey, UnmappedValue, Unrepresentable
from processor.core.frozen import dataclass
from processor.core.keys import canonical_key
from processor.core.row_values import RowValues
from processor.core.snapshot import Row
from processor.core.values import Values, canonical, has_local_time, same, tells_its_zone

MAX_ROW_BYTES = 900_000
"""Both rows of a correction as UTF-8: with its envelope it must fit into a record of 1 MiB."""
MOST_KNOWN = 4_096
"""Texts of one field that are known to be canonical."""
LONGEST_KNOWN = 64
"""A text column may hold a number of any length."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Names of differing fields in schema order: district-owned (`changed`) and state-owned (`expected`).

    `wanted` has district-owned fields that had to be looked at, since their texts differ or may mean two values: what
    the state should hold, by their places among those.
    """

    changed: tuple[str, ...]
    expected: tuple[str, ...]
    wanted: Mapping[int, str | None] = dataclasses.field(default_factory=dict, compare=False)


EQUAL = Difference((), ())
_STATE = "the state's value"


def compare(kind: ObjectType, district: Row, state: Row) -> Difference:
    """Compares one row of each side; O(fields).

    Raises Unrepresentable or UnmappedValue for a district-owned field that differs and that cannot be carried; a
    value that both sides hold alike is never looked at, whatever it is.
    """
    if district == state and not kind.ambiguous:
        return EQUAL
    changed: list[str] = []
    expected: list[str] = []
    wanted: dict[int, str | None] = {}
    for place in unlike_places(kind, district, state):
        field, ours, theirs = kind.compared[place], district[place], state[place]
        if field.owner is Owner.STATE:
            if not _state_owned_equal(kind, field, ours, theirs):
                expected.append(field.name)
            continue
        value = wanted[kind.owned_places[place]] = district_value(kind, field, ours)
        if not same(field, value, state_value(kind, field, theirs)):
            changed.append(field.name)
    return Difference(tuple(changed), tuple(expected), wanted)


def unlike_places(kind: ObjectType, district: Row, state: Row) -> list[int]:
    """Places of fields whose texts differ, or may not mean the same on both sides."""
    places = [*compress(range(len(district)), map(ne, district, state))]
    if kind.ambiguous:
        may_differ = (p for p in kind.ambiguous if not _same_anywhere(kind.compared[p], district[p]))
        places = sorted({*places, *may_differ})
    return places


def state_values(kind: ObjectType, row: Row) -> RowValues:
    """District-owned fields of a state's row, canonical. Raises Unrepresentable."""
    texts = [*compress(row, kind.are_owned)]
    for place, field, known in kind.spelled:
        text = texts[place]
        if text is None or text in known:
            continue
        value = texts[place] = canonical(field, text, kind.state.timezone, _STATE)
        if value == text and len(text) <= LONGEST_KNOWN and len(known) < MOST_KNOWN:
            known.add(text)
    return RowValues(kind.owned_names, texts)


def both_values(kind: ObjectType, district: Row, state: Row, difference: Difference) -> tuple[RowValues, RowValues]:
    """`state_values` and `wanted_values` of two rows that were compared. Raises as these do."""
    held = state_values(kind, state)
    wanted = held.replaced(difference.wanted)
    _check_wanted(kind, district, wanted)
    return held, wanted


def wanted_values(kind: ObjectType, row: Row) -> RowValues:
    """What the state should hold for a district's row: district-owned fields, canonical, in the state's codes.

    Raises Unrepresentable or UnmappedValue, also for a value that the wire carries and the state cannot hold.
    """
    texts = [district_value(kind, kind.compared[place], row[place]) for place in kind.owned_places]
    values = RowValues(kind.owned_names, texts)
    _check_wanted(kind, row, values)
    return values


def _check_wanted(kind: ObjectType, row: Row, values: Values) -> None:
    for field in kind.timestamps:
        value = values[field.name]
        if value is not None and not has_local_time(value, kind.state.timezone):
            raise Unrepresentable(
                field.name, f"{field.name}: the district's value is no time in the calendar of the state's timezone"
            )
    reference = None if kind.parent is None else values[kind.parent.field]
    if kind.parent is not None and reference is not None and parent_key(kind, row) is None:
        raise Unrepresentable(
            kind.parent.field, f"{kind.parent.field}: the district's value cannot be a key of {kind.parent.object}"
        )


def check_size(before: RowValues | None, after: RowValues | None) -> None:
    """Raises Unrepresentable, naming the largest field, for rows that one record cannot carry."""
    rows = [row for row in (before, after) if row is not None]
    if 4 * len("".join(filter(None, chain.from_iterable([row.texts for row in rows])))) <= MAX_ROW_BYTES:
        return
    sizes = {name: sum(len((row[name] or "").encode()) for row in rows) for name in rows[0]}
    if sum(sizes.values()) > MAX_ROW_BYTES:
        largest = max(sizes, key=sizes.__getitem__)
        raise Unrepresentable(
            largest, f"{largest}: {sizes[largest]} bytes; both sides' values of a record may have {MAX_ROW_BYTES}"
        )


def district_value(kind: ObjectType, field: FieldSpec, text: str | None) -> str | None:
    """A district's text, canonical and translated by the field's crosswalk."""
    value = canonical(field, text, kind.district.timezone, "the district's value")
    if value is None or field.crosswalk is None:
        return value
    try:
        return field.crosswalk.to_state[value]
    except KeyError:
        raise UnmappedValue(field.name, f"{field.name}: the code is not in crosswalk {field.crosswalk.name}") from None


def state_value(kind: ObjectType, field: FieldSpec, text: str | None) -> str | None:
    return canonical(field, text, kind.state.timezone, _STATE)


def parent_key(kind: ObjectType, row: Row) -> str | None:
    """The parent's key in a row of either side; None without a parent, or where the reference is null or no key."""
    if kind.parent is None:
        return None
    field = kind.by_name[kind.parent.field]
    try:
        value = canonical(field, row[kind.compared.index(field)], kind.district.timezone)
        return None if value is None else canonical_key(value, kind.parent.key_type)
    except (Unrepresentable, InvalidKey):
        return None


def _same_anywhere(field: FieldSpec, text: str | None) -> bool:
    """Whether a text has one meaning on both sides although their timezones differ."""
    return field.crosswalk is None and (text is None or tells_its_zone(text))


def _state_owned_equal(kind: ObjectType, field: FieldSpec, ours: str | None, theirs: str | None) -> bool:
    try:
        return same(field, district_value(kind, field, ours), state_value(kind, field, theirs))
    except (Unrepresentable, UnmappedValue):
        return False
