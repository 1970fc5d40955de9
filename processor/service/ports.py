"""What the use cases need from the outside, as protocols that adapters fulfil."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from processor.core.snapshot import DistrictRead, SideRead

Wanted: TypeAlias = Mapping[tuple[str, str], Sequence[str]]
"""(district_id, object) to distinct canonical keys."""


class SnapshotUnavailable(Exception):
    """A database could not be read now; the message names it and the fault, and holds no value."""


@dataclass(frozen=True, slots=True)
class BothSides:
    district: DistrictRead
    state: SideRead


class Snapshots(Protocol):
    """Reads both sides."""

    def read(self, wanted: Wanted) -> Mapping[tuple[str, str], BothSides | SnapshotUnavailable]:
        """One entry for each of `wanted`. Blocks, at most about as long as the databases' statement timeout."""
        ...
