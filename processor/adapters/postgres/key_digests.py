"""Keys that are the same on both sides, told by a digest of each row, so that no columns are fetched (ADR 0226)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.database import Database, Unreadable
from processor.adapters.postgres.digest_sql import packed
from processor.adapters.postgres.packed import lines_of
from processor.adapters.postgres.snapshot_sql import place_of_key, rows_of_keys, versioned
from processor.core.catalog import Table
from processor.core.lines import Lines
from processor.service.ports import SnapshotImpossible


@dataclass(frozen=True, slots=True)
class Told:
    """One side's rows of some keys as digests, in no order, by one statement; and the version of its snapshot."""

    xmax: int
    in_progress: int
    lines: Lines
    read_at: datetime


class DigestQuestion:
    """How one side is asked for digests; `line` is that of a row, over `t`."""

    def __init__(self, table: Table, line: sql.Composed) -> None:
        self.table = table.name
        rows = rows_of_keys(table, [place_of_key(table), line])
        self._statement = versioned(packed(rows, table.key_type))

    def put(self, database: Database, district_id: str, keys: Sequence[str]) -> Told:
        """Raises SnapshotUnavailable; SnapshotImpossible where only the columns can tell what is the matter."""
        read_at = datetime.now(UTC)
        try:
            rows = database.rows(
                self._statement, {"district_id": district_id, "keys": array_literal(keys)}, binary=True
            )
        except Unreadable as fault:
            raise SnapshotImpossible(f"{database.name}: a key or a value cannot be read ({fault})") from fault
        ((xmax, in_progress, places, digests),) = rows
        return Told(xmax, in_progress, lines_of(places, digests), read_at)
