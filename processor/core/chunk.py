from datetime import datetime
from enum import StrEnum

from processor.core.frozen import dataclass
from processor.core.request import Dependencies, Mode, OnStateOnly, Report


class Cause(StrEnum):
    """Why a chunk exists."""

    REQUEST = "REQUEST"
    SPLIT = "SPLIT"
    SNAPSHOT_UNAVAILABLE = "SNAPSHOT_UNAVAILABLE"
    CONFLICT = "CONFLICT"
    PARENT_MISSING = "PARENT_MISSING"
    NO_ANSWER = "NO_ANSWER"
    SCAN = "SCAN"
    """A range of an object's keys; the part before it caused it."""
    CONFIRM = "CONFIRM"
    """Keys that a scan saw differ, to be read again; to verify, once what was on its way has arrived."""
    HELD = "HELD"
    """Keys that were parked until their request was decided upon."""


class Stage(StrEnum):
    """How far the guard against mass changes has come with a chunk (ADR 0144)."""

    GUARDED = "GUARDED"
    """Not looked at: what it would change is held against the guard before anything of it is sent."""
    PLAN = "PLAN"
    """What it would change is counted, and parked."""
    RELEASED = "RELEASED"
    """It may send: the guard let it pass, or somebody with the right to."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A canonical key and the text that the requester wrote for it; `asked_as` is None for a dependency."""

    key: str
    asked_as: str | None


@dataclass(frozen=True, slots=True)
class Scan:
    """The part of a scan that begins after a key, of every key of an object (ADR 0210).

    `part` counts from 0. `size` is how many rows of a side are read at once; where this part ends, they say.
    `digest` is how many are tried to be ended by one digest instead, 0 for none; `by_rows`: rows are compared by their
    columns, not by a digest of each (ADR 0211).
    `left` is about how many keys are still to come, this part's included; an estimate that only progress is told by.
    """

    after: str | None
    part: int
    size: int
    left: int
    digest: int = 0
    by_rows: bool = False
    where: str | None = None
    """The filter that rows of the object asked for match, as the requester wrote it; None for all rows."""
    year: str | None = None
    """The school year that they are of."""
    below: tuple[str, ...] = ()
    """Objects whose scans follow this one's, parents first."""
    of: str | None = None
    """The object that `where` is about, where that is one above: what hangs below what matches."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The unit of work: keys of one object of one district, each key once, compared together.

    A chunk with a `scan` has no asks: its keys are those of a range. `attempt` counts comparisons of these keys, or
    tries to read the range, from 1. `chunk` is unique in its request and derived from
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
    announced: bool = False
    """It stands as PENDING in the history: who gives its keys outcomes says DONE too."""
    first_decided_at: datetime | None = None
    deferred_since: datetime | None = None
    """When a database was first found away; the deadline counts from here."""
    not_before: datetime | None = None
    """Backoff: a round through `resync.retry` that comes earlier goes round once more without reading."""
    correction_id: str | None = None
    """The correction that caused this chunk of one key, and when it was sent: outcomes go on telling both."""
    sent_at: datetime | None = None
    requested_at: datetime | None = None
    """The request's own, by its publisher's clock, for the age of outcomes."""
    scan: Scan | None = None
    stage: Stage = Stage.GUARDED
    rank: int = 0
    """Where a parked chunk stands in the order of release: parents first, then deletions, children first."""

    @property
    def tells_same(self) -> bool:
        """Whether every key that is the same on both sides ends as IN_SYNC, with an outcome of its own."""
        return self.mode is not Mode.FORCE and self.report is not Report.CHANGES and self.cause is not Cause.NO_ANSWER
