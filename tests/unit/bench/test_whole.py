"""What is planted for requests for all rows, and what figures say of them."""

from pathlib import Path

import pytest

from bench.memory import compared
from bench.planted import HALF, NOTHING, USUAL, Planted, Planting
from bench.servers import Touched, add
from bench.whole import summary_of
from bench.world import DISTRICT, OTHER, PARTITIONS, World
from processor.core.partition import partition_of
from stack.layout import Stack


@pytest.mark.parametrize("planting", [USUAL, HALF, NOTHING, Planting(0, 100), Planting(50, 0)], ids=str)
@pytest.mark.parametrize("rows", [1_000, 1_001, 1_050, 1_100])
def test_what_is_planted_of_rows_is_what_is_planted_of_their_keys(planting: Planting, rows: int) -> None:
    keys = range(1, rows + 1)
    missing, differing = sum(map(planting.is_missing, keys)), sum(map(planting.is_differing, keys))
    assert planting.of(rows) == Planted(rows, differing, missing)
    assert not [key for key in keys if planting.is_missing(key) and planting.is_differing(key)]


def test_the_other_district_has_a_tenth_of_the_rows() -> None:
    assert World(Stack(Path("/none")), 20_000, 1).planted(OTHER) == Planted(2_000, 40, 20)


def test_of_two_processes_each_has_one_of_the_districts() -> None:
    """The range assignor gives each member neighbouring partitions; with both districts at one, the other is idle."""
    halves = {partition_of(district_id, PARTITIONS) * 2 // PARTITIONS for district_id in (DISTRICT, OTHER)}
    assert halves == {0, 1}


@pytest.mark.parametrize(
    ("planting", "told"),
    [(USUAL, "2 % differing and 1 % missing"), (NOTHING, "nothing off"), (Planting(2, 0), "50 % differing")],
)
def test_what_is_planted_for_people(planting: Planting, told: str) -> None:
    assert str(planting) == told


def test_a_summary_adds_up() -> None:
    wanted = summary_of(Planted(1_000, 20, 10))
    assert wanted["district_rows"] == wanted["in_sync"] + wanted["differing"] + wanted["missing_at_state"]
    assert wanted["state_rows"] == wanted["in_sync"] + wanted["differing"]


def test_statements_a_key() -> None:
    touched = Touched()
    add(touched, 30, 1_500, of_rows=True)
    add(touched, 0, 4, of_rows=True)
    add(touched, 60, 0, of_rows=False)
    assert touched.a_key(1_000) == {"calls": 0.03, "rows": 1.5, "others": 0.06}


def test_memory_is_compared_once_there_is_more_than_one_peak() -> None:
    few, many = {"process": 100.0, "store": 80.0}, {"process": 110.0, "store": 80.0}
    assert compared([few]) == {}
    assert compared([few, many]) == {"times_as_much": {"process": 1.1, "store": 1.0}}
