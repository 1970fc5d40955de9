"""How long a run is said to take, and what is left of it."""

import subprocess
import sys
from contextlib import suppress

import pytest

from bench.measured import REPEATS, Contender, Measured, Scenario, Unit
from bench.options import GROUPS, parse
from bench.progress import TURN_S, Pace, progress
from bench.scenarios import scenarios
from bench.world import World


def never(_world: World) -> Measured:
    raise AssertionError


OURS, THEIRS = Contender("ours", never), Contender("theirs", never, {"speed": 2.0})
OF_TWO = Scenario("backlog", "of two", Unit.KEYS_PER_S, (OURS, THEIRS))


def test_every_group_has_its_time() -> None:
    assert set(TURN_S) == set(GROUPS)


def test_turns_are_those_of_all_repeats() -> None:
    (each, _) = TURN_S["backlog"]
    usual, thrice = Pace([OF_TWO], None, is_quick=False), Pace([OF_TWO], 3, is_quick=False)
    assert (usual.turns, thrice.turns) == (2 * REPEATS, 6)
    assert usual.expected_s - thrice.expected_s == (2 * REPEATS - 6) * each


def test_what_is_left_follows_the_pace_so_far() -> None:
    pace = Pace([OF_TWO], None, is_quick=True)
    at_first = pace.left_s
    pace.add(OF_TWO, 2 * at_first / pace.turns)
    assert (pace.done, round(pace.left_s, 3)) == (1, round(2 * at_first * (pace.turns - 1) / pace.turns, 3))
    for _ in range(pace.turns - 1):
        pace.add(OF_TWO, 1.0)
    assert pace.left_s == 0


def test_a_turn_counts_also_where_it_fails() -> None:
    pace = Pace([OF_TWO], None, is_quick=True)
    with progress(pace) as turn, suppress(ValueError), turn(OF_TWO, OURS):
        raise ValueError
    assert pace.done == 1


@pytest.mark.parametrize(("asked", "minutes"), [("--no-peers", 15), ("--quick --no-peers", 2.5)])
def test_a_run_is_not_said_to_take_an_age(asked: str, minutes: float) -> None:
    options = parse(asked.split())
    expected_s = Pace(scenarios(options), options.repeats, is_quick=options.quick).expected_s
    assert minutes / 2 < expected_s / 60 < minutes


TERMINAL = """
import sys
sys.stderr.isatty = lambda: True
from bench.progress import Pace, progress
from processor.cli.output import say
from tests.unit.bench.test_progress import OF_TWO, OURS
pace = Pace([OF_TWO], None, is_quick=True)
with progress(pace) as turn, turn(OF_TWO, OURS):
    say("a figure")
"""


def test_a_terminal_is_shown_what_runs_and_what_is_left() -> None:
    env = {"TERM": "xterm", "COLUMNS": "120", "FORCE_COLOR": "1"}
    done = subprocess.run([sys.executable, "-c", TERMINAL], env=env, capture_output=True, text=True, check=True)
    for said in ("of two: ours", "left", f"0/{2 * REPEATS}", "a figure"):
        assert said in done.stderr
    assert done.stdout == ""
