"""One part of a scan: its window becomes a Plan, and the part that follows (ADR 0210).

Each key of an object is in the window of exactly one part. A key that is not in sync there is a suspect: it becomes one
of a chunk of keys that are read again, and only that decides it; to verify, once what was on its way has arrived.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from processor.core.accept import FIRST_SIZE, PART_KEYS, chunk_status, cut, first_digest, pending
from processor.core.catalog import Limits
from processor.core.chunk import Ask, Cause, Chunk, Scan
from processor.core.errors import Reason
from processor.core.history import ChunkState, Status
from processor.core.ids import split_chunk, unread_range
from processor.core.keys import invalid_key_id
from processor.core.outcome import chunk_outcome
from processor.core.plan import Plan
from processor.core.printable import printable
from processor.core.request import Mode, Report
from processor.core.settle import put_off
from processor.core.window import Window

MIN_SIZE = 100
"""Rows of a side; fewer only after a read that took too long."""
MAX_SIZE = 5_000
"""Where their columns are read."""
MAX_LINES = 200_000
"""Where a digest of each is."""
GROWTH = 16
"""A part is at most so many times as large as the one before: what was quick may have been in the servers' memory."""
SHRINKAGE = 10
"""A part that could not be read in time is tried again with so many times fewer rows."""


class Sizes(NamedTuple):
    """How a part is to be read; as in `Scan`."""

    rows: int
    digest: int = 0
    by_rows: bool = False


def next_size(size: int, took_s: float, report: Report, limits: Limits) -> int:
    """Rows of a side that the next part should read, if this one took so long; itemised keys must fit in one chunk."""
    most = min(MAX_SIZE, limits.max_keys) if report is Report.ALL else MAX_LINES
    wanted = int(size * limits.chunk_target_s / max(took_s, 0.001))
    return min(most, max(MIN_SIZE, min(wanted, GROWTH * size)))


def end_part(chunk: Chunk, seen: Window, following: Sizes, limits: Limits, now: datetime) -> Plan:
    """Outcomes and counts of the part's keys, chunks that confirm its suspects, and the next part."""
    scan = scan_of(chunk)
    named = replace(chunk, attempt=1, first_decided_at=None, deferred_since=None, not_before=None, scan=None)
    plan = Plan()
    is_itemised = chunk.report is Report.ALL
    for key, difference in seen.expected if is_itemised else ():
        why, fields = Reason.EXPECTED_DIFFERENCE, difference.expected
        plan.history.append(chunk_outcome(named, _ask(key), Status.IN_SYNC, now, reason=why, changed_fields=fields))
    for text, fault in seen.invalid:
        ask = Ask(invalid_key_id(text), printable(text))
        plan.history.append(chunk_outcome(named, ask, Status.FAILED, now, reason=Reason.INVALID_KEY, detail=fault))
    plan.history += [chunk_outcome(named, _ask(str(key)), Status.IN_SYNC, now) for key in seen.equal if is_itemised]
    plan.add(_look_again(named, seen.suspects, limits, now))
    # What follows comes before this part's own end: who has read only some of these records must not find nothing open.
    rest = replace(scan, left=max(0, scan.left - seen.settled - len(seen.suspects)))
    if seen.last is not None:
        size, digest, by_rows = following
        rest = replace(rest, after=seen.last, part=scan.part + 1, size=size, digest=digest, by_rows=by_rows)
        plan.add(begin_part(named, rest, now))
    elif scan.below:
        plan.add(_begin_below(named, rest, limits, now))
    in_sync, expected = (0, 0) if is_itemised else (seen.settled - len(seen.invalid), len(seen.expected))
    done = chunk_status(chunk, ChunkState.DONE, now, keys=seen.settled, in_sync=in_sync)
    plan.history.append(
        replace(done, district_rows=seen.district_rows, state_rows=seen.state_rows, expected_differences=expected)
    )
    return plan


def _begin_below(chunk: Chunk, scan: Scan, limits: Limits, now: datetime) -> Plan:
    """The scan of the next object, under ids of its own."""
    name, *others = scan.below
    stem = str(int(_stem(chunk)) + 1)
    digest = first_digest(chunk.mode, chunk.report, limits)
    of = None if scan.where is None else scan.of or chunk.object
    first = Scan(None, 0, FIRST_SIZE, scan.left, digest, where=scan.where, year=scan.year, below=tuple(others), of=of)
    return begin_part(replace(chunk, object=name, chunk=stem), first, now)


def begin_part(chunk: Chunk, scan: Scan, now: datetime) -> Plan:
    """The part as a chunk of its own, announced as PENDING."""
    part = replace(chunk, chunk=split_chunk(_stem(chunk), scan.part), cause=Cause.SCAN, scan=scan)
    return Plan(history=[chunk_status(part, ChunkState.PENDING, now, keys=scan.left)], chunks=[part])


def _stem(chunk: Chunk) -> str:
    return chunk.chunk.split(".", maxsplit=1)[0]


def _look_again(part: Chunk, suspects: Sequence[str], limits: Limits, now: datetime) -> Plan:
    """At once where differences are to be mended; to verify, after the delay of retries."""
    asks = cut([_ask(key) for key in suspects], min(PART_KEYS, limits.max_keys))
    announced = pending(part, asks, now, Cause.CONFIRM)
    if part.mode is Mode.VERIFY:
        return Plan(history=announced.history, retries=announced.chunks)
    return announced


def _ask(key: str) -> Ask:
    """As if the requester had named the key."""
    return Ask(key, printable(key))


def scan_of(chunk: Chunk) -> Scan:
    if chunk.scan is None:
        raise LookupError(f"chunk {chunk.request_id}/{chunk.chunk} is no part of a scan")
    return chunk.scan


def smaller(chunk: Chunk) -> Chunk:
    """The same part with fewer rows at once, after a read that took too long."""
    scan = scan_of(chunk)
    return replace(chunk, scan=replace(scan, size=max(1, scan.size // SHRINKAGE), digest=0))


def defer_part(chunk: Chunk, detail: str, limits: Limits, now: datetime) -> Plan:
    """What becomes of a part while a database is away, or too slow: it goes round, and fails after the deadline."""
    since = chunk.deferred_since or now
    if now - since >= timedelta(seconds=limits.snapshot_deadline_s):
        return fail_part(chunk, Reason.SNAPSHOT_UNAVAILABLE, detail, now)
    return Plan(retries=[put_off(chunk, since, now)])


def cancel_part(chunk: Chunk, now: datetime) -> Plan:
    """The end of a scan whose request was cancelled: one outcome stands for all keys that no part has looked at."""
    after = scan_of(chunk).after
    ask = Ask(unread_range(chunk.chunk), printable("all keys" if after is None else f"all keys after {after}"))
    outcome = chunk_outcome(replace(chunk, attempt=1, scan=None), ask, Status.CANCELLED, now)
    return Plan(history=[outcome, chunk_status(chunk, ChunkState.DONE, now)])


def fail_part(chunk: Chunk, reason: Reason, detail: str | None, now: datetime) -> Plan:
    """The end of a scan that cannot go on: one outcome stands for all keys that no part has looked at."""
    after = scan_of(chunk).after
    asked = "all keys" if after is None else f"all keys after {after}"
    what = f"{asked} were not compared" + (f": {detail}" if detail else "")
    ask = Ask(unread_range(chunk.chunk), printable(asked))
    outcome = chunk_outcome(
        replace(chunk, attempt=1, scan=None), ask, Status.FAILED, now, reason=reason, detail=printable(what)
    )
    return Plan(history=[outcome, chunk_status(chunk, ChunkState.DONE, now)])
