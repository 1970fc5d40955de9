"""Reads all rows of an object in the order of their keys, or those that a filter chooses, a page at a time."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from psycopg import sql
from psycopg.rows import TupleRow

from processor.adapters.postgres.chosen_rows import ChosenRows, Where, where_of
from processor.adapters.postgres.database import Database
from processor.adapters.postgres.digest_sql import packed, sum_of
from processor.adapters.postgres.known_digests import KnownDigests
from processor.adapters.postgres.scan_ranges import Range, joined_digests, joined_lines, joined_pages
from processor.adapters.postgres.scan_sides import ScanSides, read_lines, read_page
from processor.adapters.postgres.scan_sql import IN_ORDER, PageStatements, explained, is_served
from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.core.catalog import Catalog
from processor.core.chosen import Chosen
from processor.core.digest import Digest
from processor.core.lines import Lines
from processor.core.request import Side
from processor.core.window import Page
from processor.service.ports import Survey

LineOf: TypeAlias = dict[PageStatements, sql.Composed]
_EVERY_ROW = Where(sql.SQL("true"), {})


class PostgresScans:
    """The `Scans` port on Postgres, by the connections of `snapshots`."""

    def __init__(
        self, catalog: Catalog, snapshots: PostgresSnapshots, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sides = ScanSides(catalog, snapshots)
        self._kinds = catalog.objects
        self._digests = KnownDigests(catalog, snapshots.asked_of_both, clock)

    def survey(self, district_id: str, object_name: str, chosen: Chosen | None = None) -> Survey:
        """See the port."""
        (_, ours), _ = places = self._sides.places(district_id, object_name)

        def read(database: Database, side: PageStatements) -> tuple[int, bool]:
            which = Side.DISTRICT if side is ours else Side.STATE
            where = _EVERY_ROW if chosen is None else where_of(database, chosen, which)
            return _survey(database, side, district_id, where)

        found = self._sides.both(district_id, object_name, read)
        lacking = [
            f"{database.name}: {side.index}"
            for (database, side), (_, served) in zip(places, found, strict=True)
            if not served
        ]
        return Survey(max(rows for rows, _ in found), lacking)

    def pages(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Page, Page]:
        """See the port."""
        if chosen is not None:
            rows = ChosenRows(self._sides, district_id, self._kinds[object_name], chosen, after=after, size=size)
            return rows.pages(lambda side: side.columns)

        def read(database: Database, side: PageStatements, part: Range) -> Page:
            return read_page(database, part.rows(side, side.columns), part.asked(district_id))

        ours, theirs = self._sides.in_ranges(district_id, object_name, Range(after, None, size), read)
        return joined_pages(ours), joined_pages(theirs)

    def lines(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Lines | Page, Lines | Page] | None:
        """See the port."""
        known = self._known(district_id, object_name, after)
        if known is None:
            return None
        if chosen is not None:
            rows = ChosenRows(self._sides, district_id, self._kinds[object_name], chosen, after=after, size=size)
            return rows.pages(lambda side: [known[side]])
        key_type = self._kinds[object_name].key_type

        def read(database: Database, side: PageStatements, part: Range) -> Lines:
            statement = packed(part.rows(side, [known[side]]), key_type)
            return read_lines(database, statement, part.asked(district_id))

        ours, theirs = self._sides.in_ranges(district_id, object_name, Range(after, None, size), read)
        return joined_lines(ours), joined_lines(theirs)

    def digests(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Digest, Digest] | None:
        """See the port."""
        known = self._known(district_id, object_name, after)
        if chosen is not None:
            return ChosenRows(
                self._sides, district_id, self._kinds[object_name], chosen, after=after, size=size
            ).digests(known)
        if known is None:
            return None
        key_type = self._kinds[object_name].key_type

        def read(database: Database, side: PageStatements, part: Range) -> Digest:
            statement = sum_of(part.rows(side, [known[side]]), key_type)
            digest = Digest(*database.rows(statement, part.asked(district_id), IN_ORDER)[0])
            return replace(digest, upto=digest.last) if digest.rows >= part.size else digest

        ours, theirs = self._sides.in_ranges(district_id, object_name, Range(after, None, size), read)
        return joined_digests(ours), joined_digests(theirs)

    def close(self) -> None:
        self._sides.close()

    def _known(self, district_id: str, object_name: str, after: str | None) -> LineOf | None:
        """What the servers are like is asked where a scan begins, and again after a while."""
        found = self._digests.of(district_id, object_name, anew=after is None)
        if found is None:
            return None
        (_, ours), (_, theirs) = self._sides.places(district_id, object_name)
        return {ours: found.district, theirs: found.state}


def _survey(database: Database, side: PageStatements, district_id: str, where: Where) -> tuple[int, bool]:
    """About how many rows there are, and whether an index gives them in order; none where the side cannot tell."""
    asked: dict[str, Any] = {"district_id": district_id, "after": side.some_key, "size": 1_000, **where.parameters}
    wanted = _plan(database.rows(explained(side.next), asked, IN_ORDER))
    if where.condition is None:
        return 0, is_served(wanted, side.table)
    estimated = _plan(database.rows(explained(side.all(where.condition)), asked))
    return int(estimated["Plan Rows"]), is_served(wanted, side.table)


def _plan(rows: list[TupleRow]) -> dict[str, Any]:
    plan: dict[str, Any] = rows[0][0][0]["Plan"]
    return plan
