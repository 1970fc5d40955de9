"""What the store's tables tell of requests that were planned, held or let pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from processor.core.history import Guard, PlanCounts, RequestState, RequestStatus

ParkedPlace: TypeAlias = tuple[int, str]
"""Where a parked chunk stands in the order of release: its rank and id."""

FIRST_PARKED: ParkedPlace = (-1, "")


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """A request that was planned to its end: what it would change, what of which object that is held against, and when.

    `planned_at` is when the last of its chunks was planned.
    """

    status: RequestStatus
    plan: PlanCounts
    guards: Mapping[str, Guard]
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class ReleasedRequest:
    """One that has parked chunks although it is not held any more, by a decision of that time."""

    request_id: str
    state: RequestState
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """`value` is the history record as it stands on the topic."""

    place: ParkedPlace
    value: bytes


@dataclass(frozen=True, slots=True)
class Orderable:
    """A request about which something is ordered; `shown` is its state as the public views have it."""

    status: RequestStatus
    shown: RequestState


class GuardTables(Protocol):
    def planning(self) -> Sequence[str]:
        """All requests of which chunks were planned and that are not decided upon."""

    def planned(self, request_ids: Sequence[str]) -> Sequence[PlannedRequest]:
        """Those of the requests that were planned to their end and are not decided upon."""

    def released(self) -> Sequence[ReleasedRequest]:
        """All requests that have parked chunks and were let pass, released or cancelled."""

    def parked(self, request_id: str, after: ParkedPlace, limit: int) -> Sequence[ParkedRecord]:
        """In the order of release."""

    def orderable(self, request_ids: Sequence[str]) -> Sequence[Orderable]:
        """Those of the requests that are known, and not cleared."""

    def held(self) -> tuple[int, datetime | None]:
        """How many requests are held, and since when the oldest."""
