"""What somebody asks for.

All times of the domain are timezone-aware UTC with microseconds.
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from processor.core.frozen import dataclass

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
    linked: bool = False
    """The first step of a run, or one that followed: verify, resync what differs, verify again (`core/run.py`)."""
    not_understood: tuple[str, ...] = ()
    """Fields with a symbol that this release does not know. They hold their defaults; the request is rejected."""

    @property
    def where(self) -> str | None:
        """The filter's text; None where records are not selected by one."""
        return self.selection.expression if isinstance(self.selection, Filter) else None

    @property
    def selected_by(self) -> str:
        """`KEYS`, `ALL` or `FILTER`, as the history tells it."""
        return type(self.selection).__name__.upper()

    def symbol(self, name: str) -> str:
        """A field of a closed list as records write it."""
        return UNKNOWN if name in self.not_understood else str(getattr(self, name))


@dataclass(frozen=True, slots=True)
class Single:
    """A request of one key by what is its own; in all else it is `like` another one (ADR 0244).

    Such requests come by the thousand, from few publishers that ask for the same. `key` is as the requester wrote it.
    """

    like: Request
    request_id: str
    key: str
    requested_at: datetime | None

    @property
    def request(self) -> Request:
        return replace(
            self.like, request_id=self.request_id, selection=Keys((self.key,)), requested_at=self.requested_at
        )
