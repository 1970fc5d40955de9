"""What becomes of keys, by digests or texts of their rows and by their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.core.correction import Source
from processor.core.digest import LEAST_KEYS
from processor.core.history import Sent
from processor.core.plan import Plan
from processor.core.snapshot import DistrictVersion, SameRead
from processor.service.ports import NONE_WANTED, BothSides, SnapshotUnavailable, Wanted
from processor.service.resync import observe, resync
from tests.integration.scan.world import World
from tests.unit.core.builders import NOW, chunk

TARGET = ("D", "Item")
NO_VERSION = DistrictVersion(0, 0, 0)
NO_KEYS = [f"{number:08x}-0000-0000-0000-000000000000" for number in range(100)]
"""Nobody has them, and with them there are enough for digests."""


@dataclass(frozen=True, slots=True)
class ByColumns:
    """The port, with no use made of digests or texts: so few keys are read at a time."""

    snapshots: PostgresSnapshots

    def read(
        self,
        wanted: Wanted,
        by_rows: Wanted = NONE_WANTED,  # noqa: ARG002 (the port's)
    ) -> Mapping[tuple[str, str], Sequence[BothSides | SameRead] | SnapshotUnavailable]:
        found: list[BothSides | SameRead] = []
        for begin in range(0, len(wanted[TARGET]), LEAST_KEYS - 1):
            some = {TARGET: wanted[TARGET][begin : begin + LEAST_KEYS - 1]}
            read = self.snapshots.read(some, some)[TARGET]
            assert not isinstance(read, SnapshotUnavailable), read
            found += read
        return {TARGET: found}

    def children(self, district_id: str, object_name: str, parent_keys: Sequence[str], limit: int) -> list[str]:
        return self.snapshots.children(district_id, object_name, parent_keys, limit)


def plans(made: World, keys: Sequence[str], **wish: Any) -> tuple[Plan, Plan]:
    """By digests or texts, then by columns; without the times and versions of the reads."""
    asked = chunk(*keys, object_name="Item", district_id="D", **wish)
    both = (
        resync(observe([asked], snapshots, made.catalog), made.catalog, NOW)
        for snapshots in (made.snapshots, ByColumns(made.snapshots))
    )
    one, other = (
        replace(
            plan,
            history=[_sent_timeless(each) if isinstance(each, Sent) else each for each in plan.history],
            corrections=[replace(each, source=_timeless(each.source)) for each in plan.corrections],
        )
        for plan in both
    )
    return one, other


def read(made: World, keys: Sequence[str]) -> tuple[list[SameRead], list[BothSides]]:
    """What is told to be the same, and what is given row by row."""
    found = made.snapshots.read({TARGET: keys})[TARGET]
    assert not isinstance(found, SnapshotUnavailable), found
    same = [each for each in found if isinstance(each, SameRead)]
    return same, [each for each in found if isinstance(each, BothSides)]


def _sent_timeless(sent: Sent) -> Sent:
    return replace(sent, sources=[_timeless(source) for source in sent.sources])


def _timeless(source: Source) -> Source:
    return replace(source, district_version=NO_VERSION, district_read_at=NOW, state_read_at=NOW)
