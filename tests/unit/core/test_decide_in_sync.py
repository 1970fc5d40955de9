"""Keys in sync are told one by one, or counted."""

from dataclasses import replace
from typing import Any

import pytest

from processor.core.chunk import Cause, Stage
from processor.core.decide import decide_same
from processor.core.history import ChunkState, ChunkStatus
from processor.core.plan import Plan
from processor.core.request import Mode, Report
from tests.unit.core.builders import NOW, READ_AT, World, chunk, ours, outcomes, theirs

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


@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
@pytest.mark.parametrize(
    "asked",
    [
        *({"cause": cause} for cause in Cause),
        *({"mode": mode} for mode in Mode),
        *({"report": report} for report in Report),
        *({"stage": stage} for stage in Stage),
        {"announced": True},
        {"first_decided_at": READ_AT, "requested_at": READ_AT},
    ],
    ids=str,
)
def test_what_is_told_at_once_of_one_key_is_all_that_its_plan_has(asked: dict[str, Any], key: str) -> None:
    world = replace(IN_SYNC_WORLD, by_digests=True)
    one = chunk(key, **asked)
    same = decide_same(one, world.observe(one), NOW)
    if same is not None:
        plan = world.decide(one)
        assert list(plan.outcomes()) == [same]
        assert plan == Plan(history=plan.history[:1])


def test_most_requests_of_one_key_are_told_at_once() -> None:
    world = replace(IN_SYNC_WORLD, by_digests=True)
    told = {key: decide_same(chunk(key), world.observe(chunk(key)), NOW) for key in "124"}
    assert [key for key, same in told.items() if same is not None] == ["1", "2"]
    assert decide_same(chunk("1", "2"), world.observe(chunk("1", "2")), NOW) is None
    for unlike in ({"stage": Stage.PLAN}, {"announced": True}, {"mode": Mode.FORCE}, {"cause": Cause.CONFIRM}):
        assert decide_same(chunk("1", **unlike), world.observe(chunk("1")), NOW) is None
