from itertools import islice

from bench.beside import figures, in_sync, ratio
from bench.traffic import Planted
from bench.world import DISTRICT, OTHER


def test_keys_that_are_asked_for_are_in_sync_and_go_on_for_ever() -> None:
    asked = list(islice(in_sync(range(1, 201)), 400))
    assert Planted(asked, 1).decided()["outcome IN_SYNC"] == 400
    assert asked[:194] == asked[194:388]


def test_figures_are_told_by_district() -> None:
    idle = figures({DISTRICT: [0.01] * 100, OTHER: [0.02] * 100})
    busy = figures({DISTRICT: [0.01] * 98 + [0.03] * 2, OTHER: [0.02] * 100})
    assert idle["same"] == {"requests": 100, "p50_ms": 10.0, "p99_ms": 10.0}
    assert ratio(busy["same"], idle["same"]) == {"p50": 1.0, "p99": 3.0}
    assert ratio(busy["other"], idle["other"]) == {"p50": 1.0, "p99": 1.0}
