import pytest

from processor.core.counted import counted


@pytest.mark.parametrize(("number", "told"), [(0, "0 records"), (1, "1 record"), (2, "2 records")])
def test_one_is_one(number: int, told: str) -> None:
    assert counted(number, "record") == told


def test_an_odd_plural_is_given() -> None:
    assert (counted(1, "key is", "keys are"), counted(3, "key is", "keys are")) == ("1 key is", "3 keys are")
