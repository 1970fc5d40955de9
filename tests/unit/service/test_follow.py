"""Following, with followers that tell a prepared story."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from processor.core.history import Count, RequestState
from processor.service import follow as following
from processor.service.client_ports import Unreachable
from processor.service.follow import ClearedResult, RequestResult, Standing, Verdict, follow, verdict

RUNNING = Standing(RequestState.ACCEPTED, 3, 1)
ENDED = Standing(RequestState.COMPLETE, 3, 3)


class Told:
    """Tells one standing after another; the last for ever."""

    def __init__(self, *story: Standing | Exception) -> None:
        self._story = list(story)
        self.waits: list[float] = []

    def standings(self, wait_s: float) -> Mapping[str, Standing]:
        self.waits.append(wait_s)
        now = self._story.pop(0) if len(self._story) > 1 else self._story[0]
        if isinstance(now, Exception):
            raise now
        return {"r": now}

    def results(self) -> Sequence[RequestResult | ClearedResult]:
        return []


def quiet(_standings: Mapping[str, Standing]) -> None:
    """Nobody looks."""


def test_it_ends_with_the_request_and_asks_less_and_less_often() -> None:
    told = Told(Standing(), *(RUNNING,) * 10, ENDED)
    shown: list[Standing] = []
    assert follow(told, None, lambda standings: shown.extend(standings.values()))
    assert shown[0] == Standing()
    assert shown[-1] == ENDED
    assert told.waits == sorted(told.waits)
    assert told.waits[0] == 0
    assert max(told.waits) <= 1


def test_it_asks_again_after_a_share_of_the_time_that_nothing_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """So an end is told late by no more than that; of what moves sooner, since its end may be near."""
    moved = replace(RUNNING, settled=2)
    begun, answers = [100.0], (100.0, 104.0, 110.0, 110.0, 120.0, 200.0, 200.0)
    times = iter(begun + [time for answer in answers for time in (answer, answer)])
    monkeypatch.setattr(following, "monotonic", lambda: next(times))
    told = Told(RUNNING, RUNNING, RUNNING, moved, moved, moved, ENDED)
    assert follow(told, None, quiet)
    assert told.waits == pytest.approx([0.0, 0.05, 0.2, 0.5, 0.2, 0.5, 1.0])


def test_a_cleared_or_rejected_request_has_ended() -> None:
    assert follow(Told(Standing(cleared=True)), None, quiet)
    assert follow(Told(Standing(RequestState.REJECTED)), None, quiet)
    assert not Standing(RequestState.HELD).has_ended


def test_the_time_runs_out() -> None:
    assert not follow(Told(RUNNING), 0.01, quiet)


def test_an_outage_at_the_first_question_is_raised() -> None:
    with pytest.raises(Unreachable):
        follow(Told(Unreachable("away")), None, quiet)


def test_a_later_outage_is_sat_out() -> None:
    assert follow(Told(RUNNING, Unreachable("away"), Unreachable("away"), ENDED), None, quiet)


def test_a_long_outage_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PATIENCE_S", 0.0)
    with pytest.raises(Unreachable):
        follow(Told(RUNNING, Unreachable("away")), None, quiet)


def result(state: RequestState, *statuses: str) -> RequestResult:
    counts = tuple(Count(status, None, 1) for status in statuses)
    return RequestResult("r", "NORTH", "PersonIdentity", state, None, None, len(counts), counts, ())


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([result(RequestState.COMPLETE, "APPLIED", "IN_SYNC", "NOT_FOUND")], Verdict.DONE),
        ([result(RequestState.COMPLETE, "DIFFERS")], Verdict.DIFFERENT),
        ([result(RequestState.COMPLETE, "APPLIED", "STATE_ONLY")], Verdict.DIFFERENT),
        ([result(RequestState.COMPLETE_WITH_FAILURES, "FAILED", "DIFFERS")], Verdict.FAILED),
        ([result(RequestState.COMPLETE, "DIFFERS"), result(RequestState.REJECTED)], Verdict.FAILED),
        ([result(RequestState.CANCELLED, "CANCELLED")], Verdict.FAILED),
        ([ClearedResult("r", "auditor")], Verdict.FAILED),
    ],
)
def test_the_worst_counts(results: list[RequestResult | ClearedResult], expected: Verdict) -> None:
    assert verdict(results) is expected
