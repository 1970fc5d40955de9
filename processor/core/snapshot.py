"""What was read from both sides, as the decisions see it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import TypeAlias

from processor.core.errors import Reason
from processor.core.frozen import dataclass

Row: TypeAlias = tuple[str | None, ...]
"""Raw column texts in the order of `ObjectType.compared`."""


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
class KeyFault:
    """Why a side cannot be asked for a key, or cannot give its row; `field` is the one that cannot be given."""

    reason: Reason
    detail: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class SideRead:
    """Rows of one read of one side, by canonical key; a key may have several rows, or none and then no entry.

    Of a key in `faults` nothing is known but that.
    """

    rows: Mapping[str, tuple[Row, ...]]
    read_at: datetime
    faults: Mapping[str, KeyFault] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, slots=True)
class DistrictRead(SideRead):
    version: DistrictVersion


@dataclass(frozen=True, slots=True)
class SameRead:
    """Keys of which each side has one row, and both are equal in all fields; their columns were not read (ADR 0226)."""

    keys: Sequence[str]
    district_version: DistrictVersion
    district_read_at: datetime
    state_read_at: datetime


UNREAD: Row = ()
"""A row that is there and whose columns were not read."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One key as both sides hold it, and when each was read."""

    district: tuple[Row, ...]
    state: tuple[Row, ...]
    district_version: DistrictVersion
    district_read_at: datetime
    state_read_at: datetime
    fault: KeyFault | None = None
    is_same: bool = False
    """Each side has one row, `UNREAD`, and both are equal in all fields."""


@dataclass(slots=True)
class Snapshot:
    """Keys of one district observed so far, by object and key. A key keeps its first observation."""

    district_id: str
    observed: dict[str, dict[str, Observed]] = field(default_factory=dict)

    def add(self, object_name: str, keys: Iterable[str], district: DistrictRead, state: SideRead) -> None:
        """Takes in one read of both sides."""
        seen = self.observed.setdefault(object_name, {})
        for key in keys:
            if key not in seen:
                seen[key] = Observed(
                    district.rows.get(key, ()),
                    state.rows.get(key, ()),
                    district.version,
                    district.read_at,
                    state.read_at,
                    district.faults.get(key) or state.faults.get(key),
                )

    def add_same(self, object_name: str, read: SameRead) -> None:
        """Takes in keys that need no look at what they hold."""
        same = Observed(
            (UNREAD,), (UNREAD,), read.district_version, read.district_read_at, read.state_read_at, is_same=True
        )
        self.observed[object_name] = dict.fromkeys(read.keys, same) | self.observed.get(object_name, {})

    def get(self, object_name: str, key: str) -> Observed | None:
        return self.of(object_name).get(key)

    def of(self, object_name: str) -> Mapping[str, Observed]:
        """What was observed of an object, by key."""
        return self.observed.get(object_name, {})
