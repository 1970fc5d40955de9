"""What the use cases need from the outside, as protocols that adapters fulfil."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from processor.core.snapshot import DistrictRead, SideRead

Wanted: TypeAlias = Mapping[tuple[str, str], Sequence[str]]
"""(district_id, object) to distinct canonical keys."""


class SnapshotUnavailable(Exception):
    """A database could not be read now; the message names it and the fault, and holds no value."""


class SnapshotImpossible(SnapshotUnavailable):
    """Waiting does not help: the database lacks, or does not give, what the catalog names (ADR 0170)."""


@dataclass(frozen=True, slots=True)
class BothSides:
    district: DistrictRead
    state: SideRead


class Snapshots(Protocol):
    """Reads both sides."""

    def read(self, wanted: Wanted) -> Mapping[tuple[str, str], BothSides | SnapshotUnavailable]:
        """One entry for each of `wanted`. Blocks, at most about as long as the databases' statement timeout."""
        ...

    def children(self, district_id: str, object_name: str, parent_keys: Sequence[str], limit: int) -> list[str]:
        """Keys of an object's records that either side holds below these parents; of each side at most `limit`.

        Raises SnapshotUnavailable.
        """
        ...
