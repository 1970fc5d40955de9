"""Who is measured beside a verification, and that it has to find the keys that were planted."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.peers.diffing import DEFAULTS, TUNED
from bench.planted import HALF, NOTHING, USUAL, Planting
from bench.traffic import WrongCount
from bench.verification import CHECKSUMS, RELADIFF, SETTINGS, check_keys, verification
from bench.world import World
from stack.layout import Stack

WORLD = World(Stack(Path("nowhere")), 200, 1)
PLANTED = frozenset({"1", "50", "100", "101", "150", "200"})


@pytest.mark.parametrize(("planting", "times"), [(NOTHING, 40.0), (USUAL, 12.0)])
def test_goals_are_of_the_peer_by_its_defaults_and_it_is_measured_tuned_too(planting: Planting, times: float) -> None:
    peers = {each.name: each.goals for each in verification(planting, beside=True).references}
    assert list(peers) == [RELADIFF, f"{RELADIFF}, tuned", CHECKSUMS]
    assert peers[RELADIFF] == {"scanned": times}
    assert not peers[f"{RELADIFF}, tuned"]
    assert list(SETTINGS.values()) == [DEFAULTS, TUNED]


def test_without_other_programs_there_are_only_the_checksums() -> None:
    assert [each.name for each in verification(HALF, beside=False).references] == [CHECKSUMS]


def test_keys_that_were_planted_are_right() -> None:
    check_keys(PLANTED, WORLD)
    check_keys(frozenset(), replace(WORLD, planting=NOTHING))


@pytest.mark.parametrize("found", [PLANTED - {"50"}, PLANTED | {"2"}, (PLANTED - {"50"}) | {"2"}, frozenset()])
def test_other_keys_are_no_figure_though_they_are_as_many(found: frozenset[str]) -> None:
    with pytest.raises(WrongCount, match="6 that were planted"):
        check_keys(found, WORLD)
