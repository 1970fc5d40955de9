"""Rows as two texts, taken apart again: exactly those that were packed, or nothing is told."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.adapters.postgres.packed_rows import row_of, texts_by_key
from processor.core.snapshot import Row

COLUMN, NULL, ROW = "\x1f", "\x1e", "\x1d"
texts = st.none() | st.text(st.sampled_from("aé7 \x1c\x1d\x1e\x1f"), max_size=3)


def told(rows: Sequence[tuple[str, Row]]) -> dict[str, Row] | None:
    """By what the server gives of these rows, of which there is one at least."""
    packed = (
        len(rows),
        sum(text is None for _, row in rows for text in row),
        ROW.join(key for key, _ in rows),
        ROW.join(COLUMN.join(NULL if text is None else text for text in row) for _, row in rows),
    )
    found = texts_by_key(len(rows[0][1]), *packed)
    return None if found is None else {key: row_of(text) for key, text in found.items()}


def test_rows_come_back_column_by_column() -> None:
    rows: dict[str, Row] = {"7": ("a", None, ""), "8": ("", "é", None), "9": (None, None, None)}
    assert told([*rows.items()]) == rows


@given(st.lists(st.tuples(st.text(st.sampled_from("78\x1d"), max_size=2), st.tuples(texts, texts)), min_size=1))
def test_rows_are_those_that_were_packed_or_not_told(rows: list[tuple[str, Row]]) -> None:
    assert told(rows) in (None, dict(rows))


@pytest.mark.parametrize("mark", [COLUMN, NULL, ROW])
def test_a_text_with_one_of_the_marks_is_not_taken_for_another(mark: str) -> None:
    assert told([("7", ("a", "b")), ("8", (mark, "b"))]) is None


def test_two_rows_of_a_key_are_not_told() -> None:
    assert told([("7", ("a",)), ("7", ("b",))]) is None


def test_rows_that_are_too_long_are_not_told() -> None:
    assert texts_by_key(1, 1, 0, "7", None) is None
