"""What a backlog consists of."""

import pytest

from bench.backlog import Amount, scenario
from bench.floors.lookups import literals
from bench.growth import scenarios
from bench.options import parse
from bench.planted import HALF
from bench.world import DISTRICT, OTHER


def test_keys_are_looked_up_in_sorted_batches() -> None:
    assert literals([3, 1, 2], 2) == ["{1,3}", "{2}"]


def test_requests_of_each_district_in_turn() -> None:
    amount = Amount(3, 2, districts=(DISTRICT, OTHER))
    assert list(amount.requests([7, 8, 9])) == [(DISTRICT, [7, 8]), (OTHER, [7, 8]), (DISTRICT, [9]), (OTHER, [9])]


def test_ours_comes_first_and_floors_last() -> None:
    usual, half = scenario(Amount(20_000, 100), []), scenario(Amount(20_000, 100, HALF), [])
    assert [each.name for each in usual.contenders] == ["ours", "lookups alone", "Kafka alone"]
    assert (usual.size, half.size) == (("keys a request", 100), None)
    assert usual.name != half.name


@pytest.mark.parametrize(
    ("asked", "most_rows"), [("--quick", 100_000), ("", 1_000_000), ("--most-rows 10000000", 10_000_000)]
)
def test_growth_is_followed_as_far_as_asked(asked: str, most_rows: int) -> None:
    found = list(scenarios(parse(asked.split())))
    assert max(each.rows for each in found if each.rows) == most_rows
    assert {each.size[0] for each in found if each.size} == {"rows a side", "keys a request", "fields"}
    assert len({each.name for each in found}) == len(found)
