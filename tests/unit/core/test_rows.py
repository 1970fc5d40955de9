from processor.core.rows import columns, with_nul
from processor.core.values import Values

ROWS: list[Values] = [{"a": "1", "b": None}, {"a": "2"}]


def test_of_each_name_what_the_rows_hold() -> None:
    assert columns(ROWS, ["b", "a", "c"]) == [[None, None], ["1", "2"], [None, None]]
    assert columns([], ["a"]) == [[]]


def test_fields_with_a_nul_character() -> None:
    assert with_nul({"a": "x\0", "b": None, "c": "", "d": "\0"}) == ["a", "d"]
