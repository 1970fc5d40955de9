"""Ranges of a side's rows, and what their reads are together."""

from array import array

import pytest

from processor.adapters.postgres.scan_ranges import (
    LEAST_ROWS,
    Range,
    joined_digests,
    joined_lines,
    joined_pages,
    ranges_between,
)
from processor.core.digest import Digest
from processor.core.lines import Lines
from processor.core.window import Page

SIZE = 4 * LEAST_ROWS


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([], [Range("a", None, SIZE)]),
        (["b"], [Range("a", "b", SIZE), Range("b", None, 3 * LEAST_ROWS)]),
        (["b", "c", "d"], [Range("a", "b", SIZE), Range("b", "c", SIZE), Range("c", "d", SIZE), Range("d", None, 500)]),
        (["b", "b", "d"], [Range("a", "b", SIZE), Range("b", "d", SIZE), Range("d", None, LEAST_ROWS)]),
    ],
)
def test_ranges_follow_one_another(ends: list[str], expected: list[Range]) -> None:
    assert list(ranges_between(ends, Range("a", None, SIZE), LEAST_ROWS)) == expected


def page(*keys: str, is_full: bool = False) -> Page:
    return Page(dict.fromkeys(keys, (("x",),)), is_full)


def test_pages_are_one() -> None:
    assert joined_pages([page("1", "2"), page(), page("3", is_full=True)]) == page("1", "2", "3", is_full=True)
    assert joined_pages([page("1"), page()]) == page("1")


def test_nothing_is_told_of_what_follows_a_range_that_had_more_rows_than_there_was_room_for() -> None:
    assert joined_pages([page("1"), page("2", is_full=True), page("9")]) == page("1", "2", is_full=True)
    lines = [Lines([1], [7], is_full=True), Lines([9], [8], is_full=False)]
    assert joined_lines(lines) == Lines([1], array("q", [7]), is_full=True)
    digests = [Digest(1, 1, "1", "7", are_plain=True, upto="1"), Digest(1, 1, "9", "8", are_plain=True)]
    assert joined_digests(digests) == digests[0]


@pytest.mark.parametrize("places", [([1, 2], [], [5]), (["a"], [], ["b"]), ([], [], [])])
def test_lines_are_one(places: tuple[list[int] | list[str], ...]) -> None:
    parts = [Lines(each, [7] * len(each), is_full=False) for each in places]
    joined = joined_lines(parts)
    assert list(joined.places) == [place for each in places for place in each]
    assert (list(joined.digests), joined.is_full) == ([7] * len(joined.places), False)


def test_digests_are_one_though_fewer_rows_than_were_asked_for_are_not_the_end() -> None:
    """Some may have gone since it was asked where ranges end."""
    parts = [
        Digest(499, 499, "10", "-7", are_plain=True),
        Digest(0, 0, None, None, are_plain=True),
        Digest(500, 498, "20", "9", are_plain=False, upto="20"),
    ]
    assert joined_digests(parts) == Digest(999, 997, "20", "2", are_plain=False, upto="20")
    nothing = Digest(0, 0, None, None, are_plain=True)
    assert joined_digests([nothing, nothing]) == nothing
