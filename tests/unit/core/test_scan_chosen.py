"""A scan of what a filter chooses: each key that a side chooses is told as if somebody had named it, and no other."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.core.accept import accept
from processor.core.chosen import Chosen, chosen
from processor.core.chunk import Chunk, Scan
from processor.core.digest import Digest, equal_window, next_sizes, same_digest
from processor.core.errors import Reason
from processor.core.plan import Plan
from processor.core.request import Dependencies, Filter, Mode, Report, Request, Side
from processor.core.scan import Sizes, begin_part, end_part
from processor.core.snapshot import Row
from processor.core.window import Disordered, Page, window
from tests.unit.core.builders import (
    CATALOG,
    NOW,
    PERSON,
    World,
    chosen_pages,
    chunk,
    digests,
    is_chosen,
    lines,
    ours,
    request,
    theirs,
)
from tests.unit.core.test_scan import DISTRICT_ROWS, LIMITS, STATE_ROWS, last_statuses, told

SIDES = st.dictionaries(st.integers(-30, 30).map(str), st.tuples(DISTRICT_ROWS, STATE_ROWS), max_size=25)
FILTERS = ["lastName = 'Else'", "lastName != 'Else'", "key > 5", "key = 0", "certification = 'y'", "gender = '2'"]
"""Of one row, of nearly all, of a range, of what only one side has, of what only the district can tell."""
Rows = Mapping[str, tuple[Row, ...]]


def asked(where: str, year: str | None = None) -> Request:
    return replace(request(), selection=Filter(where), mode=Mode.VERIFY, report=Report.CHANGES, school_year=year)


def first_part(where: str) -> Chunk:
    _, first = accept(asked(where), CATALOG, NOW)
    assert first is not None
    assert first.scan is not None
    (part,) = begin_part(first, first.scan, NOW).chunks
    return part


def scanned(district: Rows, state: Rows, wanted: Chosen, where: str, sizes: st.DataObject) -> Plan:
    plan, part = Plan(), first_part(where)
    while True:
        assert part.scan is not None
        assert part.scan.where == where
        after = part.scan.after
        size, tried = sizes.draw(st.integers(1, 8)), sizes.draw(st.integers(0, 8))
        pages = chosen_pages(PERSON, district, state, wanted, after=after, size=size)
        seen = window(PERSON, after, *pages)
        if sizes.draw(st.booleans()):
            seen = window(PERSON, after, *lines(PERSON, *pages), same_digest)
        if tried and len(wanted) == len(Side):
            alike = digests(PERSON, *chosen_pages(PERSON, district, state, wanted, after=after, size=tried))
            seen = equal_window(*alike, tried) or seen
        step = end_part(part, seen, Sizes(1), LIMITS, NOW)
        plan.add(step)
        if not step.chunks:
            break
        (part,) = step.chunks
    world = World(*({("Person", key): rows for key, rows in side.items()} for side in (district, state)))
    for again in plan.retries:
        plan.history += world.decide(again).history
    return plan


@settings(max_examples=150, deadline=None)
@given(SIDES, st.data(), st.sampled_from(FILTERS), st.sampled_from([tuple(Side), (Side.DISTRICT,), (Side.STATE,)]))
def test_each_key_that_a_side_chooses_is_told_as_if_it_had_been_named(
    both: dict[str, tuple[tuple[Row, ...], tuple[Row, ...]]], sizes: st.DataObject, where: str, sides: tuple[Side, ...]
) -> None:
    district, state = ({key: rows[i] for key, rows in both.items() if rows[i]} for i in (0, 1))
    meant = chosen(where, None, PERSON, CATALOG)
    assert meant is not None
    wanted = {side: meant[side] for side in sides}
    keys = [
        key
        for key in {**district, **state}
        if any(
            side in wanted and any(is_chosen(PERSON, wanted[side], side, key, row) for row in rows.get(key, ()))
            for side, rows in ((Side.DISTRICT, district), (Side.STATE, state))
        )
    ]
    world = World(*({("Person", key): rows for key, rows in side.items()} for side in (district, state)))
    single = world.decide(chunk(*keys, mode=Mode.VERIFY, report=Report.CHANGES))
    scan = scanned(district, state, wanted, where, sizes)
    counted = [key for key, (_, reason, *_) in told(single).items() if reason is Reason.EXPECTED_DIFFERENCE]
    assert told(scan) == {key: what for key, what in told(single).items() if key not in counted}
    assert sum(s.keys for s in last_statuses(scan)) == len(keys)


def test_what_hangs_below_goes_on_with_the_filter_of_the_object_asked_for() -> None:
    children = replace(asked("lastName = 'Else'"), dependencies=Dependencies.CHILDREN)
    _, part = accept(children, CATALOG, NOW)
    scans = []
    while part is not None and part.scan is not None:
        scans.append((part.object, part.scan.where, part.scan.of))
        nothing = window(CATALOG.objects[part.object], None, Page({}, is_full=False), Page({}, is_full=False))
        (part, *_) = [*end_part(part, nothing, Sizes(1), LIMITS, NOW).chunks, None]
    assert scans == [
        ("Person", "lastName = 'Else'", None),
        *((name, "lastName = 'Else'", "Person") for name in ("Enrollment", "Behavior", "Sanction")),
    ]


def test_what_the_other_side_does_not_choose_is_compared_all_the_same() -> None:
    """A filter by what the state owns finds rows at the state alone; they are no suspects for it."""
    mine, yours = {"7": (ours(),)}, {"7": (theirs(certification="y"),)}
    wanted = chosen("certification = 'y'", None, PERSON, CATALOG)
    assert wanted is not None
    seen = window(PERSON, None, *chosen_pages(PERSON, mine, yours, wanted, after=None, size=9))
    assert seen.suspects == []
    assert [key for key, _ in seen.expected] == ["7"]


@pytest.mark.parametrize("side", list(Side))
def test_where_one_side_alone_can_tell_the_other_is_compared_all_the_same(side: Side) -> None:
    mine, yours = {"7": (ours(),), "8": (ours(),)}, {"7": (theirs(),), "9": (theirs(),)}
    meant = chosen("key < 9", None, PERSON, CATALOG)
    assert meant is not None
    seen = window(PERSON, None, *chosen_pages(PERSON, mine, yours, {side: meant[side]}, after=None, size=9))
    assert (seen.equal, seen.suspects) == (["7"], ["8"] if side is Side.DISTRICT else [])


def test_a_part_that_finds_nothing_ends_at_the_last_key_that_was_looked_at() -> None:
    nothing = Page({}, is_full=False, upto="40")
    assert window(PERSON, "9", nothing, nothing).last == "40"
    found = Page({"12": (ours(),)}, is_full=True, upto="40")
    assert window(PERSON, "9", found, nothing).last == "12"


def test_a_key_beyond_what_was_asked_for_is_out_of_order() -> None:
    with pytest.raises(Disordered, match="the state's database gives keys beyond the last"):
        window(PERSON, None, Page({}, is_full=False, upto="40"), Page({"41": (theirs(),)}, is_full=False, upto="40"))


def test_the_more_rows_hold_nothing_the_more_are_looked_at() -> None:
    """As with rows that are equal, up to as many as one digest may have."""
    nothing, sizes = Digest(0, 0, None, None, are_plain=True, upto="1000"), [1_000]
    for _ in range(5):
        seen = equal_window(nothing, nothing, sizes[-1])
        assert seen is not None
        assert seen.last == "1000"
        scan = Scan(None, 0, 1_000, 0, sizes[-1])
        sizes.append(next_sizes(scan, seen, 0.01, Report.CHANGES, LIMITS).digest)
    assert sizes == [1_000, 16_000, 256_000, 1_000_000, 1_000_000, 1_000_000]
