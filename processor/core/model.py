"""The words of the domain as immutable values: requests, chunks, corrections, answers, outcomes, plans.

All times are timezone-aware UTC with microseconds. Field values are *canonical text* (see `values`), `None` for null.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from processor.core.errors import Reason

Values: TypeAlias = Mapping[str, str | None]
"""Field name to canonical text."""


UNKNOWN = "UNKNOWN"
"""The symbol, in every closed list of a schema, that a later release's symbols are read as."""


class Mode(StrEnum):
    SYNC = "SYNC"
    FORCE = "FORCE"
    VERIFY = "VERIFY"


class Dependencies(StrEnum):
    NONE = "NONE"
    PARENTS = "PARENTS"
    CHILDREN = "CHILDREN"
    ALL = "ALL"


class OnStateOnly(StrEnum):
    REPORT = "REPORT"
    DELETE = "DELETE"


class Report(StrEnum):
    ALL = "ALL"
    CHANGES = "CHANGES"


class Side(StrEnum):
    DISTRICT = "DISTRICT"
    STATE = "STATE"


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


class Op(StrEnum):
    """Operation of a correction, in Debezium's letters."""

    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"


class Result(StrEnum):
    """What the applier did with a correction."""

    APPLIED = "APPLIED"
    ALREADY_EQUAL = "ALREADY_EQUAL"
    CONFLICT = "CONFLICT"
    PARENT_MISSING = "PARENT_MISSING"
    HAS_CHILDREN = "HAS_CHILDREN"
    REJECTED_BY_STATE = "REJECTED_BY_STATE"


class Cause(StrEnum):
    """Why a chunk exists."""

    REQUEST = "REQUEST"
    SPLIT = "SPLIT"
    SNAPSHOT_UNAVAILABLE = "SNAPSHOT_UNAVAILABLE"
    CONFLICT = "CONFLICT"
    PARENT_MISSING = "PARENT_MISSING"
    NO_ANSWER = "NO_ANSWER"


@dataclass(frozen=True, slots=True)
class Keys:
    """Explicit keys as the requester wrote them, in order, perhaps repeated."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every record of the object."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Every record that matches an expression."""

    expression: str


Selection: TypeAlias = Keys | All | Filter


@dataclass(frozen=True, slots=True)
class Request:
    """One ask. `object` and `district_id` are as written and need not exist in the catalog."""

    request_id: str
    district_id: str
    object: str
    selection: Selection
    requested_by: str
    mode: Mode = Mode.SYNC
    dependencies: Dependencies = Dependencies.NONE
    on_state_only: OnStateOnly = OnStateOnly.REPORT
    report: Report = Report.ALL
    requested_from: Side = Side.DISTRICT
    requested_at: datetime | None = None
    school_year: str | None = None
    reason: str | None = None
    run_id: str | None = None
    not_understood: tuple[str, ...] = ()
    """Fields with a symbol that this release does not know. They hold their defaults; the request is rejected."""

    def symbol(self, name: str) -> str:
        """A field of a closed list as records write it."""
        return UNKNOWN if name in self.not_understood else str(getattr(self, name))


@dataclass(frozen=True, slots=True)
class Ask:
    """A canonical key and the text that the requester wrote for it; `asked_as` is None for a dependency."""

    key: str
    asked_as: str | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """The unit of work: keys of one object of one district, each key once, compared together.

    `attempt` counts comparisons of these keys, from 1. `chunk` is unique in its request and derived from
    its cause, so that one cause makes one chunk however often it is seen.
    """

    request_id: str
    chunk: str
    district_id: str
    object: str
    asks: tuple[Ask, ...]
    cause: Cause = Cause.REQUEST
    mode: Mode = Mode.SYNC
    dependencies: Dependencies = Dependencies.NONE
    on_state_only: OnStateOnly = OnStateOnly.REPORT
    report: Report = Report.ALL
    attempt: int = 1
    first_decided_at: datetime | None = None
    deferred_since: datetime | None = None
    """When a database was first found away; the deadline counts from here."""
    not_before: datetime | None = None
    """Backoff: a round through `resync.retry` that comes earlier goes round once more without reading."""
    correction_id: str | None = None
    """The correction that caused this chunk of one key, and when it was sent: outcomes go on telling both."""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DistrictVersion:
    """Orders reads of one district: a later read is never smaller.

    Tuple (epoch, xmax, -in_progress) of `pg_current_snapshot()` in the statement that read the row.
    """

    epoch: int
    xmax: int
    in_progress: int

    @property
    def order(self) -> tuple[int, int, int]:
        return (self.epoch, self.xmax, -self.in_progress)


@dataclass(frozen=True, slots=True)
class Parent:
    object: str
    key: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where a correction comes from. The applier echoes it, so an answer carries all that the next step needs."""

    request_id: str
    chunk: str
    correction_id: str
    district_id: str
    object: str
    key: str
    asked_as: str | None
    attempt: int
    cause: Cause
    mode: Mode
    dependencies: Dependencies
    on_state_only: OnStateOnly
    changed_fields: tuple[str, ...]
    parent: Parent | None
    district_version: DistrictVersion
    district_read_at: datetime
    state_read_at: datetime
    first_decided_at: datetime
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """What the state is asked to do with one row.

    `before` holds the district-owned fields of the state's row as compared (None for `c`), `after` those it shall
    hold (None for `d`); codes are in the state's vocabulary, references are district keys.
    """

    op: Op
    before: Values | None
    after: Values | None
    parent: Parent | None
    source: Source


@dataclass(frozen=True, slots=True)
class Answer:
    source: Source
    result: Result
    detail: str | None
    answered_at: datetime


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
class RequestStatus:
    """The request without its keys, and whether it was accepted. `keys` counts distinct keys asked for."""

    request: Request
    state: RequestState
    reason: Reason | None
    detail: str | None
    keys: int
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class ChunkStatus:
    """`keys`: distinct keys of a PENDING chunk. `in_sync`: IN_SYNC keys of a DONE chunk that have no outcome."""

    request_id: str
    district_id: str
    object: str
    chunk: str
    state: ChunkState
    keys: int
    in_sync: int
    decided_at: datetime


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


HistoryRecord: TypeAlias = RequestStatus | ChunkStatus | KeyOutcome | RequestEnd | Cleared


@dataclass(slots=True)
class Plan:
    """Everything that a batch will emit, as data, in the order of emission.

    Dry run, preview, test and the real run build the same plan and differ in the sink.
    """

    history: list[HistoryRecord] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    retries: list[Chunk] = field(default_factory=list)

    def add(self, other: "Plan") -> None:
        self.history += other.history
        self.corrections += other.corrections
        self.chunks += other.chunks
        self.retries += other.retries
