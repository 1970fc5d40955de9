"""A scenario's figures for people, and what a run ends with."""

from bench.__main__ import exit_code
from bench.contend import Contest
from bench.latest import scenario_of
from bench.measured import Contender, Measured, Result, Scenario, Unit
from bench.tables import rows
from bench.world import World


def never(_world: World) -> Measured:
    raise AssertionError


def result() -> Result:
    ours = [
        Measured({"p50": p50, "p99": 30.0}, 50_000, 1.0, {"process": 0.5, "kafka": 0.1}, {"process": 99.6})
        for p50 in (9.0, 10.0, 12.0)
    ]
    theirs = Measured({"p50": 20.0, "p99": 40.0}, 50_000, 1.0)
    contenders = Contender("ours", never), Contender("plain Java", never, {"p50": 1 / 1.2}), Contender("absent", never)
    return Result(
        Scenario("latency", "single keys", Unit.MILLISECONDS, contenders),
        [{"ours": each, "plain Java": theirs} for each in ours],
    )


def test_a_row_a_value_of_each_contender() -> None:
    assert list(rows(scenario_of(Contest(result(), 1.0)))) == [
        ("ours", "p50", "3", "10 (9 to 12)", "", "", "1.20 (process 1.00, kafka 0.20)", "process 100"),
        ("", "p99", "", "30", "", "", "", ""),
        ("plain Java", "p50", "3", "20", "2 (1.67 to 2.22)", "0.833", "", ""),
        ("", "p99", "", "40", "1.33", "", "", ""),
    ]


def test_a_wrong_count_ends_with_1_and_no_time_does() -> None:
    assert exit_code([Contest(result(), 1.0)]) == 0
    assert exit_code([Contest(result(), 1.0), Contest(result(), 1.0, ["ours: outcome SENT: 4 instead of 5"])]) == 1
    assert exit_code([]) == 1
