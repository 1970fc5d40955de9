"""What the state is asked to do with one row, and its answer.

Field values are *canonical text* (see `values`), `None` for null.
"""

from datetime import datetime
from enum import StrEnum

from processor.core.chunk import Cause
from processor.core.frozen import dataclass
from processor.core.request import Dependencies, Mode, OnStateOnly
from processor.core.snapshot import DistrictVersion
from processor.core.values import Values


class Op(StrEnum):
    """Operation of a correction, in Debezium's letters."""

    __hash__ = str.__hash__  # Python's own for members is a function of Python's, and they are keys by the thousand
    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"


class Result(StrEnum):
    """What the applier did with a correction."""

    __hash__ = str.__hash__
    APPLIED = "APPLIED"
    ALREADY_EQUAL = "ALREADY_EQUAL"
    CONFLICT = "CONFLICT"
    PARENT_MISSING = "PARENT_MISSING"
    HAS_CHILDREN = "HAS_CHILDREN"
    REJECTED_BY_STATE = "REJECTED_BY_STATE"


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
    requested_at: datetime | None = None
    """The request's own, by its publisher's clock; null where it told none, or a former release wrote this."""


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
