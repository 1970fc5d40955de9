"""One part of a scan: rows of both sides in the order of their keys become a window, and a window a Plan (ADR 0210).

Each key of an object is in the window of exactly one part. A key that is not in sync there is a suspect: it becomes one
of a chunk of keys that are read again, and only that decides it; to verify, once what was on its way has arrived.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice
from operator import ge
from typing import Any, NamedTuple, TypeAlias

from processor.core.accept import FIRST_SIZE, PART_KEYS, chunk_status, cut, first_digest, pending, printable
from processor.core.catalog import KeyType, Limits, ObjectType
from processor.core.chunk import Ask, Cause, Chunk, Scan
from processor.core.compare import Difference, compare
from processor.core.errors import CoreError, FieldError, InvalidKey, Reason
from processor.core.history import ChunkState, Status
from processor.core.ids import split_chunk, unread_range
from processor.core.keys import canonical_key, invalid_key_id
from processor.core.outcome import chunk_outcome
from processor.core.plan import Plan
from processor.core.request import Mode, Report
from processor.core.settle import put_off
from processor.core.snapshot import Row

MIN_SIZE = 100
"""Rows of a side; fewer only after a read that took too long."""
MAX_SIZE = 5_000
"""Where their columns are read."""
MAX_LINES = 100_000
"""Where a digest of each is."""
GROWTH = 4
"""A part is at most so many times as large as the one before."""
SHRINKAGE = 10
"""A part that could not be read in time is tried again with so many times fewer rows."""


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
    equal: list[Any] = field(default_factory=list)
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


class Sizes(NamedTuple):
    """How a part is to be read; as in `Scan`."""

    rows: int
    digest: int = 0
    by_rows: bool = False


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


def next_size(size: int, took_s: float, report: Report, limits: Limits) -> int:
    """Rows of a side that the next part should read, if this one took so long; itemised keys must fit in one chunk."""
    most = min(MAX_SIZE, limits.max_keys) if report is Report.ALL else MAX_LINES
    wanted = int(size * limits.chunk_target_s / max(took_s, 0.001))
    return min(most, max(MIN_SIZE, min(wanted, GROWTH * size)))


def end_part(chunk: Chunk, seen: Window, following: Sizes, limits: Limits, now: datetime) -> Plan:
    """Outcomes and counts of the part's keys, chunks that confirm its suspects, and the next part."""
    scan = scan_of(chunk)
    named = replace(chunk, attempt=1, first_decided_at=None, deferred_since=None, not_before=None, scan=None)
    plan = Plan()
    is_itemised = chunk.report is Report.ALL
    for key, difference in seen.expected if is_itemised else ():
        why, fields = Reason.EXPECTED_DIFFERENCE, difference.expected
        plan.history.append(chunk_outcome(named, _ask(key), Status.IN_SYNC, now, reason=why, changed_fields=fields))
    for text, fault in seen.invalid:
        ask = Ask(invalid_key_id(text), printable(text))
        plan.history.append(chunk_outcome(named, ask, Status.FAILED, now, reason=Reason.INVALID_KEY, detail=fault))
    plan.history += [chunk_outcome(named, _ask(str(key)), Status.IN_SYNC, now) for key in seen.equal if is_itemised]
    plan.add(_look_again(named, seen.suspects, limits, now))
    # What follows comes before this part's own end: who has read only some of these records must not find nothing open.
    rest = replace(scan, left=max(0, scan.left - seen.settled - len(seen.suspects)))
    if seen.last is not None:
        size, digest, by_rows = following
        rest = replace(rest, after=seen.last, part=scan.part + 1, size=size, digest=digest, by_rows=by_rows)
        plan.add(begin_part(named, rest, now))
    elif scan.below:
        plan.add(_begin_below(named, rest, now))
    in_sync, expected = (0, 0) if is_itemised else (seen.settled - len(seen.invalid), len(seen.expected))
    done = chunk_status(chunk, ChunkState.DONE, now, keys=seen.settled, in_sync=in_sync)
    plan.history.append(
        replace(done, district_rows=seen.district_rows, state_rows=seen.state_rows, expected_differences=expected)
    )
    return plan


def _begin_below(chunk: Chunk, scan: Scan, now: datetime) -> Plan:
    """The scan of the next object, under ids of its own."""
    name, *others = scan.below
    stem = str(int(_stem(chunk)) + 1)
    digest = first_digest(chunk.mode, chunk.report)
    of = None if scan.where is None else scan.of or chunk.object
    first = Scan(None, 0, FIRST_SIZE, scan.left, digest, where=scan.where, year=scan.year, below=tuple(others), of=of)
    return begin_part(replace(chunk, object=name, chunk=stem), first, now)


def begin_part(chunk: Chunk, scan: Scan, now: datetime) -> Plan:
    """The part as a chunk of its own, announced as PENDING."""
    part = replace(chunk, chunk=split_chunk(_stem(chunk), scan.part), cause=Cause.SCAN, scan=scan)
    return Plan(history=[chunk_status(part, ChunkState.PENDING, now, keys=scan.left)], chunks=[part])


def _stem(chunk: Chunk) -> str:
    return chunk.chunk.split(".", maxsplit=1)[0]


def _look_again(part: Chunk, suspects: Sequence[str], limits: Limits, now: datetime) -> Plan:
    """At once where differences are to be mended; to verify, after the delay of retries."""
    asks = cut([_ask(key) for key in suspects], min(PART_KEYS, limits.max_keys))
    announced = pending(part, asks, now, Cause.CONFIRM)
    if part.mode is Mode.VERIFY:
        return Plan(history=announced.history, retries=announced.chunks)
    return announced


def _ask(key: str) -> Ask:
    """As if the requester had named the key."""
    return Ask(key, printable(key))


def scan_of(chunk: Chunk) -> Scan:
    if chunk.scan is None:
        raise LookupError(f"chunk {chunk.request_id}/{chunk.chunk} is no part of a scan")
    return chunk.scan


def smaller(chunk: Chunk) -> Chunk:
    """The same part with fewer rows at once, after a read that took too long."""
    scan = scan_of(chunk)
    return replace(chunk, scan=replace(scan, size=max(1, scan.size // SHRINKAGE), digest=0))


def defer_part(chunk: Chunk, detail: str, limits: Limits, now: datetime) -> Plan:
    """What becomes of a part while a database is away, or too slow: it goes round, and fails after the deadline."""
    since = chunk.deferred_since or now
    if now - since >= timedelta(seconds=limits.snapshot_deadline_s):
        return fail_part(chunk, Reason.SNAPSHOT_UNAVAILABLE, detail, now)
    return Plan(retries=[put_off(chunk, since, now)])


def cancel_part(chunk: Chunk, now: datetime) -> Plan:
    """The end of a scan whose request was cancelled: one outcome stands for all keys that no part has looked at."""
    after = scan_of(chunk).after
    ask = Ask(unread_range(chunk.chunk), printable("all keys" if after is None else f"all keys after {after}"))
    outcome = chunk_outcome(replace(chunk, attempt=1, scan=None), ask, Status.CANCELLED, now)
    return Plan(history=[outcome, chunk_status(chunk, ChunkState.DONE, now)])


def fail_part(chunk: Chunk, reason: Reason, detail: str | None, now: datetime) -> Plan:
    """The end of a scan that cannot go on: one outcome stands for all keys that no part has looked at."""
    after = scan_of(chunk).after
    asked = "all keys" if after is None else f"all keys after {after}"
    what = f"{asked} were not compared" + (f": {detail}" if detail else "")
    ask = Ask(unread_range(chunk.chunk), printable(asked))
    outcome = chunk_outcome(
        replace(chunk, attempt=1, scan=None), ask, Status.FAILED, now, reason=reason, detail=printable(what)
    )
    return Plan(history=[outcome, chunk_status(chunk, ChunkState.DONE, now)])
