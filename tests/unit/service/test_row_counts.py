from processor.service.row_counts import RowCounts
from tests.unit.core.builders import ours, theirs
from tests.unit.service.databases import Databases, Target

PERSONS: Target = ("NORTH", "Person")


def test_the_larger_side_counts_and_is_not_asked_again_at_once() -> None:
    world = Databases({PERSONS: {"1": (ours(),)}}, {PERSONS: {"1": (theirs(),), "2": (theirs(),)}})
    rows = RowCounts(world)
    assert rows(*PERSONS) == 2
    world.state.clear()
    world.away.add(PERSONS)
    assert rows(*PERSONS) == 2


def test_while_a_database_is_away_nothing_counts_as_a_share() -> None:
    world = Databases({PERSONS: {"1": (ours(),)}}, away={PERSONS})
    assert RowCounts(world)(*PERSONS) == 0
