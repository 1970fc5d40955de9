import pytest

from processor.service import row_counts
from processor.service.ports import ReadTimedOut
from processor.service.row_counts import KEPT_S, UNKNOWN_KEPT_S, RowCounts
from tests.unit.core.builders import ours, theirs
from tests.unit.service.databases import Databases, Target

PERSONS: Target = ("NORTH", "Person")


class TooSlow(Databases):
    tries = 0

    def count(self, district_id: str, object_name: str) -> int:
        self.tries += 1
        raise ReadTimedOut(f"district {district_id}: {object_name}: too slow")


def test_the_larger_side_counts_and_is_not_counted_again_at_once() -> None:
    world = Databases({PERSONS: {"1": (ours(),)}}, {PERSONS: {"1": (theirs(),), "2": (theirs(),)}})
    rows = RowCounts(world)
    assert rows(*PERSONS) == 2
    world.state.clear()
    world.away.add(PERSONS)
    assert rows(*PERSONS) == 2


def test_while_a_database_is_away_nothing_counts_as_a_share() -> None:
    world = Databases({PERSONS: {"1": (ours(),)}}, away={PERSONS})
    assert RowCounts(world)(*PERSONS) == 0


def test_rows_that_take_too_long_to_count_are_not_counted_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try costs a statement timeout, and others wait for it."""
    world, clock = TooSlow(), iter([0.0, 0.0, UNKNOWN_KEPT_S + 1, KEPT_S - 1])
    monkeypatch.setattr(row_counts, "monotonic", lambda: next(clock))
    rows = RowCounts(world)
    assert [rows(*PERSONS) for _ in range(3)] == [0, 0, 0]
    assert world.tries == 1
