"""What is planted for requests for all rows, and what figures say of them."""

from pathlib import Path

import pytest

from bench.memory import compared
from bench.planted import Planted, three_percent
from bench.servers import Touched, add
from bench.whole import summary_of
from bench.world import OTHER, Run, World
from processor.settings import Topics
from stack.layout import Stack


def run_of(rows: int) -> Run:
    return Run(World(Stack(Path("/none")), rows, 1), "none", Topics())


@pytest.mark.parametrize(("rows", "missing"), [(1_000, 10), (1_001, 11), (1_050, 11), (1_100, 11)])
def test_three_of_a_hundred_rows_are_off(rows: int, missing: int) -> None:
    planted = three_percent(run_of(rows))
    assert planted == Planted(rows, rows // 50, missing)
    assert missing == sum(1 for key in range(1, rows + 1) if key % 100 == 1)


def test_the_other_district_has_a_twentieth_of_the_rows() -> None:
    assert three_percent(run_of(20_000), OTHER) == Planted(1_000, 20, 10)


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
