"""Rows of both sides after a key become a window: of which keys both tell all, and which are in sync (ADR 0210)."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import islice
from operator import ge
from typing import Any, TypeAlias

from processor.core.catalog import KeyType, ObjectType
from processor.core.compare import Difference, compare
from processor.core.errors import CoreError, FieldError, InvalidKey, Reason
from processor.core.keys import canonical_key
from processor.core.snapshot import Row

_PLAIN_INTEGER = re.compile("[1-9][0-9]{0,17}\\Z")
"""The canonical spelling of most keys that are integers, told without making it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one side that follow a key, by the text of their keys and in their order; a key has all of its rows.

    `is_full` where there may be more than were asked for. With a filter, `upto` is the last key that was looked at,
    None where all were; `beside` are rows of keys that it found at the other side alone, in no order.
    """

    rows: Mapping[str, tuple[Row, ...]]
    is_full: bool
    upto: str | None = None
    beside: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)

    @property
    def last(self) -> str | None:
        """The last key that this page tells all about; None where it tells about all that follow."""
        return list(self.rows)[-1] if self.is_full and self.rows else self.upto

    def held(self, key: str) -> tuple[Row, ...]:
        return self.rows.get(key) or self.beside.get(key, ())


@dataclass(slots=True)
class Window:
    """Keys up to `last`, or all that follow where it is None, each in one of the four lists.

    `district_rows` and `state_rows` leave out those of suspects.
    """

    last: str | None
    counted: int | None = None
    """Keys in sync that nobody has named, as equal digests tell; None where keys were looked at."""
    equal: MutableSequence[Any] = field(default_factory=list)
    """As texts or as their places."""
    expected: list[tuple[str, Difference]] = field(default_factory=list)
    suspects: list[str] = field(default_factory=list)
    differing: int = 0
    """How many of the suspects have rows on both sides."""
    invalid: list[tuple[str, str]] = field(default_factory=list)
    district_rows: int = 0
    state_rows: int = 0

    @property
    def settled(self) -> int:
        return (self.counted or 0) + len(self.equal) + len(self.expected) + len(self.invalid)


def never_in_sync(_kind: ObjectType, _ours: "Held", _theirs: "Held") -> Difference | None:
    """By force all are sent."""
    return None


class Disordered(CoreError):
    """A side gave its keys in another order than ours, so nobody knows which keys a part has."""

    reason = Reason.NOT_SUPPORTED


def scan_order(kind: ObjectType) -> KeyType:
    """By what both sides are read: as text, byte by byte, where they keep the key in columns of different types."""
    ours, theirs = kind.district.key_type, kind.state.key_type
    return ours if ours is theirs else KeyType.TEXT


def window(kind: ObjectType, after: str | None, district: Page, state: Page, same: "Same | None" = None) -> Window:
    """The keys that both pages tell all of, compared; by their columns, if not by `same`. Raises Disordered."""
    same = same or _in_sync
    place = place_of(scan_order(kind))
    ours, theirs = (_in_order(side, after, page, place) for side, page in (("district", district), ("state", state)))
    lasts = [last for page in (district, state) if (last := page.last) is not None]
    found = Window(min(lasts, key=place) if lasts else None)
    end = None if found.last is None else place(found.last)
    for key in _keys_up_to(end, district, ours):
        _sort(kind, key, (district.rows[key], state.held(key)), same, found)
    for key in _keys_up_to(end, state, theirs):
        if key not in district.rows:
            _sort(kind, key, (district.held(key), state.rows[key]), same, found)
    return found


def place_of(order: KeyType) -> Callable[[str], Any]:
    """A key's text to what comes in its order; raises Disordered for what has no place."""
    return _number if order is KeyType.INTEGER else str


def _number(text: str) -> int | Decimal:
    """A column of numbers may hold some that are no integers; whatever else it holds has no place among them."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Disordered("a key is not a number, although the catalog says that keys are")
    return number


def _in_order(side: str, after: str | None, page: Page, place: Callable[[str], Any]) -> Sequence[Any]:
    """The places of a page's keys. Raises Disordered."""
    places = [place(key) for key in page.rows]
    if page.upto is not None and places and places[-1] > place(page.upto):
        raise Disordered(f"the {side}'s database gives keys beyond the last that it was asked for")
    if any(map(ge, places, places[1:])) or (after is not None and places and place(after) >= places[0]):
        raise Disordered(f"the {side}'s database does not give keys in the order of their bytes, or of their numbers")
    return places


def _keys_up_to(end: Any, page: Page, places: Sequence[Any]) -> Iterator[str]:  # noqa: ANN401  (a place, or None)
    return islice(page.rows, len(places) if end is None else bisect_right(places, end))


Held: TypeAlias = tuple[Row, ...]
"""What a side holds of a key."""
Same: TypeAlias = Callable[[ObjectType, Held, Held], Difference | None]
"""None where the rows that both sides hold of a key are not in sync."""


def _sort(kind: ObjectType, key: str, both: tuple[Held, Held], same: Same, found: Window) -> None:
    """Puts a key into the list that it belongs to."""
    ours, theirs = both
    if fault := _fault(key, kind.key_type):
        sides = " and ".join(side for side, rows in (("the district", ours), ("the state", theirs)) if rows)
        found.invalid.append((key, f"{fault}; at {sides}"))
    elif (difference := same(kind, ours, theirs)) is None:
        found.suspects.append(key)
        found.differing += bool(ours and theirs)
        return
    elif difference.expected:
        found.expected.append((key, difference))
    else:
        found.equal.append(key)
    found.district_rows += len(ours)
    found.state_rows += len(theirs)


def _fault(key: str, key_type: KeyType) -> str | None:
    """Why nobody can ask for the key as a side keeps it; None where one can."""
    if key_type is KeyType.INTEGER and _PLAIN_INTEGER.match(key):
        return None
    try:
        canonical = canonical_key(key, key_type)
    except InvalidKey as error:
        return error.detail
    return None if canonical == key else "the key is kept in a spelling that nobody can ask for"


def _in_sync(kind: ObjectType, ours: Held, theirs: Held) -> Difference | None:
    if len(ours) != 1 or len(theirs) != 1:
        return None
    try:
        difference = compare(kind, ours[0], theirs[0])
    except FieldError:
        return None
    return None if difference.changed else difference
