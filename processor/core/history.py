"""What is told of requests: the records of the history topic, and the wish to clear them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from processor.core.chunk import Ask, Chunk
from processor.core.correction import Op, Parent, Source
from processor.core.errors import Reason
from processor.core.frozen import dataclass
from processor.core.request import Request, Single


class Status(StrEnum):
    """What became of one key. `SENT` and `DEFERRED` are on the way; every other status is terminal."""

    NOT_FOUND = "NOT_FOUND"
    IN_SYNC = "IN_SYNC"
    SENT = "SENT"
    APPLIED = "APPLIED"
    STATE_ONLY = "STATE_ONLY"
    DEFERRED = "DEFERRED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    DIFFERS = "DIFFERS"
    MISSING_AT_STATE = "MISSING_AT_STATE"
    MISSING_AT_DISTRICT = "MISSING_AT_DISTRICT"
    DUPLICATE_KEY = "DUPLICATE_KEY"


OPEN_STATUSES = frozenset({Status.SENT, Status.DEFERRED})


class RequestState(StrEnum):
    """`ACCEPTED`, `REJECTED` and `HELD` are written by the processor; the other three are derived."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    HELD = "HELD"
    COMPLETE = "COMPLETE"
    COMPLETE_WITH_FAILURES = "COMPLETE_WITH_FAILURES"
    CANCELLED = "CANCELLED"


class ChunkState(StrEnum):
    PENDING = "PENDING"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class KeyOutcome:
    """What became of one key so far; cumulative, and without any field's value."""

    request_id: str
    district_id: str
    object: str
    key: str
    asked_as: str | None
    status: Status
    reason: Reason | None
    detail: str | None
    changed_fields: tuple[str, ...]
    parent: Parent | None
    correction_id: str | None
    attempt: int
    first_decided_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Alike:
    """Outcomes that differ in `key` and `asked_as` alone, one for each of `asks`; `first` is that of the first.

    Most keys are in sync, so a batch has thousands of these (ADR 0227).
    """

    first: KeyOutcome
    asks: list[Ask]

    def each(self) -> Iterator[KeyOutcome]:
        return (replace(self.first, key=ask.key, asked_as=ask.asked_as) for ask in self.asks)


@dataclass(frozen=True, slots=True)
class Sent:
    """Outcomes of what was sent that differ in what is of one key alone; `first` is that of the first of `sources`.

    Status SENT, or what the answers mean (ADR 0169).
    """

    first: KeyOutcome
    sources: list[Source]

    def each(self) -> Iterator[KeyOutcome]:
        return (
            replace(
                self.first,
                key=source.key,
                asked_as=source.asked_as,
                changed_fields=source.changed_fields,
                parent=source.parent,
                correction_id=source.correction_id,
            )
            for source in self.sources
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """How many records of an object an operation would change; with a `field`, how many updates would change that."""

    object: str
    op: Op
    field: str | None
    keys: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A record that would be changed."""

    object: str
    op: Op
    key: str


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """What a request would change, in numbers and by a few examples; without any field's value."""

    counts: tuple[Planned, ...] = ()
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """A request that would delete more than `deletes` records, or change more than `changes`, is held (ADR 0144)."""

    changes: int
    deletes: int


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """The request without its keys, and whether it was accepted. `keys` counts distinct keys asked for.

    `planned` stands once its plan was held against `guard`. `decided_by` is who released or cancelled it; None
    where nobody had to.
    """

    request: Request
    state: RequestState
    reason: Reason | None
    detail: str | None
    keys: int
    decided_at: datetime
    guard: Guard | None = None
    planned: PlanCounts | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class ChunkStatus:
    """`in_sync`: IN_SYNC keys of a DONE chunk that have no outcome.

    `keys`: distinct keys of a PENDING chunk; of a scan, about how many are still to come. Of a DONE part of a scan, or
    of keys that it had read again, the keys that ended there; `district_rows` and `state_rows` are the rows of these.
    """

    request_id: str
    district_id: str
    object: str
    chunk: str
    state: ChunkState
    keys: int
    in_sync: int
    decided_at: datetime
    district_rows: int = 0
    state_rows: int = 0
    expected_differences: int = 0
    """How many of `in_sync` differ in fields that the state owns."""
    planned: PlanCounts | None = None
    """What a DONE chunk would change that was only planned."""
    guard: Guard | None = None
    """What that is to be held against, together with what the request's other chunks would change."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Keys of a planned request that would be sent, until it is decided upon; `is_gone` once they were taken up."""

    chunk: Chunk
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    status: str
    reason: str | None
    keys: int


@dataclass(frozen=True, slots=True)
class RequestEnd:
    """The end of a request, for publishers who read only the topic; a pure function of its other records."""

    request_id: str
    district_id: str
    object: str
    state: RequestState
    reason: Reason | None
    detail: str | None
    counts: tuple[Count, ...]
    first_decided_at: datetime | None
    last_decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Cleared:
    """The permanent mark that a request's history was cleared; `outcomes` counts those that went.

    `scope` says what the clearing was asked for, in the words of the command: `request`, `district NORTH`.
    """

    request_id: str
    district_id: str
    object: str
    cleared_by: str
    cleared_at: datetime
    outcomes: int
    scope: str


@dataclass(frozen=True, slots=True)
class SingleStatuses:
    """Statuses of requests of one key that were taken on together; `first` is that of the first of them."""

    first: RequestStatus
    singles: list[Single]


@dataclass(frozen=True, slots=True)
class SingleOutcomes:
    """Outcomes of requests of one key that differ in id and key alone; `first` is that of the first of them."""

    first: KeyOutcome
    singles: list[Single]

    def each(self) -> Iterator[KeyOutcome]:
        return (
            replace(self.first, request_id=single.request_id, key=single.key, asked_as=single.key)
            for single in self.singles
        )


HistoryRecord: TypeAlias = RequestStatus | ChunkStatus | KeyOutcome | RequestEnd | Cleared | Parked
Told: TypeAlias = HistoryRecord | Alike | Sent | SingleStatuses | SingleOutcomes
"""A record of a plan, or many that are alike."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Someone's wish that a request's history be cleared, which the store carries out.

    `as_of` is the time of the last thing that was decided, as the one who asks saw it. A request that has not ended, or
    of which something was decided since, stays; a time of the history's own, so no clock of another machine matters.
    """

    request_id: str
    cleared_by: str
    asked_at: datetime
    as_of: datetime
    scope: str


class OrderAction(StrEnum):
    """What somebody wants done about a request that is under way."""

    RELEASE = "RELEASE"
    REJECT = "REJECT"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Order:
    """Someone's order about a request, which the store judges and passes on to the processor."""

    request_id: str
    action: OrderAction
    ordered_by: str
    ordered_at: datetime
