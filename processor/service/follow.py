"""Following requests to their ends, and what the ends amount to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Protocol

from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import Count, PlanCounts, RequestState, Status
from processor.service.client_ports import Unreachable

MOST_NOTED = 20
"""Outcomes told one by one at a request's end; a report tells all."""

PATIENCE_S = 30.0
LEAST_WAIT_S, LONGEST_WAIT_S = 0.05, 1.0
"""Between two questions."""
MOVING_SHARE, STILL_SHARE = 0.02, 0.05
"""Of the time that was waited in all, and of that since anything was last seen to move."""

ENDED = frozenset(
    {RequestState.REJECTED, RequestState.COMPLETE, RequestState.COMPLETE_WITH_FAILURES, RequestState.CANCELLED}
)
DIFFERENT = frozenset(
    {
        Status.STATE_ONLY,
        Status.DIFFERS,
        Status.MISSING_AT_STATE,
        Status.MISSING_AT_DISTRICT,
        Status.DUPLICATE_KEY,
    }
)
"""Statuses of keys that differ and were left so."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a request is. `state` is None while there is no history of it; `settled` is about right while it runs."""

    state: RequestState | None = None
    keys: int = 0
    settled: int = 0
    cleared: bool = False
    district_id: str = ""
    object: str = ""
    detail: str | None = None
    planned: PlanCounts | None = None
    """Of one that is held: why, and what it would change."""
    looked_at_again: int = 0
    """Keys that a verification reads a second time, once it has read all; 0 where that is not known."""

    @property
    def has_ended(self) -> bool:
        return self.cleared or self.state in ENDED


@dataclass(frozen=True, slots=True)
class NotedOutcome:
    object: str
    key: str
    asked_as: str | None
    status: Status
    reason: Reason | None
    detail: str | None
    changed_fields: tuple[str, ...]
    parent: Parent | None


@dataclass(frozen=True, slots=True)
class RequestResult:
    """The end of a request. `noted` are some of its outcomes, failures first."""

    request_id: str
    district_id: str
    object: str
    state: RequestState
    reason: Reason | None
    detail: str | None
    keys: int
    counts: tuple[Count, ...]
    noted: tuple[NotedOutcome, ...]
    only_counted: int = 0
    """Keys in sync that have no outcome, so that no report lists them."""


@dataclass(frozen=True, slots=True)
class ClearedResult:
    """The request's history was cleared, so how it ended is not known any more."""

    request_id: str
    cleared_by: str
    cleared_at: datetime | None = None


class Follower(Protocol):
    """Knows some requests. Its methods raise Unreachable and NotSetUp."""

    def standings(self, wait_s: float) -> Mapping[str, Standing]:
        """Of each request, after waiting for news for at most about `wait_s`."""
        ...

    def results(self) -> Sequence[RequestResult | ClearedResult]:
        """Of each request, once all have ended."""
        ...


class Verdict(StrEnum):
    """What requests amount to, the worst first."""

    FAILED = "failed"
    DIFFERENT = "different"
    DONE = "done"


def follow(follower: Follower, timeout_s: float | None, show: Callable[[Mapping[str, Standing]], None]) -> bool:
    """Until all requests have ended; False where the time ran out before.

    An outage in between is sat out for `PATIENCE_S`; then, or at the first question, it is raised. Each wait is a share
    of the time so far, and of the time that all stood still, so an end is told late by no more than that.
    """
    began = moved = monotonic()
    deadline = None if timeout_s is None else began + timeout_s
    heard: float | None = None
    last: Mapping[str, Standing] = {}
    wait_s = 0.0
    while True:
        try:
            standings = follower.standings(wait_s)
        except Unreachable:
            if heard is None or monotonic() - heard > PATIENCE_S:
                raise
        else:
            heard = monotonic()
            if standings != last:
                last, moved = standings, heard
            show(standings)
            if all(standing.has_ended for standing in standings.values()):
                return True
        now = monotonic()
        share_s = max(MOVING_SHARE * (now - began), STILL_SHARE * (now - moved))
        wait_s = min(LONGEST_WAIT_S, max(LEAST_WAIT_S, share_s))
        if deadline is not None:
            wait_s = min(wait_s, deadline - now)
            if wait_s <= 0:
                return False


def verdict(results: Iterable[RequestResult | ClearedResult]) -> Verdict:
    """A record that only the state has is a difference that was left, whatever the mode."""
    found = Verdict.DONE
    for result in results:
        if isinstance(result, ClearedResult) or result.state is not RequestState.COMPLETE:
            return Verdict.FAILED
        if any(count.status in DIFFERENT for count in result.counts):
            found = Verdict.DIFFERENT
    return found
