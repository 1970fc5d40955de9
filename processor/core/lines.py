"""Rows as a key and a digest each, packed: a hundred thousand of them are compared in some hundredths of a second.

Where each side has one row of a key, and the same, the key is in sync (ADR 0211, 0214).
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import eq, lt, ne, not_
from typing import Any, TypeAlias

from processor.core.catalog import KeyType, ObjectType
from processor.core.digest import same_digest
from processor.core.keys import is_canonical
from processor.core.window import Page, Same, Window, place_of, scan_order, window

BLOCK = 4_096
"""Rows that are compared at once: equal ones as bytes, others by a look-up of each."""

Places: TypeAlias = Sequence[int] | Sequence[str]
"""Keys as their order compares them: integers as numbers, others as texts."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows of one side that follow a key, in the order of their keys; a key has all of its rows.

    `is_full` where there may be more than were asked for.
    """

    places: Places
    digests: Sequence[int]
    is_full: bool

    @property
    def page(self) -> Page:
        """In time that grows with the rows, though one key may have very many of them."""
        rows: dict[str, list[Any]] = {}
        for key, digest in zip(map(str, self.places), self.digests, strict=True):
            rows.setdefault(key, []).append((digest,))
        return Page({key: tuple(held) for key, held in rows.items()}, self.is_full)

    @property
    def last(self) -> int | str | None:
        """The last key that these rows tell all about; None where they tell about all that follow."""
        return self.places[-1] if self.is_full and self.places else None


Side: TypeAlias = Lines | Page


def lines_window(kind: ObjectType, after: str | None, district: Side, state: Side, same: Same = same_digest) -> Window:
    """As `window`, of pages that have one digest as the columns of each row, packed or not. Raises Disordered."""
    if not (isinstance(district, Lines) and isinstance(state, Lines)):
        return window(kind, after, _page(district), _page(state), same)
    if same is same_digest and _is_plain(kind, after, district) and _is_plain(kind, after, state):
        return _window(district, state)
    return window(kind, after, district.page, state.page, same)


def _page(side: Side) -> Page:
    return side.page if isinstance(side, Lines) else side


def _window(district: Lines, state: Lines) -> Window:
    lasts: list[Any] = [side.last for side in (district, state) if side.last is not None]
    last = min(lasts, default=None)
    # Numbers stay as small as they came: a list of them would be five times as large.
    equal: Any = array("q") if isinstance(district.places, array) else []
    suspects: list[Any] = []
    beyond: list[Any] = []
    differing = 0
    for ours, theirs in _blocks(_upto(last, district), _upto(last, state)):
        if ours == theirs:
            equal.extend(ours.places)
            continue
        held = dict(zip(theirs.places, theirs.digests, strict=True))
        are_off = list(map(ne, map(held.get, ours.places), ours.digests))
        equal.extend(compress(ours.places, map(not_, are_off)))
        others = list(compress(ours.places, are_off))
        suspects += others
        on_both = sum(map(held.__contains__, others))
        differing += on_both
        if len(held) > len(ours.places) - len(others) + on_both:
            beyond += sorted(held.keys() - ours.places)
    return Window(
        last=None if last is None else str(last),
        equal=equal,
        suspects=[str(place) for place in (*suspects, *beyond)],
        differing=differing,
        district_rows=len(equal),
        state_rows=len(equal),
    )


def _blocks(district: Lines, state: Lines) -> Iterator[tuple[Lines, Lines]]:
    """Some rows of the district after the other, each with the state's of the same range of keys."""
    begun = 0
    for start in range(0, len(district.places), BLOCK):
        some = _some(district, start, start + BLOCK)
        end = bisect_right(state.places, some.places[-1], begun)
        yield some, _some(state, begun, end)
        begun = end
    yield _some(district, 0, 0), _some(state, begun, len(state.places))


def _some(side: Lines, start: int, end: int) -> Lines:
    return Lines(side.places[start:end], side.digests[start:end], is_full=False)


def _is_plain(kind: ObjectType, after: str | None, side: Lines) -> bool:
    """Whether each key has one row, in order, and is spelled as one asks for it."""
    places = side.places
    if not all(map(lt, places, places[1:])):
        return False
    if after is not None and places and places[0] <= place_of(scan_order(kind))(after):
        return False
    return kind.key_type is not KeyType.TEXT or all(is_canonical(str(key), kind.key_type) for key in places)


def _upto(last: Any, side: Lines) -> Lines:  # noqa: ANN401  (a place, or None for all)
    return side if last is None else _some(side, 0, bisect_right(side.places, last))


def same_keys(kind: ObjectType, asked: Sequence[str], district: Lines, state: Lines) -> list[str]:
    """Of the keys asked for, those of which each side has one row, and the same; rows may come in any order.

    None of them where a row came under a key that was not asked for: its column takes two spellings for one.
    """
    ours, theirs = (_of_single_rows(side) for side in (district, state))
    same = compress(ours, map(eq, map(theirs.get, ours), ours.values()))
    if kind.key_type is KeyType.INTEGER:
        return list(map(str, same))
    return list(same) if {*district.places, *state.places} <= {*asked} else []


def _of_single_rows(side: Lines) -> dict[Any, int]:
    """Digests by the places that one row has."""
    held: dict[Any, int] = dict(zip(side.places, side.digests, strict=True))
    if len(held) < len(side.places):
        for place, rows in Counter[Any](side.places).items():
            if rows > 1:
                del held[place]
    return held
