"""Rows as numbers: where both sides give the same, no column has to be fetched (ADR 0211)."""

from dataclasses import dataclass

from processor.core.accept import FIRST_SIZE
from processor.core.catalog import Limits, ObjectType
from processor.core.chunk import Scan
from processor.core.compare import EQUAL, Difference
from processor.core.request import Report
from processor.core.scan import GROWTH, MIN_SIZE, Sizes, next_size
from processor.core.window import Held, Window

MAX_ROWS = 1_000_000
"""Of one digest."""
MOST_DIFFERING = 4
"""Where more than one in so many rows has another digest at the state for nothing, these cost more than the columns."""
TRIED_AGAIN = 16
"""Parts that are read by columns before digests of few rows are tried once more."""
MAX_SUSPECTS = 50_000
"""About how many a part may find: they are held in memory, and written in its transaction."""

LEAST_KEYS = 100
"""Of fewer keys the columns are read at once: that is one answer to wait for instead of two."""
READS_BY_ROWS = 16
"""How many reads of keys go by columns before digests are tried again, once more than half of them had others."""


@dataclass(frozen=True, slots=True)
class Digest:
    """One side's rows that follow a key, at most so many as were asked for; `last` is the last of their keys.

    `keys` counts distinct keys. `upto` is the last key that was looked at, with a filter the same on both sides; None
    where all were. `are_plain`: all keys are in the spelling that one asks for them. `checksum` is equal
    on both sides only where all rows are, as far as `core/compare` would find (`adapters/postgres/digest_sql.py`).
    """

    rows: int
    keys: int
    last: str | None
    checksum: str | None
    are_plain: bool
    upto: str | None = None


def equal_window(district: Digest, state: Digest, size: int) -> Window | None:
    """The window that the digests of `size` rows show to be in sync; None where it has to be looked at."""
    if district != state or not district.are_plain or district.rows != district.keys:
        return None
    return Window(
        last=district.last if district.rows >= size else district.upto,
        counted=district.rows,
        district_rows=district.rows,
        state_rows=state.rows,
    )


def both_equal(one: Window, next_one: Window) -> Window:
    """Windows of equal digests as one."""
    return Window(
        last=next_one.last,
        counted=one.settled + next_one.settled,
        district_rows=one.district_rows + next_one.district_rows,
        state_rows=one.state_rows + next_one.state_rows,
    )


def more_rows(size: int, took_s: float, spent_s: float, limits: Limits) -> int:
    """Of which the same part tries a digest after one of `size` rows that took so long; 0 once half its time is spent.

    So a part is about as long as it should be, although nothing is known of the servers before the first one.
    """
    left_s = limits.chunk_target_s - spent_s
    if 2 * left_s < limits.chunk_target_s:
        return 0
    return min(MAX_ROWS, GROWTH * size, int(size * left_s / max(took_s, 0.001)))


def next_sizes(scan: Scan, seen: Window, took_s: float, report: Report, limits: Limits) -> Sizes:
    """Of the part that follows one that took so long.

    After equal digests it has as many rows as take the time that a part should take; after keys that were read and
    are all in sync a digest of as many is tried; where something differs none is, since more of it is likely to follow.
    Where many rows have other digests the next part is read by columns, to learn whether they differ in what counts. As
    long as most do not, it goes on so; those that do are read by their keys anyway. Columns do not tell whether digests
    of rows that are equal by a rule would differ, so after a while some are tried again: the first rows may have been
    odd ones.
    """
    if seen.counted is not None:
        wanted = int(scan.digest * limits.chunk_target_s / max(took_s, 0.001))
        return Sizes(scan.size, min(MAX_ROWS, max(MIN_SIZE, min(wanted, GROWTH * scan.digest))))
    size = next_size(scan.size, took_s, report, limits)
    is_clean = not (seen.suspects or seen.expected or seen.invalid)
    rows = seen.settled + len(seen.suspects)
    are_many = seen.differing * MOST_DIFFERING > rows
    by_rows = are_many
    if scan.by_rows:
        by_rows = not are_many or seen.differing < len(seen.expected)
        if by_rows and (scan.part + 1) % TRIED_AGAIN == 0 and len(seen.expected) * MOST_DIFFERING <= rows:
            by_rows, size = False, min(size, FIRST_SIZE)
    if seen.suspects:
        size = min(size, max(MIN_SIZE, MAX_SUSPECTS * rows // len(seen.suspects)))
    return Sizes(size, size if is_clean and report is Report.CHANGES else 0, by_rows)


def same_digest(_kind: ObjectType, ours: Held, theirs: Held) -> Difference | None:
    """Of rows that are a digest each."""
    return EQUAL if len(ours) == 1 and ours == theirs else None


def reads_by_rows(keys: int, others: int) -> int:
    """How many reads of an object's keys are by columns at once, after one in which so many keys had other digests."""
    return READS_BY_ROWS if 2 * others > keys else 0
