"""The port that reads both sides, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from processor.core.snapshot import DistrictRead, Row, SideRead
from processor.service.ports import BothSides, SnapshotUnavailable
from tests.unit.core.builders import READ_AT, VERSION

Target: TypeAlias = tuple[str, str]
"""District and object."""


@dataclass(slots=True)
class Databases:
    """`away` cannot be read; `asked` tells what was."""

    district: dict[Target, dict[str, tuple[Row, ...]]] = field(default_factory=dict)
    state: dict[Target, dict[str, tuple[Row, ...]]] = field(default_factory=dict)
    away: set[Target] = field(default_factory=set)
    asked: list[dict[Target, list[str]]] = field(default_factory=list)

    def read(self, wanted: Mapping[Target, Sequence[str]]) -> Mapping[Target, BothSides | SnapshotUnavailable]:
        self.asked.append({target: list(keys) for target, keys in wanted.items()})
        return {target: self._read(target) for target in wanted}

    def _read(self, target: Target) -> BothSides | SnapshotUnavailable:
        if target in self.away:
            return SnapshotUnavailable(f"district {target[0]}: away")
        return BothSides(
            DistrictRead(self.district.get(target, {}), READ_AT, VERSION), SideRead(self.state.get(target, {}), READ_AT)
        )
