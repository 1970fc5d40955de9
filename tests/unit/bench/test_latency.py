from itertools import islice

import pytest

from bench.asking import percentiles_ms
from bench.latency import in_sync
from bench.planted import HALF, USUAL, Planting
from bench.release import pause_s
from bench.traffic import Planted


@pytest.mark.parametrize(("planting", "equal"), [(USUAL, 194), (HALF, 98)])
def test_keys_that_are_asked_for_are_in_sync_and_go_on_for_ever(planting: Planting, equal: int) -> None:
    asked = list(islice(in_sync(range(1, 201), planting), 400))
    assert Planted(asked, 1, planting).decided()["outcome IN_SYNC"] == 400
    assert asked[:equal] == asked[equal : 2 * equal]


def test_percentiles_are_of_what_was_waited_for() -> None:
    assert percentiles_ms([0.01] * 98 + [0.03] * 2, " of one") == {"p50 of one": 10.0, "p99 of one": 30.0}
    assert percentiles_ms([0.01] * 99 + [0.03]) == {"p50": 10.0, "p99": 10.0}
    assert percentiles_ms([]) == {}


@pytest.mark.parametrize(
    ("took_s", "done", "left", "pause"),
    [(0.0, 0, 100, 0.005), (1.0, 0, 100, 0.05), (1.0, 10, 90, 0.1), (1.0, 90, 10, 1 / 36), (1.0, 999, 1, 0.005)],
)
def test_looking_is_rare_until_the_end_is_near(took_s: float, done: int, left: int, pause: float) -> None:
    assert pause_s(took_s, done, left) == pytest.approx(pause)
