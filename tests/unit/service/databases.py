"""The port that reads both sides, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from processor.core.snapshot import DistrictRead, Row, SideRead
from processor.service.ports import BothSides, SnapshotImpossible, SnapshotUnavailable
from tests.unit.core.builders import READ_AT, VERSION

Target: TypeAlias = tuple[str, str]
"""District and object."""


@dataclass(slots=True)
class Databases:
    """`away` cannot be read now, `lacking` never; `asked` tells what was."""

    district: dict[Target, dict[str, tuple[Row, ...]]] = field(default_factory=dict)
    state: dict[Target, dict[str, tuple[Row, ...]]] = field(default_factory=dict)
    below: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    """Keys of an object below a parent, by district, object and the parent's key."""
    away: set[Target] = field(default_factory=set)
    lacking: set[Target] = field(default_factory=set)
    asked: list[dict[Target, list[str]]] = field(default_factory=list)

    def read(self, wanted: Mapping[Target, Sequence[str]]) -> Mapping[Target, BothSides | SnapshotUnavailable]:
        self.asked.append({target: list(keys) for target, keys in wanted.items()})
        return {target: self._read(target) for target in wanted}

    def children(self, district_id: str, object_name: str, parent_keys: Sequence[str], limit: int) -> list[str]:
        if (district_id, object_name) in self.away:
            raise SnapshotUnavailable(f"district {district_id}: away")
        if (district_id, object_name) in self.lacking:
            raise SnapshotImpossible(f"district {district_id}: no such column")
        below = (self.below.get((district_id, object_name, key), []) for key in parent_keys)
        return [key for keys in below for key in keys][:limit]

    def _read(self, target: Target) -> BothSides | SnapshotUnavailable:
        if target in self.away:
            return SnapshotUnavailable(f"district {target[0]}: away")
        if target in self.lacking:
            return SnapshotImpossible(f"district {target[0]}: no such column")
        return BothSides(
            DistrictRead(self.district.get(target, {}), READ_AT, VERSION), SideRead(self.state.get(target, {}), READ_AT)
        )
