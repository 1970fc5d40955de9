"""Reads of the rows after a key those that a filter chooses, however few they are (ADR 0212).

So that each read is short, it looks at a number of rows and not for a number of them: first both sides are asked where
so many rows end, then both for what they choose up to the first of these two keys.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from psycopg import sql
from psycopg.rows import TupleRow

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.condition_sql import condition_sql, tables_of
from processor.adapters.postgres.database import Database
from processor.adapters.postgres.digest_sql import sum_of
from processor.adapters.postgres.finder import column_types
from processor.adapters.postgres.scan_sides import Read, ScanSides, read_page
from processor.adapters.postgres.scan_sql import IN_ORDER, PageStatements
from processor.core.catalog import ObjectType
from processor.core.chosen import Chosen
from processor.core.digest import Digest
from processor.core.keys import is_canonical
from processor.core.request import Side
from processor.core.snapshot import Row
from processor.core.window import Page, place_of, scan_order

ColumnsOf: TypeAlias = Callable[[PageStatements], Sequence[sql.Composed]]


@dataclass(frozen=True, slots=True)
class Where:
    """A side's condition; None where it cannot tell. Parameters are named `p0`, `p1` and so on."""

    condition: sql.Composable | None
    parameters: Mapping[str, str]


def where_of(database: Database, chosen: Chosen, side: Side) -> Where:
    """The types of columns are asked for: those that hold nothing but values are compared as they are."""
    condition = chosen.get(side)
    if condition is None:
        return Where(None, {})
    return Where(*condition_sql(condition, side, column_types(database, tables_of(condition, side))))


class ChosenRows:
    """Of one part of a scan: the `size` rows of a side that follow a key are looked at."""

    def __init__(
        self, sides: ScanSides, district_id: str, kind: ObjectType, chosen: Chosen, *, after: str | None, size: int
    ) -> None:
        """Asks both sides. Raises SnapshotUnavailable, and Disordered where a key has no place."""
        self._sides = sides
        self._place = (district_id, kind.name)
        self._kind = kind
        self._is_first = after is None
        (_, self._ours), (_, self._theirs) = sides.places(*self._place)
        self._asked: dict[str, Any] = {"district_id": district_id, "after": after, "size": size}

        def look(database: Database, side: PageStatements) -> tuple[Where, str | None]:
            where = where_of(database, chosen, Side.DISTRICT if side is self._ours else Side.STATE)
            if where.condition is None:
                return where, None
            rows = database.rows(side.last(first=self._is_first), self._asked, IN_ORDER)
            return where, rows[0][0] if rows else None

        (ours, our_end), (theirs, their_end) = self._both(look)
        self._wheres = {self._ours: ours, self._theirs: theirs}
        ends = [end for end in (our_end, their_end) if end is not None]
        self._upto: str | None = min(ends, key=place_of(scan_order(kind)), default=None)

    def pages(self, columns_of: ColumnsOf) -> tuple[Page, Page]:
        """All rows of the keys that a side chooses, and beside them those of keys that the other alone chooses."""

        def read(database: Database, side: PageStatements) -> Page:
            asked = self._chosen(side, columns_of(side))
            if asked is None:
                return Page({}, is_full=False, upto=self._upto)
            return read_page(database, *asked, self._upto)

        ours, theirs = self._both(read)
        if not (ours.rows or theirs.rows):
            return ours, theirs
        our_repeated, their_repeated = self._repeated()
        wanted = {
            self._ours: self._incomplete(ours, theirs, our_repeated),
            self._theirs: self._incomplete(theirs, ours, their_repeated),
        }
        if not any(wanted.values()):
            return ours, theirs

        def read_whole(database: Database, side: PageStatements) -> dict[str, tuple[Row, ...]]:
            if not wanted[side]:
                return {}
            asked = {**self._asked, "keys": array_literal(wanted[side])}
            return _by_key(database.rows(side.of_keys(columns_of(side)), asked, IN_ORDER))

        whole = self._both(read_whole)
        return _completed(ours, whole[0]), _completed(theirs, whole[1])

    def digests(self, made: Mapping[PageStatements, sql.Composed] | None) -> tuple[Digest, Digest] | None:
        """None where no digest would tell; where nothing is chosen one always does."""
        if made is None or any(where.condition is None for where in self._wheres.values()):
            return None if self._is_anything_chosen() else (self._nothing(), self._nothing())

        def read(database: Database, side: PageStatements) -> Digest:
            asked = self._chosen(side, [made[side]])
            if asked is None:
                return self._nothing()
            rows, parameters = asked
            summed = database.rows(sum_of(rows, self._kind.key_type), parameters, IN_ORDER)
            return replace(Digest(*summed[0]), upto=self._upto)

        ours, theirs = self._both(read)
        if (ours.rows or theirs.rows) and any(self._repeated()):
            return None
        return ours, theirs

    def _is_anything_chosen(self) -> bool:
        def read(database: Database, side: PageStatements) -> bool:
            asked = self._chosen(side, [sql.SQL("true").format()], size=1)
            return asked is not None and bool(database.rows(*asked, IN_ORDER))

        return any(self._both(read))

    def _nothing(self) -> Digest:
        return Digest(0, 0, None, None, are_plain=True, upto=self._upto)

    def _chosen(
        self, side: PageStatements, columns: Sequence[sql.Composed], **asked: int
    ) -> tuple[sql.Composed, dict[str, Any]] | None:
        """The statement and its parameters; None where the side cannot tell."""
        where = self._wheres[side]
        if where.condition is None:
            return None
        statement = side.rows(columns, first=self._is_first, chosen=where.condition, bounded=self._upto is not None)
        return statement, {**self._asked, **where.parameters, "upto": self._upto, **asked}

    def _repeated(self) -> list[set[str]]:
        """Keys that several rows of a side have, chosen or not: those that are chosen may be some of them only.

        Not of a side that cannot tell: all of its rows of a key are read, and no part is so short for it.
        """

        def read(database: Database, side: PageStatements) -> set[str]:
            if self._wheres[side].condition is None:
                return set()
            statement = side.repeated(first=self._is_first, bounded=self._upto is not None)
            return {row[0] for row in database.rows(statement, {**self._asked, "upto": self._upto}, IN_ORDER)}

        return self._both(read)

    def _incomplete(self, page: Page, other: Page, repeated: Container[str]) -> list[str]:
        """Keys of which the page lacks all rows, or perhaps some; without those that nobody can ask for."""
        keys = (key for key in {**page.rows, **other.rows} if key not in page.rows or key in repeated)
        return [key for key in keys if is_canonical(key, self._kind.key_type)]

    def _both(self, read: Callable[[Database, PageStatements], Read]) -> list[Read]:
        return self._sides.both(*self._place, read)


def _completed(page: Page, whole: Mapping[str, tuple[Row, ...]]) -> Page:
    rows = {key: whole.get(key, held) for key, held in page.rows.items()}
    return replace(page, rows=rows, beside={key: held for key, held in whole.items() if key not in rows})


def _by_key(rows: Sequence[TupleRow]) -> dict[str, tuple[Row, ...]]:
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        by_key.setdefault(row[0], []).append(row[2:])
    return {key: tuple(held) for key, held in by_key.items()}
