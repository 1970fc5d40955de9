"""Scans of all keys of an object: surveyed before they are accepted, then read and decided a part at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import NamedTuple

from processor.core.accept import Rejected, rejected
from processor.core.catalog import Catalog, Limits
from processor.core.chosen import Chosen, chosen
from processor.core.chunk import Chunk, Scan
from processor.core.digest import both_equal, equal_window, more_rows, next_sizes, same_digest
from processor.core.errors import CoreError, Reason
from processor.core.filter_text import FilterError
from processor.core.lines import Lines, lines_window
from processor.core.plan import Plan
from processor.core.request import Mode
from processor.core.scan import (
    MAX_LINES,
    MAX_SIZE,
    Sizes,
    begin_part,
    defer_part,
    end_part,
    fail_part,
    scan_of,
    smaller,
)
from processor.core.scope import NoSchoolYear, YearNotOpen
from processor.core.window import Disordered, Page, Window, never_in_sync, window
from processor.service.intake import Intake, Unfolded
from processor.service.ports import ReadTimedOut, Scans, SnapshotImpossible, SnapshotUnavailable


@dataclass(frozen=True, slots=True)
class PartRead:
    """What both sides hold of a part, and how long it took to read; or why it could not be read."""

    chunk: Chunk
    pages: tuple[Page, Page] | None = None
    lines: tuple[Lines | Page, Lines | Page] | None = None
    """Instead of pages, where a digest of each row will do."""
    equal: Window | None = None
    """Instead of both, where digests of all rows will do."""
    then: int = 0
    """Rows that the next part reads, where after equal digests one was for nothing."""
    took_s: float = 0.0
    fault: SnapshotUnavailable | None = None
    lacking: Sequence[str] = ()
    """Statements that make the indexes without which it is not read."""
    unfit: CoreError | None = None
    """Why the scan cannot go on: a side's order, or a filter that the catalog as it is now does not bear."""


def survey(intake: Intake, scans: Scans, catalog: Catalog, now: datetime) -> None:
    """Announces the first part of each scan that the batch asks for, or rejects the request."""
    for unsurveyed in intake.unsurveyed:
        intake.plan.add(_survey(unsurveyed, scans, catalog, now))
    intake.unsurveyed.clear()


def _survey(asked: Unfolded, scans: Scans, catalog: Catalog, now: datetime) -> Plan:
    """A database that is away is waited for by the first part, which then makes up for the survey."""
    scan = scan_of(asked.chunk)
    try:
        found = [
            scans.survey(asked.chunk.district_id, name, _chosen(scan, name, catalog, asked.chunk.object))
            for name in (asked.chunk.object, *scan.below)
        ]
    except SnapshotUnavailable:
        pass
    else:
        lacking = [statement for survey in found for statement in survey.lacking]
        if lacking and asked.request is not None:
            return rejected(asked.request, Rejected(Reason.NO_INDEX, _statements(lacking)), now)
        scan = replace(scan, left=sum(survey.rows for survey in found))
    plan = Plan()
    plan.add(asked.plan)
    plan.add(begin_part(asked.chunk, scan, now))
    return plan


def read_part(chunk: Chunk, scans: Scans, catalog: Catalog) -> PartRead:
    scan = scan_of(chunk)
    try:
        wanted = _chosen(scan, chunk.object, catalog, scan.of)
        if scan.part == 0 and not scan.left:
            lacking = scans.survey(chunk.district_id, chunk.object, wanted).lacking
            if lacking:
                return PartRead(chunk, lacking=lacking)
        started = monotonic()
        tried = _by_digests(chunk, scans, wanted, catalog.limits)
        # Where a digest of all rows was for nothing, one of each is read for as many: that takes about as long, and
        # they come packed, unless a filter chooses them.
        size = max(scan.size, min(tried.unequal, MAX_LINES) if wanted is None else 0)
        place, then = (chunk.district_id, chunk.object, scan.after), 0
        lines: tuple[Lines | Page, Lines | Page] | None = None
        if tried.equal is not None:
            chunk, then = replace(chunk, scan=replace(scan, digest=tried.rows)), size if tried.unequal else 0
        elif not scan.by_rows:
            chunk = _sized(chunk, size)
            lines = scans.lines(*place, size, wanted)
        if tried.equal or lines:
            return PartRead(chunk, None, lines, tried.equal, then, monotonic() - started)
        # What follows is sized by what was asked for, and not by what digests of rows would have had.
        chunk = _sized(chunk, min(scan.size, MAX_SIZE))
        pages = scans.pages(*place, scan_of(chunk).size, wanted)
        return PartRead(chunk, pages, took_s=monotonic() - started)
    except ReadTimedOut as slow:
        return PartRead(smaller(chunk), fault=slow)
    except SnapshotUnavailable as away:
        return PartRead(chunk, fault=away)
    except (FilterError, YearNotOpen, NoSchoolYear, Disordered) as unfit:
        return PartRead(chunk, unfit=unfit)


class _Tried(NamedTuple):
    """What digests came to: the window of those that were equal, their rows, and the rows of one that was not."""

    equal: Window | None
    rows: int
    unequal: int = 0


def _by_digests(chunk: Chunk, scans: Scans, wanted: Chosen | None, limits: Limits) -> _Tried:
    """One after the other: databases rest while a part is committed, and nobody knows at first how fast they are."""
    scan, began = scan_of(chunk), monotonic()
    seen: Window | None = None
    read, size = 0, scan.digest
    while size:
        started = monotonic()
        after = scan.after if seen is None else seen.last
        try:
            digests = scans.digests(chunk.district_id, chunk.object, after, size, wanted)
        except (SnapshotUnavailable, Disordered):
            if seen is None:
                raise
            break  # the next part meets it too, and is smaller for the time that this one took
        found = None if digests is None else equal_window(*digests, size)
        if found is None:
            return _Tried(seen, read, size)
        seen, read, now = found if seen is None else both_equal(seen, found), read + size, monotonic()
        size = 0 if seen.last is None else more_rows(size, now - started, now - began, limits)
    return _Tried(seen, read)


def _sized(chunk: Chunk, size: int) -> Chunk:
    return replace(chunk, scan=replace(scan_of(chunk), size=size))


def _chosen(scan: Scan, object_name: str, catalog: Catalog, of: str | None) -> Chosen | None:
    """Raises FilterError, YearNotOpen and NoSchoolYear where the catalog has changed since the request was accepted."""
    return chosen(scan.where, scan.year, catalog.objects[object_name], catalog, of)


def decide_part(read: PartRead, catalog: Catalog, now: datetime) -> Plan:
    """What becomes of a part's keys, and the part that follows it."""
    chunk, limits = read.chunk, catalog.limits
    if isinstance(read.fault, SnapshotImpossible):
        return fail_part(chunk, Reason.SNAPSHOT_UNAVAILABLE, str(read.fault), now)
    if read.fault is not None:
        return defer_part(chunk, str(read.fault), limits, now)
    if read.lacking:
        return fail_part(chunk, Reason.NO_INDEX, _statements(read.lacking), now)
    if read.unfit is not None:
        return fail_part(chunk, read.unfit.reason, read.unfit.detail, now)
    scan, started = scan_of(chunk), monotonic()
    try:
        seen = _seen(read, catalog, scan.after)
    except Disordered as fault:
        return fail_part(chunk, fault.reason, fault.detail, now)
    sizes = next_sizes(scan, seen, read.took_s + monotonic() - started, chunk.report, limits)
    if read.then:
        sizes = Sizes(read.then)
    if chunk.mode is Mode.FORCE:
        sizes = sizes._replace(digest=0)
    return end_part(chunk, seen, sizes, limits, now)


def _seen(read: PartRead, catalog: Catalog, after: str | None) -> Window:
    """Raises Disordered."""
    kind = catalog.objects[read.chunk.object]
    forced = never_in_sync if read.chunk.mode is Mode.FORCE else None
    if read.lines is not None:
        return lines_window(kind, after, *read.lines, forced or same_digest)
    if read.pages is not None:
        return window(kind, after, *read.pages, forced)
    if read.equal is None:
        raise LookupError(f"chunk {read.chunk.request_id}/{read.chunk.chunk} was not read")
    return read.equal


def _statements(lacking: Sequence[str]) -> str:
    return "; ".join(lacking)
