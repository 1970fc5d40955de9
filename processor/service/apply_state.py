"""What applying asks of the state's database: the ports of `processor.service.apply`."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeAlias

from processor.core.catalog import Catalog, FieldSpec, ObjectType
from processor.core.correction import Correction, Result
from processor.core.frozen import dataclass
from processor.core.snapshot import DistrictVersion
from processor.core.values import Values

UNREADABLE = "!unreadable"
"""Stands for a value of the state's row that the field's kind cannot carry. Equal to no canonical text."""


class StateUnavailable(Exception):
    """The state's database could not carry out the batch as a whole.

    Nothing of it was applied, unless the connection broke during the commit; either way the same batch is to be
    given again: what was applied is then recognised by its id.
    """


class AnsweredBefore(Exception):
    """One of the batch was, and nobody looked: its transaction is to be undone and done anew, with a look."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer without the source that it echoes."""

    result: Result
    detail: str | None
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class StateRow:
    """District-owned fields of one row: `raw` as the database writes them, in the order of `ObjectType.owned`."""

    raw: tuple[str | None, ...]
    values: Values


LOCK_NOT_AVAILABLE = "55P03"
"""SQLSTATE of a row that somebody else holds locked."""
TIMED_OUT = "57014"
"""SQLSTATE of a row that took longer than a statement may."""
NOT_TRIED = "untried"
"""No SQLSTATE of the server's: of a row that was not come to before patience was over."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The database's no to one row. `column` is None where the database does not say which it was."""

    sqlstate: str
    constraint: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The rows that a key has, and the version last recorded for it."""

    rows: tuple[StateRow, ...]
    recorded: DistrictVersion | None


@dataclass(frozen=True, slots=True)
class References:
    """`ids`: field to the state's id of the record that the field names. `dangling`: fields that name none."""

    ids: Values = field(default_factory=dict)
    dangling: tuple[str, ...] = ()


NO_REFERENCES = References()
"""Of a write that refers to nothing."""


@dataclass(frozen=True, slots=True)
class Write:
    """One decided change: of `row` as it was read, None for a create; `fields` are those to be written."""

    correction: Correction
    fields: tuple[FieldSpec, ...]
    row: StateRow | None
    references: References = NO_REFERENCES


class Made(Protocol):
    """What a StateWriter makes of some writes before they are tried without reading; it alone knows what it is."""


class Effect(Enum):
    WRITTEN = "written"
    MISSED = "missed"
    """The row was no longer as read, or a newer version is recorded."""


WriteResult: TypeAlias = Effect | Refusal


class StateTransaction(Protocol):
    """One transaction at the state. Every list that comes back is in the order of the one given.

    No method is given two corrections of one key. All but `answered` and `conclude` get one object's at a time.
    """

    def answered(self, corrections: Sequence[Correction], now: datetime) -> list[Verdict | None]:
        """What was answered before, or to keys that the state cannot hold; None where it is yet to be found out.

        It may be left to `conclude` to find that something was answered.
        """

    def conclude(self, verdicts: Sequence[tuple[Correction, Verdict]]) -> None:
        """Keeps answers, each for the first and only time. Raises AnsweredBefore; the next `answered` then looks."""

    def read(self, object_type: ObjectType, corrections: Sequence[Correction]) -> list[Found | Refusal]: ...

    def resolve(self, object_type: ObjectType, writes: Sequence[Write]) -> list[References | Refusal]:
        """Follows every reference among the fields to be written."""

    def referring(self, object_type: ObjectType, corrections: Sequence[Correction]) -> list[str | Refusal | None]:
        """An object of the catalog that still has a record below this one."""

    def create_unread(self, object_type: ObjectType, writes: Sequence[Write], made: Made | None) -> set[int]:
        """Places of those created. Of all others nothing is known and nothing changed: they are to be read.

        `made` of the same writes, whatever they refer to.
        """

    def update_unread(self, object_type: ObjectType, writes: Sequence[Write], made: Made | None) -> set[int]:
        """Places of those updated, whose only row was just as `before` says. Of all others nothing is known."""

    def create(self, object_type: ObjectType, writes: Sequence[Write]) -> list[WriteResult]: ...

    def update(self, object_type: ObjectType, writes: Sequence[Write]) -> list[WriteResult]: ...

    def delete(self, object_type: ObjectType, writes: Sequence[Write]) -> list[WriteResult]: ...

    def kept_otherwise(
        self, object_type: ObjectType, writes: Sequence[Write]
    ) -> Mapping[int, tuple[str, ...] | Refusal]:
        """Place of a write that was done to names of its fields of which the row holds something else since.

        Or to why the row could not be read.
        """

    def record_seen(self, object_type: ObjectType, corrections: Sequence[Correction]) -> None:
        """Records the versions of corrections that found nothing left to write, where none newer is recorded."""


class StateWriter(Protocol):
    @property
    def catalog(self) -> Catalog: ...

    def transaction(self, districts: Collection[str]) -> AbstractContextManager[StateTransaction]:
        """Commits on leaving; one transaction a district at a time, across all processes.

        Raises StateUnavailable, from entering, from any call inside and from leaving.
        """

    def make(self, object_type: ObjectType, writes: Sequence[Write]) -> Made | None:
        """Of what does not depend on the state's rows, for a transaction to come; None where that is not known yet.

        Asks the database nothing, so another thread may be in a transaction meanwhile.
        """

    def prune(self, now: datetime) -> int:
        """Forgets a bounded number of answers kept too long; called when idle. Raises StateUnavailable."""
