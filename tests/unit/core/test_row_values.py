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


@given(
    st.lists(st.sampled_from(["1", "2", None]), min_size=2, max_size=2),
    st.dictionaries(st.sampled_from([0, 1]), st.just("2")),
)
def test_a_row_made_of_another_tells_where_it_is_unlike(
    texts: list[str | None], replaced: dict[int, str | None]
) -> None:
    names = ("a", "b")
    row = RowValues(names, texts)
    other = row.replaced(replaced)
    assert other == {
        name: replaced.get(place, text) for place, (name, text) in enumerate(zip(names, texts, strict=True))
    }
    alone = RowValues(names, other.texts).unlike(row)
    assert {*alone} == {place for place in (0, 1) if texts[place] != other.texts[place]}
    assert {*alone} <= {*other.unlike(row)} == {*replaced}
    assert {*other.unlike(other)} == set()
