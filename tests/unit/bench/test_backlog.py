"""What a backlog consists of."""

from collections import Counter
from pathlib import Path

import pytest

from bench.backlog import Amount, chosen_of, scenario
from bench.floors.lookups import literals
from bench.growth import scenarios
from bench.options import parse
from bench.planted import HALF
from bench.world import DISTRICT, OTHER, World
from stack.layout import Stack


def test_keys_are_looked_up_in_sorted_batches() -> None:
    assert literals([3, 1, 2], 2) == ["{1,3}", "{2}"]


def test_requests_of_each_district_in_turn() -> None:
    amount = Amount(3, 2, districts=(DISTRICT, OTHER))
    assert list(amount.requests([7, 8, 9])) == [(DISTRICT, [7, 8]), (OTHER, [7, 8]), (DISTRICT, [9]), (OTHER, [9])]


def test_ours_comes_first_and_floors_last() -> None:
    usual, half = scenario(Amount(20_000, 100), []), scenario(Amount(20_000, 100, HALF), [])
    assert [each.name for each in usual.contenders] == ["ours", "lookups alone", "Kafka alone"]
    assert [each.name for each in scenario(Amount(20_000, 100), [], floors=False).contenders] == ["ours"]
    assert (usual.size, half.size) == (("keys a request", 100), None)
    assert usual.name != half.name


@pytest.mark.parametrize(
    ("asked", "most_rows", "most_keys"),
    [
        ("--quick", 100_000, 10_000),
        ("", 1_000_000, 100_000),
        ("--most-rows 10000000", 10_000_000, 1_000_000),
    ],
)
def test_growth_is_followed_as_far_as_asked(asked: str, most_rows: int, most_keys: int) -> None:
    found = list(scenarios(parse(asked.split())))
    assert max(each.rows for each in found if each.rows) == most_rows
    assert max(size for of, size in (each.size for each in found if each.size) if of == "keys a request") == most_keys
    assert len({each.name for each in found}) == len(found)


@pytest.mark.parametrize("asked", ["--quick", ""])
def test_every_run_has_a_line_of_all_that_grows(asked: str) -> None:
    points = Counter(each.size[0] for each in scenarios(parse(asked.split())) if each.size)
    assert set(points) == {"rows a side", "keys a request", "fields"}
    assert min(points.values()) > 1


def test_rows_as_they_were_loaded_come_before_tables_are_widened() -> None:
    of = [each.size[0] if each.size and each.rows in {None, 1_000_000} else "" for each in scenarios(parse([]))]
    assert of.index("rows a side") < of.index("fields")


def test_a_request_for_all_rows_warms_up_on_some_of_them() -> None:
    world = World(Stack(Path("/none")), 10_000, 1)
    warm, chosen = chosen_of(world, Amount(10_000, 10_000))
    assert (len(warm), sorted(chosen)) == (1_000, [*range(1, 10_001)])
    warm, chosen = chosen_of(world, Amount(9_000, 100))
    assert not {*warm} & {*chosen}
