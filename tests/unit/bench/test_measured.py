"""What repeats add up to."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.contend import contend, figure
from bench.latest import document
from bench.measured import REPEATS, Contender, Measured, Result, Scenario, Spread, Unit, ratios
from bench.traffic import WrongCount
from bench.world import World
from stack.layout import Stack

HERE = World(Stack(Path("/none")), 1_000, 1)


def measured(speed: float, **cpu_s: float) -> Measured:
    return Measured({"speed": speed}, 200_000, 1.0, cpu_s, {"process": speed / 10})


def scenario(*contenders: Contender, unit: Unit = Unit.KEYS_PER_S) -> Scenario:
    return Scenario("backlog", "backlog of all", unit, contenders)


def never(_world: World) -> Measured:
    raise AssertionError


def test_ratios_are_of_speed_in_every_unit() -> None:
    fast, slow = Measured({"p50": 3.0, "p99": 8.0}, 1, 1.0), Measured({"p50": 6.0, "p99": 4.0}, 1, 1.0)
    assert ratios(Unit.KEYS_PER_S, fast, slow) == {"p50": 0.5, "p99": 2.0}
    assert ratios(Unit.MILLISECONDS, fast, slow) == {"p50": 2.0, "p99": 0.5}
    assert ratios(Unit.SECONDS, fast, Measured({"p50": 3.0}, 1, 1.0)) == {"p50": 1.0}


def test_a_ratio_is_of_one_repeat_and_the_median_is_of_ratios() -> None:
    ours, theirs = Contender("ours", never), Contender("theirs", never)
    repeats = [
        {"ours": measured(10.0), "theirs": measured(10.0)},
        {"ours": measured(20.0), "theirs": measured(5.0)},
        {"ours": measured(30.0), "theirs": measured(20.0)},
        {"theirs": measured(99.0)},
    ]
    result = Result(scenario(ours, theirs), repeats)
    assert result.values("ours") == {"speed": Spread(20.0, 10.0, 30.0)}
    assert result.ratios("theirs") == {"speed": Spread(1.5, 1.0, 4.0)}
    assert result.peak_rss_mb("ours") == {"process": Spread(2.0, 1.0, 3.0)}


def test_cpu_is_told_for_a_hundred_thousand_keys() -> None:
    result = Result(scenario(Contender("ours", never)), [{"ours": measured(1.0, kafka=0.4, process=2.0)}])
    assert result.cpu_s_per_100k("ours") == {"kafka": Spread(0.2, 0.2, 0.2), "process": Spread(1.0, 1.0, 1.0)}


def test_each_repeat_begins_with_another_contender() -> None:
    of_three = scenario(*(Contender(name, never, {"speed": 2.0}) for name in "abc"))
    assert begun(of_three) == ["abc", "bca", "cab", "abc"]
    with_one_that_is_shown = replace(of_three, contenders=[*of_three.contenders[:2], Contender("c", never)])
    assert begun(with_one_that_is_shown) == ["abc", "ba", "ab", "ba"]


def begun(scenario: Scenario) -> list[str]:
    return ["".join(each.name for each in scenario.repeat(number, None)) for number in range(4)]


@pytest.mark.parametrize(("asked", "ours", "slow"), [(None, REPEATS, 1), (1, 1, 1), (2, 2, 2), (5, 5, 5)])
def test_what_takes_long_is_done_once_unless_a_number_is_asked_for(asked: int | None, ours: int, slow: int) -> None:
    contenders = [
        Contender("ours", lambda _: measured(2.0)),
        Contender("held", lambda _: measured(1.0), {"speed": 2.0}),
        Contender("slow", lambda _: measured(1.0), {"speed": 2.0}, takes_long=True),
    ]
    of_three = scenario(*contenders)
    done = contend(HERE, of_three, asked).result
    assert [len(done.of(each.name)) for each in contenders] == [ours, ours, slow]
    assert of_three.turns(asked) == 2 * ours + slow


def test_what_has_a_goal_is_repeated_and_all_else_is_done_once() -> None:
    ours, held, marked = (Contender("ours", never), Contender("held", never, {"speed": 2.0}), Contender("mark", never))
    held_against, shown = scenario(ours, held, marked), scenario(ours, marked)
    assert [len(held_against.repeat(number, None)) for number in range(held_against.repeats)] == [3, 2, 2, 2, 2]
    assert (shown.repeats, shown.turns(None)) == (1, 2)


def test_a_wrong_count_leaves_no_figure_and_is_told() -> None:
    def wrong(_world: World) -> Measured:
        raise WrongCount("outcome SENT: 4 instead of 5")

    contest = contend(HERE, scenario(Contender("ours", wrong), Contender("theirs", lambda _: measured(5.0))), 2)
    assert [list(repeat) for repeat in contest.result.repeats] == [["theirs"], ["theirs"]]
    assert len(contest.faults) == 2
    assert "ours: outcome SENT: 4 instead of 5" in contest.faults[0]
    kept = document([contest], {"seed": 1})
    (told,) = kept["scenarios"]
    assert told["faults"] == [*contest.faults]
    assert [(each["name"], each["repeats"]) for each in told["contenders"]] == [("ours", 0), ("theirs", 2)]


def test_what_is_kept_has_every_repeat_and_its_ratios() -> None:
    contenders = (
        Contender("ours", lambda _: measured(6.0)),
        Contender("theirs", lambda _: measured(2.0), {"speed": 1.2}),
    )
    (told,) = document([contend(HERE, scenario(*contenders), 3)], {})["scenarios"]
    assert [repeat["ratios"] for repeat in told["repeats"]] == [{"theirs": {"speed": 3.0}}] * 3
    assert told["repeats"][0]["measured"]["ours"]["values"] == {"speed": 6.0}
    assert told["contenders"][1]["goals"] == {"speed": 1.2}
    assert told["contenders"][1]["ratios"] == {"speed": {"median": 3.0, "least": 3.0, "most": 3.0}}


@pytest.mark.parametrize(
    ("value", "said"), [(45_612.3, "45,612"), (8.126, "8.13"), (0.02351, "0.0235"), (99.96, "100")]
)
def test_figures_for_people(value: float, said: str) -> None:
    assert figure(value) == said
