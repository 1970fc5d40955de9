"""Values of a row are a mapping as any other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.row_values import RowValues


@given(st.dictionaries(st.text(), st.none() | st.text()))
def test_values_are_those_of_a_dictionary(values: dict[str, str | None]) -> None:
    row = RowValues(tuple(values), [*values.values()])
    assert row == values
    assert values == row
    assert [*row.items()] == [*values.items()]
    assert len(row) == len(values)


def test_values_that_differ_are_not_equal() -> None:
    row = RowValues(("a", "b"), ["1", None])
    assert row != RowValues(("a", "b"), ["1", "2"])
    assert row != {"a": "1"}


def test_a_name_that_is_not_there_is_missed() -> None:
    row = RowValues(("a",), ["1"])
    assert "b" not in row
    with pytest.raises(KeyError, match="b"):
        row["b"]
