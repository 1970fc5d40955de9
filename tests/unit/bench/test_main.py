"""What a run ends with, and what it leaves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as command
from bench.measured import Contender, Measured, Scenario, Unit
from bench.traffic import Planted, compare
from bench.world import World
from stack.layout import Stack

PLANTED = Planted([1, 2, 50], requests=1)


def slow(_world: World) -> Measured:
    compare(PLANTED.decided(), PLANTED.decided(), "on the topics")
    return Measured({"speed": 0.001}, 3, 3_000.0)


def wrong(_world: World) -> Measured:
    compare(PLANTED.decided() | {"outcome IN_SYNC": 2}, PLANTED.decided(), "on the topics")
    raise AssertionError


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs the benchmark with these contenders beside each other, on no services; the exit code and what is kept."""

    @contextmanager
    def no_services(rows: int, seed: int, *, is_quick: bool) -> Iterator[World]:
        assert not is_quick
        here = World(Stack(Path("/none")), rows, seed)
        here.env = {"RESYNC_STATE_DSN": ""}
        yield here

    def run(*contenders: Contender) -> tuple[int, Any]:
        scenario = Scenario("backlog", "three keys", Unit.KEYS_PER_S, contenders)
        monkeypatch.setattr(command, "world", no_services)
        monkeypatch.setattr(command, "versions", lambda _dsn: {"postgres": "18.6"})
        monkeypatch.setattr(command, "scenarios", lambda _options: [scenario])
        kept = tmp_path / "latest.json"
        return command.main(["--repeats", "2", "--output", str(kept)]), json.loads(kept.read_text(encoding="utf-8"))

    return run


def test_right_counts_end_with_0_however_slow(measured: Any) -> None:
    code, kept = measured(Contender("ours", slow), Contender("theirs", lambda _: Measured({"speed": 9_999.0}, 3, 1.0)))
    assert code == 0
    assert (kept["seed"], kept["rows"], kept["versions"]) == (20261, 1_000_000, {"postgres": "18.6"})
    assert [len(repeat["measured"]) for repeat in kept["scenarios"][0]["repeats"]] == [2, 2]


@pytest.mark.parametrize("place", [0, 1])
def test_a_wrong_count_of_anybody_ends_with_1(place: int, measured: Any) -> None:
    contenders = [Contender("ours", slow), Contender("theirs", slow)]
    contenders[place] = Contender(contenders[place].name, wrong)
    code, kept = measured(*contenders)
    assert code == 1
    (scenario,) = kept["scenarios"]
    assert "outcome IN_SYNC: 2 instead of 1" in scenario["faults"][0]
    assert [sorted(repeat["measured"]) for repeat in scenario["repeats"]] == [[contenders[1 - place].name]] * 2
