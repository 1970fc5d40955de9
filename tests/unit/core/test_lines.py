"""Packed rows: the same window as from pages of them, whatever the keys are like."""

from time import process_time

import pytest

from processor.core.catalog import KeyType
from processor.core.lines import BLOCK, Lines, lines_window, same_keys
from processor.core.window import Disordered, never_in_sync
from tests.unit.core.builders import PERSON, object_type, spec

CODE = object_type("Code", [spec("name")], key_type=KeyType.TEXT)


def test_what_is_on_one_side_or_differs_is_suspect_and_the_window_ends_where_the_first_side_ends() -> None:
    ours = Lines([-3, 1, 2, 5, 9], [10, 11, 12, 13, 14], is_full=True)
    theirs = Lines([1, 2, 4, 6], [11, 99, 12, 15], is_full=True)
    seen = lines_window(PERSON, "-4", ours, theirs)
    assert (seen.last, seen.equal, seen.suspects, seen.differing) == ("6", [1], ["-3", "2", "5", "4", "6"], 1)
    assert (seen.district_rows, seen.state_rows) == (1, 1)


@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_each_key_of_many_blocks_is_told_once(size: int) -> None:
    """One side has even keys, the other those that three divides: both have every sixth, a tenth of them differs."""
    ours, theirs = range(0, 2 * size, 2), range(0, 3 * size, 3)
    both = [key for key in ours if key in theirs]
    digests = [key % 60 // 6 for key in ours]
    seen = lines_window(PERSON, None, Lines(ours, digests, is_full=False), Lines(theirs, [1] * size, is_full=False))
    assert seen.equal == [key for key in both if key % 60 // 6 == 1]
    assert len(seen.suspects) == len(set(seen.suspects))
    assert set(map(int, seen.suspects)) == {*ours, *theirs} - set(seen.equal)
    assert seen.differing == len(both) - len(seen.equal)


def test_a_side_with_nothing_left_does_not_end_the_window() -> None:
    seen = lines_window(PERSON, "4", Lines([], [], is_full=False), Lines([5, 6], [1, 1], is_full=False))
    assert (seen.last, seen.suspects) == (None, ["5", "6"])


def test_a_key_that_both_sides_have_twice_is_suspect() -> None:
    both = Lines([1, 1, 2], [7, 7, 8], is_full=False)
    seen = lines_window(PERSON, None, both, both)
    assert (seen.equal, seen.suspects) == (["2"], ["1"])


def test_a_key_with_very_many_rows_takes_no_longer_than_as_many_keys() -> None:
    """Rows that were copied for each that follows would take a minute."""
    many = 200_000
    both = Lines([1] * many, [7] * many, is_full=False)
    started = process_time()
    seen = lines_window(PERSON, None, both, both)
    assert process_time() - started < 10
    assert seen.suspects == ["1"]


def test_by_force_equal_records_are_suspects_too() -> None:
    both = Lines([1, 2], [7, 8], is_full=False)
    assert lines_window(PERSON, None, both, both, never_in_sync).suspects == ["1", "2"]


def test_a_text_in_a_spelling_that_nobody_can_ask_for_is_no_key() -> None:
    both = Lines([" a", "b"], [7, 8], is_full=True)
    seen = lines_window(CODE, " ", both, both)
    assert (seen.last, seen.equal, [key for key, _ in seen.invalid]) == ("b", ["b"], [" a"])


@pytest.mark.parametrize(("after", "keys"), [(None, [2, 1]), ("5", [5, 6]), ("10", [9, 11])])
def test_a_side_in_another_order_is_not_trusted(after: str | None, keys: list[int]) -> None:
    with pytest.raises(Disordered, match="state"):
        lines_window(PERSON, after, Lines([], [], is_full=False), Lines(keys, [0, 0], is_full=True))


def test_keys_are_the_same_where_each_side_has_one_row_and_its_digest() -> None:
    """In any order. 1 is the same, 2 differs, 3 and 4 are on one side, 5 and 6 twice on one, 7 on both."""
    ours = Lines([1, 2, 3, 5, 5, 6, 7, 7], [10, 20, 30, 50, 50, 60, 70, 70], is_full=False)
    theirs = Lines([7, 7, 6, 6, 5, 4, 2, 1], [70, 70, 60, 60, 50, 40, 21, 10], is_full=False)
    assert same_keys(PERSON, list("12345678"), ours, theirs) == ["1"]


def test_where_a_row_comes_under_another_key_nothing_is_the_same() -> None:
    """Its column takes "a" and "A" for one, so who asks for "a" is told of both."""
    both = Lines(["a", "A"], [1, 2], is_full=False)
    assert same_keys(CODE, ["a"], both, both) == []
    assert same_keys(CODE, ["a", "A"], both, both) == ["a", "A"]


def test_very_many_rows_of_one_key_are_not_the_same() -> None:
    many = Lines([1] * 200_000, [7] * 200_000, is_full=False)
    assert same_keys(PERSON, ["1"], many, many) == []
