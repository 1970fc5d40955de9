"""The port that reads both sides, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from processor.core.chosen import Chosen
from processor.core.digest import Digest
from processor.core.snapshot import DistrictRead, Row, SameRead, SideRead
from processor.core.window import Page
from processor.service.ports import (
    NONE_WANTED,
    BothSides,
    ReadTimedOut,
    SnapshotImpossible,
    SnapshotUnavailable,
    Survey,
    Wanted,
)
from tests.unit.core.builders import CATALOG, READ_AT, VERSION, chosen_pages, digests, lines, page

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
    slow_above: int | None = None
    """Pages of more rows are not read in time."""
    slow_keys: dict[Target, set[str]] = field(default_factory=dict)
    """Whatever asks for one of these is not read in time."""
    digested: list[int] = field(default_factory=list)
    without_index: tuple[str, ...] = ()
    asked: list[dict[Target, list[str]]] = field(default_factory=list)
    asked_by_rows: list[dict[Target, list[str]]] = field(default_factory=list)

    def read(
        self, wanted: Wanted, by_rows: Wanted = NONE_WANTED
    ) -> Mapping[Target, Sequence[BothSides | SameRead] | SnapshotUnavailable]:
        self.asked.append({target: list(keys) for target, keys in wanted.items()})
        self.asked_by_rows.append({target: list(keys) for target, keys in by_rows.items()})
        return {target: self._read(target, keys) for target, keys in wanted.items()}

    def children(self, district_id: str, object_name: str, parent_keys: Sequence[str], limit: int) -> list[str]:
        if (district_id, object_name) in self.away:
            raise SnapshotUnavailable(f"district {district_id}: away")
        if (district_id, object_name) in self.lacking:
            raise SnapshotImpossible(f"district {district_id}: no such column")
        below = (self.below.get((district_id, object_name, key), []) for key in parent_keys)
        return [key for keys in below for key in keys][:limit]

    def survey(self, district_id: str, object_name: str, chosen: Chosen | None = None) -> Survey:  # noqa: ARG002 (the port's)
        target = (district_id, object_name)
        self._check(target)
        return Survey(max(len(side.get(target, {})) for side in (self.district, self.state)), self.without_index)

    def pages(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Page, Page]:
        target = (district_id, object_name)
        self._check(target)
        if self.slow_above is not None and size > self.slow_above:
            raise ReadTimedOut(f"district {district_id}: too slow")
        sides = self.district.get(target, {}), self.state.get(target, {})
        if chosen is not None:
            return chosen_pages(CATALOG.objects[object_name], *sides, chosen, after=after, size=size)
        return page(sides[0], after, size), page(sides[1], after, size)

    def lines(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Page, Page] | None:
        return lines(CATALOG.objects[object_name], *self.pages(district_id, object_name, after, size, chosen))

    def digests(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Digest, Digest] | None:
        self.digested.append(size)
        return digests(CATALOG.objects[object_name], *self.pages(district_id, object_name, after, size, chosen))

    def _check(self, target: Target) -> None:
        if target in self.lacking:
            raise SnapshotImpossible(f"district {target[0]}: lacks a column")
        if target in self.away:
            raise SnapshotUnavailable(f"district {target[0]}: away")

    def _read(self, target: Target, keys: Sequence[str]) -> Sequence[BothSides] | SnapshotUnavailable:
        if target in self.slow_keys and not self.slow_keys[target].isdisjoint(keys):
            return ReadTimedOut(f"district {target[0]}: too slow")
        if target in self.away:
            return SnapshotUnavailable(f"district {target[0]}: away")
        if target in self.lacking:
            return SnapshotImpossible(f"district {target[0]}: no such column")
        return [
            BothSides(
                keys,
                DistrictRead(self.district.get(target, {}), READ_AT, VERSION),
                SideRead(self.state.get(target, {}), READ_AT),
            )
        ]
