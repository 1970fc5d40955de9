"""What a run consists of."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.measured import REPEATS
from bench.options import GROUPS, parse
from bench.peers.contenders import PEERS
from bench.peers.workers import GOALS
from bench.planted import HALF, NOTHING, USUAL
from bench.scenarios import every
from bench.workers import Job, Pids, Worker
from bench.world import Run


@contextmanager
def never(_run: Run, _job: Job) -> Iterator[Pids]:
    raise AssertionError
    yield


WORKERS = [Worker(name, never, str, goals=GOALS[name]) for name in PEERS]


@pytest.mark.parametrize("asked", ["--quick", ""])
def test_every_scenario_and_every_peer_is_there(asked: str) -> None:
    found = list(every(parse(asked.split()), WORKERS))
    assert {each.group for each in found} == set(GROUPS)
    assert {each.size[1] for each in found if each.group == "backlog" and each.size} == {1, 100, 1_000}
    for group in ("verification", "batch"):
        assert {each.planting for each in found if each.group == group} == {NOTHING, USUAL, HALF}
    assert {"reladiff", *PEERS} <= {contender.name for each in found for contender in each.contenders}
    assert len({each.name for each in found}) == len(found)


@pytest.mark.parametrize(("per_request", "times"), [(1, [1.2, 1.5, 30.0]), (100, [1.2, 1.5, 5.0])])
def test_every_peer_has_its_goal_where_requests_have_one_key_or_a_hundred(per_request: int, times: list[float]) -> None:
    found = [each for each in every(parse([]), WORKERS) if each.size == ("keys a request", per_request)]
    goals = {each.name: each.goals["speed"] for each in found[0].contenders if each.name in PEERS}
    assert goals == dict(zip(PEERS, times, strict=True))


@pytest.mark.parametrize(
    ("asked", "name", "amounts"),
    [
        ("--quick", "1,818 keys of each of two districts, in requests of {}", ["100"]),
        ("", "50,000 keys of each of two districts, in requests of {}", ["1", "100", "1,000"]),
    ],
)
def test_two_processes_have_the_fastest_peer_beside_them(asked: str, name: str, amounts: list[str]) -> None:
    found = [each for each in every(parse(asked.split()), WORKERS) if "each of two districts, in" in each.name]
    assert [each.name for each in found] == [f"{name.format(amount)}, {USUAL}" for amount in amounts]
    beside = {} if asked else {"plain Java": {"speed": 1.2}}
    for each in found:
        goals = {contender.name: contender.goals for contender in each.contenders}
        assert goals == {"ours, two processes": {}, "ours, one process": {}, **beside}


def test_what_is_held_against_a_goal_is_repeated() -> None:
    often = {each.name for each in every(parse([]), WORKERS) if each.repeats == REPEATS}
    assert often == {
        f"100,000 keys in requests of 1, {USUAL}",
        f"100,000 keys in requests of 100, {USUAL}",
        f"100,000 keys in requests of 1,000, {USUAL}",
        f"100,000 keys in requests of 100, {HALF}",
        f"50,000 keys of each of two districts, in requests of 1, {USUAL}",
        f"50,000 keys of each of two districts, in requests of 100, {USUAL}",
        f"50,000 keys of each of two districts, in requests of 1,000, {USUAL}",
        "single keys, 50 a second",
        f"all rows verified, {NOTHING}",
        "100,000 outcomes into tables",
        "50,000 corrections, half of them creates",
    }
