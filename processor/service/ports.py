"""What the use cases need from the outside, as protocols that adapters fulfil."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from processor.core.chosen import Chosen
from processor.core.digest import Digest
from processor.core.lines import Lines
from processor.core.snapshot import DistrictRead, SameRead, SideRead
from processor.core.window import Page

Target: TypeAlias = tuple[str, str]
"""District and object."""
Wanted: TypeAlias = Mapping[Target, Sequence[str]]
"""To distinct canonical keys."""
NONE_WANTED: Wanted = {}


class SnapshotUnavailable(Exception):
    """A database could not be read now; the message names it and the fault, and holds no value."""


class SnapshotImpossible(SnapshotUnavailable):
    """Waiting does not help: the database lacks, or does not give, what the catalog names (ADR 0170)."""


class ReadTimedOut(SnapshotUnavailable):
    """A database is there, but ended a read that took longer than its statement timeout."""


@dataclass(frozen=True, slots=True)
class BothSides:
    """Of these keys, by one read of each side."""

    keys: Sequence[str]
    district: DistrictRead
    state: SideRead


class Snapshots(Protocol):
    """Reads both sides."""

    def read(
        self, wanted: Wanted, by_rows: Wanted = NONE_WANTED
    ) -> Mapping[Target, Sequence[BothSides | SameRead] | SnapshotUnavailable]:
        """One entry for each of `wanted`, each of its keys in one read.

        Of keys that are the same on both sides the rows may be left out, but not of `by_rows`, which are among them.
        Blocks, at most about twice as long as the databases' statement timeout.
        """
        ...

    def children(self, district_id: str, object_name: str, parent_keys: Sequence[str], limit: int) -> list[str]:
        """Keys of an object's records that either side holds below these parents; of each side at most `limit`.

        Raises SnapshotUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known before a scan. `rows` is the servers' estimate of the larger side.

    `lacking` are the statements that make the indexes without which the scan would read whole tables.
    """

    rows: int
    lacking: Sequence[str] = ()


class Scans(Protocol):
    """Reads all rows of an object of a district, a page at a time, in the order of their keys.

    With `chosen` only those that either side chooses: then `size` rows of a side are looked at, and few or none given.
    All methods block at most a few times as long as the databases' statement timeout, and raise SnapshotUnavailable.
    """

    def survey(self, district_id: str, object_name: str, chosen: Chosen | None = None) -> Survey: ...

    def pages(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Page, Page]:
        """Of the district and of the state: `size` rows each, more only where the last key has more; read at one time.

        Raises ReadTimedOut too, and Disordered with `chosen`.
        """
        ...

    def lines(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Lines | Page, Lines | Page] | None:
        """As `pages`, with one digest for the columns of a row; None where none would tell what a comparison does.

        Raises ReadTimedOut too.
        """
        ...

    def digests(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Digest, Digest] | None:
        """Of the rows that `pages` would give; None where no digest would tell what a comparison does.

        Raises ReadTimedOut too.
        """
        ...
