"""Both sides of an object, read at the same time by statements of each side's own."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from psycopg import sql
from psycopg.rows import TupleRow

from processor.adapters.postgres.database import Database, Unreadable
from processor.adapters.postgres.packed import lines_of
from processor.adapters.postgres.patience import answer
from processor.adapters.postgres.scan_ranges import Range, look
from processor.adapters.postgres.scan_sql import IN_ORDER, PageStatements, district_pages, state_pages
from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.core.catalog import Catalog
from processor.core.lines import Lines
from processor.core.window import Page
from processor.service.ports import SnapshotImpossible

Read = TypeVar("Read")
PARTS_AT_ONCE = 2


class ScanSides:
    """By the connections of `snapshots`."""

    def __init__(self, catalog: Catalog, snapshots: PostgresSnapshots) -> None:
        self._snapshots = snapshots
        self._statements = {name: (district_pages(kind), state_pages(kind)) for name, kind in catalog.objects.items()}
        readers = max(sum(map(len, snapshots.readers(district_id))) for district_id in catalog.districts)
        self._threads = ThreadPoolExecutor(PARTS_AT_ONCE * readers, "scan")

    def places(self, district_id: str, object_name: str) -> list[tuple[Database, PageStatements]]:
        """The district's, then the state's."""
        databases = (self._snapshots.districts[district_id], self._snapshots.state)
        return list(zip(databases, self._statements[object_name], strict=True))

    def both(self, district_id: str, object_name: str, read: Callable[[Database, PageStatements], Read]) -> list[Read]:
        """What both sides give, the district first. Raises SnapshotUnavailable."""
        patience_s = self._snapshots.patience_s
        asked = [
            (db, self._threads.submit(_readable, read, db, side)) for db, side in self.places(district_id, object_name)
        ]
        return [answer(database, future, patience_s) for database, future in asked]

    def in_ranges(
        self,
        district_id: str,
        object_name: str,
        whole: Range,
        read: Callable[[Database, PageStatements, Range], Read],
    ) -> tuple[list[Read], list[Read]]:
        """What the readers of both sides give of the rows after a key, the district first; in order of the keys.

        Raises SnapshotUnavailable.
        """
        ours, theirs = self._snapshots.readers(district_id)
        our_side, their_side = self._statements[object_name]
        numbers = {our_side: len(ours), their_side: len(theirs)}
        ranges = self.both(
            district_id, object_name, lambda database, side: look(database, side, district_id, whole, numbers[side])
        )
        asked = [
            [
                (database, self._threads.submit(_readable, partial(_read_range, read, part), database, side))
                for database, part in zip(readers, parts, strict=False)
            ]
            for readers, side, parts in zip((ours, theirs), (our_side, their_side), ranges, strict=True)
        ]
        patience_s = self._snapshots.patience_s
        found = [[answer(database, future, patience_s) for database, future in side] for side in asked]
        return found[0], found[1]

    def close(self) -> None:
        self._threads.shutdown()


def _read_range(
    read: Callable[[Database, PageStatements, Range], Read], part: Range, database: Database, side: PageStatements
) -> Read:
    return read(database, side, part)


def read_page(database: Database, statement: sql.Composed, asked: dict[str, Any], upto: str | None = None) -> Page:
    """Of rows (key, place, *columns)."""
    rows = database.rows(statement, asked, IN_ORDER)
    return Page(_by_key(rows), len(rows) >= asked["size"], upto)


def read_lines(database: Database, statement: sql.Composed, asked: dict[str, Any]) -> Lines:
    """Of the one row (keys, digests) of `packed`."""
    ((keys, digests),) = database.rows(statement, asked, IN_ORDER, binary=True)
    lines = lines_of(keys, digests)
    return replace(lines, is_full=len(lines.places) >= asked["size"])


def _by_key(rows: list[TupleRow]) -> Mapping[str, tuple[TupleRow, ...]]:
    """Most often there is one row a key."""
    if len({row[0] for row in rows}) == len(rows):
        return {row[0]: (row[2:],) for row in rows}
    return {key: tuple(row[2:] for row in of_key) for key, of_key in groupby(rows, key=itemgetter(0))}


def _readable(read: Callable[[Database, PageStatements], Read], database: Database, side: PageStatements) -> Read:
    """One value that cannot be given spoils a page; nobody can tell which."""
    try:
        return read(database, side)
    except Unreadable as fault:
        raise SnapshotImpossible(
            f"{database.name}: a key or a value of table {side.table.name} cannot be read ({fault}); verify by keys"
        ) from fault
