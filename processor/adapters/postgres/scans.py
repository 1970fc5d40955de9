"""Reads all rows of an object in the order of their keys, a page at a time, both sides at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, TypeAlias, TypeVar

from psycopg import sql
from psycopg.rows import TupleRow

from processor.adapters.postgres.database import Database, Unreadable
from processor.adapters.postgres.digest_sql import SAMPLE, DigestStatements, digest_statements, types_statement
from processor.adapters.postgres.patience import answer
from processor.adapters.postgres.scan_sql import (
    IN_ORDER,
    PageStatements,
    district_pages,
    explained,
    is_served,
    state_pages,
)
from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.core.catalog import Catalog
from processor.core.digest import Digest
from processor.core.scan import Page
from processor.service.ports import SnapshotImpossible, Survey

THREADS = 4
"""Two a part: as many as are read at once."""

Read = TypeVar("Read")
Statements: TypeAlias = dict[PageStatements, DigestStatements]


class PostgresScans:
    """The `Scans` port on Postgres, by the connections of `snapshots`."""

    def __init__(self, catalog: Catalog, snapshots: PostgresSnapshots) -> None:
        self._snapshots = snapshots
        self._sides = {name: (district_pages(kind), state_pages(kind)) for name, kind in catalog.objects.items()}
        self._kinds = catalog.objects
        self._digests: dict[tuple[str, str], Statements | None] = {}
        self._threads = ThreadPoolExecutor(THREADS, "scan")

    def survey(self, district_id: str, object_name: str) -> Survey:
        """See the port."""
        found = self._both(district_id, object_name, lambda database, side: _survey(database, side, district_id))
        lacking = [
            f"{database.name}: {side.index}"
            for (database, side), (_, served) in zip(self._places(district_id, object_name), found, strict=True)
            if not served
        ]
        return Survey(max(rows for rows, _ in found), lacking)

    def count(self, district_id: str, object_name: str) -> int:
        """See the port."""
        asked = {"district_id": district_id}
        return max(
            self._both(district_id, object_name, lambda database, side: int(database.rows(side.count, asked)[0][0]))
        )

    def pages(self, district_id: str, object_name: str, after: str | None, size: int) -> tuple[Page, Page]:
        """See the port."""
        asked = {"district_id": district_id, "after": after, "size": size}
        ours, theirs = self._both(
            district_id,
            object_name,
            lambda database, side: _page(database, side.next if after is not None else side.first, asked),
        )
        return ours, theirs

    def lines(self, district_id: str, object_name: str, after: str | None, size: int) -> tuple[Page, Page] | None:
        """See the port."""
        asked = {"district_id": district_id, "after": after, "size": size}
        return self._hashed(
            district_id,
            object_name,
            after,
            lambda database, made: _page(database, made.lines[after is not None], asked),
        )

    def digests(self, district_id: str, object_name: str, after: str | None, size: int) -> tuple[Digest, Digest] | None:
        """See the port."""
        asked = {"district_id": district_id, "after": after, "size": size}
        return self._hashed(
            district_id,
            object_name,
            after,
            lambda database, made: Digest(*database.rows(made.windows[after is not None], asked, IN_ORDER)[0]),
        )

    def _hashed(
        self, district_id: str, object_name: str, after: str | None, read: Callable[[Database, DigestStatements], Read]
    ) -> tuple[Read, Read] | None:
        """What both sides read by digests; None where digests cannot tell."""
        known = self._known(district_id, object_name, after)
        if known is None:
            return None
        ours, theirs = self._both(district_id, object_name, lambda database, side: read(database, known[side]))
        return ours, theirs

    def _known(self, district_id: str, object_name: str, after: str | None) -> "Statements | None":
        """What the servers are like is asked once for each object of a district, and again where a scan begins."""
        place = (district_id, object_name)
        if after is None or place not in self._digests:
            self._digests[place] = self._statements(district_id, object_name)
        return self._digests[place]

    def _statements(self, district_id: str, object_name: str) -> Statements | None:
        """None where digests cannot tell, or the servers do not agree about them."""
        samples = self._both(district_id, object_name, lambda database, _: database.rows(SAMPLE, {})[0])
        if samples[0] != samples[1] or not samples[0][0]:
            return None
        types = self._both(
            district_id, object_name, lambda database, side: database.rows(types_statement(side.table), {})
        )
        kind, made = self._kinds[object_name], Statements()
        for (_, side), columns, at_state in zip(
            self._places(district_id, object_name), types, (False, True), strict=True
        ):
            statements = digest_statements(kind, side, dict(columns), at_state=at_state)
            if statements is None:
                return None
            made[side] = statements
        return made

    def close(self) -> None:
        self._threads.shutdown()

    def _places(self, district_id: str, object_name: str) -> list[tuple[Database, PageStatements]]:
        databases = (self._snapshots.districts[district_id], self._snapshots.state)
        return list(zip(databases, self._sides[object_name], strict=True))

    def _both(self, district_id: str, object_name: str, read: Callable[[Database, PageStatements], Read]) -> list[Read]:
        patience_s = self._snapshots.patience_s
        asked = [
            (db, self._threads.submit(_readable, read, db, side)) for db, side in self._places(district_id, object_name)
        ]
        return [answer(database, future, patience_s) for database, future in asked]


def _readable(read: Callable[[Database, PageStatements], Read], database: Database, side: PageStatements) -> Read:
    """One value that cannot be given spoils a page; nobody can tell which."""
    try:
        return read(database, side)
    except Unreadable as fault:
        raise SnapshotImpossible(
            f"{database.name}: a key or a value of table {side.table.name} cannot be read ({fault}); verify by keys"
        ) from fault


def _page(database: Database, statement: sql.Composed, asked: dict[str, Any]) -> Page:
    rows = database.rows(statement, asked, IN_ORDER)
    grouped = groupby(rows, key=lambda row: row[0])
    return Page({key: tuple(row[2:] for row in of_key) for key, of_key in grouped}, len(rows) >= asked["size"])


def _survey(database: Database, side: PageStatements, district_id: str) -> tuple[int, bool]:
    """About how many rows there are, and whether an index gives them in order."""
    asked = {"district_id": district_id, "after": side.some_key, "size": 1_000}
    estimated = _plan(database.rows(explained(side.all), asked))
    wanted = _plan(database.rows(explained(side.next), asked, IN_ORDER))
    return int(estimated["Plan Rows"]), is_served(wanted, side.table)


def _plan(rows: list[TupleRow]) -> dict[str, Any]:
    plan: dict[str, Any] = rows[0][0][0]["Plan"]
    return plan
