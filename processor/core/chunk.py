from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from processor.core.request import Dependencies, Mode, OnStateOnly, Report


class Cause(StrEnum):
    """Why a chunk exists."""

    REQUEST = "REQUEST"
    SPLIT = "SPLIT"
    SNAPSHOT_UNAVAILABLE = "SNAPSHOT_UNAVAILABLE"
    CONFLICT = "CONFLICT"
    PARENT_MISSING = "PARENT_MISSING"
    NO_ANSWER = "NO_ANSWER"


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
