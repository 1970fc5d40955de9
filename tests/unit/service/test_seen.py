from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic

import pytest

from processor.core.correction import Op
from processor.core.history import PlanCounts, Planned, RequestState, Sample, Status
from processor.core.rights import NotAuthorized
from processor.service.follow import ClearedResult, NotedOutcome, RequestResult, Standing, follow
from processor.service.seen import SeenFollower


class Known:
    """A follower whose requests have all ended, and that therefore does not wait."""

    def __init__(self, *ends: RequestResult | ClearedResult, **standings: Standing) -> None:
        self._ends = ends
        self._standings = standings

    def standings(self, _wait_s: float) -> Mapping[str, Standing]:
        return self._standings

    def results(self) -> Sequence[RequestResult | ClearedResult]:
        return self._ends


def ended(district_id: str, object_name: str = "Person") -> Standing:
    return Standing(RequestState.COMPLETE, 2, 2, district_id=district_id, object=object_name)


def only_persons_of_north(district_id: str, object_name: str) -> bool:
    return (district_id, object_name) == ("NORTH", "Person")


def test_what_may_not_be_seen_is_as_if_it_did_not_exist() -> None:
    known = Known(
        a=ended("NORTH"),
        b=ended("RIVER"),
        c=ended("NORTH", "Enrollment"),
        d=Standing(cleared=True, district_id="RIVER", object="Person"),
        e=Standing(),
    )
    seen = SeenFollower(known, only_persons_of_north).standings(0)
    assert seen == {"a": ended("NORTH"), **dict.fromkeys("bcde", Standing())}


def test_following_what_may_not_be_seen_waits_as_for_what_does_not_exist() -> None:
    asked = 0

    def count(_standings: object) -> None:
        nonlocal asked
        asked += 1

    started = monotonic()
    hidden = SeenFollower(Known(b=ended("RIVER")), only_persons_of_north)
    assert not follow(hidden, 0.5, count)
    assert monotonic() - started >= 0.5
    assert asked < 15, "it must not spin"
    assert follow(SeenFollower(Known(a=ended("NORTH")), only_persons_of_north), 0.5, count)


def test_another_request_of_the_same_id_that_came_in_between_is_not_told() -> None:
    end = RequestResult("a", "RIVER", "Person", RequestState.COMPLETE, None, None, 1, (), ())
    with pytest.raises(NotAuthorized, match="stands for another request by now"):
        SeenFollower(Known(end, a=ended("NORTH")), only_persons_of_north).results()


def test_keys_that_dependencies_brought_along_are_told_only_where_they_may_be_seen() -> None:
    noted = tuple(
        NotedOutcome(name, "1", "1", Status.APPLIED, None, None, (), None) for name in ("Person", "Enrollment")
    )
    result = RequestResult("a", "NORTH", "Person", RequestState.COMPLETE, None, None, 1, (), noted)
    cleared = ClearedResult("b", "admin", None)
    assert SeenFollower(Known(result, cleared), only_persons_of_north).results() == [
        replace(result, noted=noted[:1]),
        cleared,
    ]


def test_of_what_a_held_request_would_change_only_what_may_be_seen_is_told() -> None:
    mine, other = Planned("Person", Op.UPDATE, None, 3), Planned("Enrollment", Op.CREATE, None, 2)
    samples = (Sample("Enrollment", Op.CREATE, "7"), Sample("Person", Op.UPDATE, "1"))
    held = replace(ended("NORTH"), state=RequestState.HELD, planned=PlanCounts((mine, other), samples))
    seen = SeenFollower(Known(a=held), only_persons_of_north).standings(0)["a"]
    assert seen == replace(held, planned=PlanCounts((mine,), samples[1:]))
