from collections.abc import Mapping, Sequence
from time import monotonic

from processor.core.model import RequestState
from processor.service.follow import ClearedResult, RequestResult, Standing, follow
from processor.service.seen import SeenFollower


class Known:
    """A follower whose requests have all ended, and that therefore does not wait."""

    def __init__(self, **standings: Standing) -> None:
        self._standings = standings

    def standings(self, _wait_s: float) -> Mapping[str, Standing]:
        return self._standings

    def results(self) -> Sequence[RequestResult | ClearedResult]:
        return []


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
    assert asked < 10, "it must not spin"
    assert follow(SeenFollower(Known(a=ended("NORTH")), only_persons_of_north), 0.5, count)
