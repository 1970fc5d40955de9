"""What of the history to read: filters, the place where a page begins, and what may be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Place: TypeAlias = tuple[datetime, str]
"""Where a page ends: the time and the request of its last row."""

RecordPlace: TypeAlias = tuple[datetime, str, str, str]
"""The same among all of a record, where one request may have several rows: with object and key."""

Seen: TypeAlias = Sequence[tuple[str | None, str | None]] | None
"""Pairs of a district and an object that may be seen, None in one being all of them; without pairs all may be."""


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """What requests to list; None takes all. `requested_by` is a part of the text, in either case."""

    district_id: str | None = None
    object: str | None = None
    requested_by: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """The first moment that is too late."""
    states: Sequence[str] | None = None
    after: Place | None = None
    seen_districts: Sequence[str | None] | None = None
    seen_objects: Sequence[str | None] | None = None
    """Pairs of a district and an object that may be seen, None being all of them; without both all may be."""


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """Which keys of a request; None takes all. Those of its own district: another's request may have the same id."""

    district_id: str
    object: str | None = None
    statuses: Sequence[str] | None = None
    reasons: Sequence[str] | None = None
    parent_object: str | None = None
    seen_objects: Sequence[str] | None = None
    """Those whose keys may be seen."""


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which record, and which of its children may be told of: None takes all."""

    district_id: str
    object: str
    key: str
    seen_objects: Sequence[str] | None = None
    after: RecordPlace | None = None


@dataclass(frozen=True, slots=True)
class ClearFilter:
    """Which requests may be meant to be cleared; None takes all."""

    request_ids: Sequence[str] | None = None
    district_id: str | None = None
    before: datetime | None = None
    """Nothing of it was decided since."""
    is_ended: bool | None = None
    may_clear: Sequence[tuple[str | None, str | None]] | None = None
    """Pairs of a district and an object; all that goes with a request has to be of some."""
