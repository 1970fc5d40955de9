"""The rows of a side that follow a key as several ranges, each read by a connection of its own (ADR 0222).

Each side's own index says where its ranges end, so together they are what one read would give: the rows up to
a key, of which each has all, or all that follow.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

from psycopg import sql

from processor.adapters.postgres.database import Database
from processor.adapters.postgres.scan_sql import IN_ORDER, PageStatements
from processor.core.digest import Digest
from processor.core.lines import Lines, Places
from processor.core.window import Page

Part = TypeVar("Part")
LEAST_ROWS = 500
"""Of a range: a statement costs more than fewer do."""


@dataclass(frozen=True, slots=True)
class Range:
    """The keys after one, up to another or as many as `size` rows have; of the last one all rows."""

    after: str | None
    upto: str | None
    size: int

    def rows(self, side: PageStatements, columns: Sequence[sql.Composed]) -> sql.Composed:
        return side.rows(columns, first=self.after is None, bounded=self.upto is not None)

    def asked(self, district_id: str) -> dict[str, Any]:
        return {"district_id": district_id, "after": self.after, "upto": self.upto, "size": self.size}


def look(database: Database, side: PageStatements, district_id: str, whole: Range, readers: int) -> list[Range]:
    """About equal ranges of `whole`, at most as many as `readers`. Raises SnapshotUnavailable."""
    step = max(LEAST_ROWS, -(-whole.size // readers))
    if step >= whole.size:
        return [whole]
    statement = side.each(first=whole.after is None)
    found = database.rows(statement, {**whole.asked(district_id), "step": step, "size": whole.size - 1}, IN_ORDER)
    return list(ranges_between([key for (key,) in found], whole, step))


def ranges_between(ends: Sequence[str], whole: Range, step: int) -> Iterator[Range]:
    """A range that has an end has room for more rows than it had: some may have come meanwhile."""
    distinct = list(dict.fromkeys(ends))
    for after, upto in pairwise((whole.after, *distinct)):
        yield Range(after, upto, whole.size)
    yield Range(distinct[-1] if distinct else whole.after, None, whole.size - step * len(ends))


def joined_pages(pages: Sequence[Page]) -> Page:
    read = list(_to_the_first_full(pages, lambda page: page.is_full))
    return Page({key: rows for page in read for key, rows in page.rows.items()}, read[-1].is_full)


def joined_lines(lines: Sequence[Lines]) -> Lines:
    read = list(_to_the_first_full(lines, lambda each: each.is_full))
    digests = array("q")
    for each in read:
        digests.extend(each.digests)
    return Lines(_joined_places([each.places for each in read if each.places]), digests, read[-1].is_full)


def _joined_places(places: Sequence[Places]) -> Places:
    whole: Any = places[0] if places else []
    for each in places[1:]:
        whole = whole + each
    return whole  # type: ignore[no-any-return]


def joined_digests(digests: Sequence[Digest]) -> Digest:
    """`upto` of each is its last key where there may be more rows."""
    read = list(_to_the_first_full(digests, lambda digest: digest.upto is not None))
    sums = [int(digest.checksum) for digest in read if digest.checksum is not None]
    return replace(
        read[-1],
        rows=sum(digest.rows for digest in read),
        keys=sum(digest.keys for digest in read),
        last=next((digest.last for digest in reversed(read) if digest.last is not None), None),
        checksum=str(sum(sums)) if sums else None,
        are_plain=all(digest.are_plain for digest in read),
    )


def _to_the_first_full(parts: Iterable[Part], is_full: Callable[[Part], bool]) -> Iterator[Part]:
    """What follows one that is full has a gap before it."""
    for part in parts:
        yield part
        if is_full(part):
            return
