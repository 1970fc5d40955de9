"""Keys in sync are told one by one, or counted."""

from dataclasses import replace
from typing import Any

import pytest

from processor.core.chunk import Cause
from processor.core.history import ChunkState, ChunkStatus
from processor.core.plan import Plan
from processor.core.request import Report
from tests.unit.core.builders import READ_AT, World, chunk, ours, outcomes, theirs

IN_SYNC_WORLD = World(
    {("Person", key): (ours(),) for key in "123"},
    {
        ("Person", "1"): (theirs(),),
        ("Person", "2"): (theirs(),),
        ("Person", "3"): (theirs(certification="x"),),
    },
)


def done(plan: Plan) -> list[tuple[str, ChunkState, int]]:
    return [(s.chunk, s.state, s.in_sync) for s in plan.history if isinstance(s, ChunkStatus)]


@pytest.mark.parametrize(
    ("asked", "itemised", "ends"),
    [
        ({}, ["1", "2", "3"], []),
        ({"report": Report.CHANGES}, ["3"], [("0", ChunkState.DONE, 2)]),
        ({"announced": True, "chunk": "0.4"}, ["1", "2", "3"], [("0.4", ChunkState.DONE, 0)]),
        (
            {"announced": True, "chunk": "0.4", "report": Report.CHANGES},
            ["3"],
            [("0.4", ChunkState.DONE, 2)],
        ),
        # A key that has an outcome already must get another: a count would leave the old one standing.
        ({"cause": Cause.SPLIT, "report": Report.CHANGES, "deferred_since": READ_AT}, ["1", "2", "3"], []),
        (
            {"announced": True, "chunk": "0.4", "report": Report.CHANGES, "deferred_since": READ_AT},
            ["1", "2", "3"],
            [("0.4", ChunkState.DONE, 0)],
        ),
        ({"cause": Cause.CONFLICT, "report": Report.CHANGES, "attempt": 2}, ["1", "2", "3"], []),
    ],
)
@pytest.mark.parametrize("by_digests", [False, True])
def test_keys_in_sync_are_itemised_or_counted_exactly_once(
    asked: dict[str, Any],
    itemised: list[str],
    ends: list[tuple[str, ChunkState, int]],
    by_digests: bool,  # noqa: FBT001
) -> None:
    plan = replace(IN_SYNC_WORLD, by_digests=by_digests).decide(chunk("1", "2", "3", **asked))
    assert [o.key for o in outcomes(plan)] == itemised
    assert done(plan) == ends
