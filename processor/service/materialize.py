"""The store: the history topic's last record of each key, kept as rows in Postgres.

Offsets live in the same SQL transaction as the rows. A batch goes in only if the stored offsets are where it begins;
else another process, or a replay, has moved them, so the batch is dropped and reading begins again where they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import TypeAlias

import structlog

from processor import metrics
from processor.codec import RegistryUnavailable
from processor.crashpoint import CrashPoints
from processor.service.bury import Burials
from processor.service.clear import Clearings
from processor.service.control import CarryOut, Control, Wishes
from processor.service.ends import Ends
from processor.service.guard import Guarding
from processor.service.history_changes import HistoryDecoder, RawRecord, changes_of
from processor.service.history_ports import (
    BatchLimits,
    Extent,
    HistoryLog,
    HistoryTables,
    HistoryWriter,
    Stop,
    StoredOffset,
    StoreUnavailable,
)
from processor.service.merge import Merged, Merging, Read
from processor.service.orders import Orders
from processor.service.overdue import Overdue, OverdueRule
from processor.service.read_back import ReadBack
from processor.service.store_counts import StoreCounts
from processor.service.within_log import check_within_log

log = structlog.get_logger(__name__)

LONGEST_WAIT_S = 2.0
IDLE_WAIT_S = 0.2
LOOK_EVERY_S = 1.0
UNANSWERED_EVERY_S = 5.0
KEPT_EVERY_S = 60.0

Rebuild: TypeAlias = Callable[[Callable[[], None]], None]
"""Builds all tables anew from the topic; calls its argument often, and ends with what that raises.

Raises StoreUnavailable.
"""


class Stopped(Exception):
    """A stop was asked for in the middle of a rebuild: that is given up, and the tables are as they were."""


@dataclass(frozen=True, slots=True)
class StoreParts:
    log: HistoryLog
    tables: HistoryTables
    writer: HistoryWriter
    decode: HistoryDecoder
    now: Callable[[], datetime]
    crash_points: CrashPoints
    limits: BatchLimits = field(default_factory=BatchLimits)
    overdue: OverdueRule = field(default_factory=OverdueRule)
    control: Control = field(default_factory=Control)
    rebuild: Rebuild | None = None


class Store:
    """`counts` may be read from other threads; everything else belongs to the thread that runs it."""

    def __init__(self, parts: StoreParts) -> None:
        self._parts = parts
        self._ends = Ends(parts.tables, parts.writer, parts.log.partitions, parts.now, parts.crash_points)
        self._overdue = Overdue(parts.tables, parts.writer, parts.overdue, self._ends.owns)
        read_back, crash, policy = ReadBack(), parts.crash_points, parts.control.policy
        self._clearings = Clearings(policy, parts.tables, parts.writer, read_back, crash)
        orders = Orders(policy, parts.tables, parts.writer, crash)
        carry_out = CarryOut(self._clearings.carry_out, orders.carry_out)
        self._wishes = Wishes(parts.control.log, read_back, carry_out, self._ends.owns)
        self._guarding = Guarding(parts.tables, parts.writer, parts.decode, self._ends.owns, crash)
        self._burials = Burials(parts.tables, parts.writer, parts.crash_points)
        self._merging = Merging(parts.tables, self._ends, parts.crash_points)
        self._ahead: Read | None = None
        self._positions: dict[int, int] = {}
        self._wait_s = 0.0
        self._next_look = 0.0
        self._next_unanswered = 0.0
        self._next_kept = 0.0
        self._kept_every_s = KEPT_EVERY_S
        self._is_burying = False
        self._is_releasing = False
        self._stop: Stop = lambda: False
        self.counts = StoreCounts()

    def run(self, stop: Stop) -> None:
        """Until `stop` says so. Raises OutsideLog; outlives a database, broker or registry that is away."""
        self._stop = stop
        while not stop():
            self.counts.last_step = monotonic()
            try:
                self.step()
                self._wait_s = 0.0
                self.counts.is_available = True
            except Stopped:
                log.info("stopped in the middle of a rebuild, which begins anew at the next start")
                return
            except (StoreUnavailable, RegistryUnavailable) as fault:
                self._pause(fault, stop)

    def step(self) -> None:
        """Read a batch and carry it through, or use the quiet moment for what else is due."""
        waiting = self._parts.log.to_place()
        if waiting is not None:
            self._take_over(waiting)
        busy = self._ends.is_sweeping or self._overdue.is_passing or self._is_burying or self._is_releasing
        read = self._next(0.0 if busy else IDLE_WAIT_S)
        if read.batch.end:
            self._materialize(read)
        if self._positions and monotonic() > self._next_look:
            self._look_at_offsets()
        if self._positions:
            self._ends.sweep(self._positions)
        if self._positions and self._ends.is_live:
            self._overdue.step(self._parts.now())
            self._wishes.step(self._positions, self._parts.now())
            self._is_releasing = self._guarding.step(self._positions)
            self._is_burying = self._burials.step(self._positions)
        if self._positions and monotonic() > self._next_unanswered:
            self._look_at_unanswered()
        self._count()

    def _take_over(self, partitions: frozenset[int]) -> None:
        self._ahead = None
        topic_id = self._parts.log.topic_id()
        begin = {p: extent.low for p, extent in self._parts.log.extents(partitions).items()}
        stored = self._parts.tables.offsets(begin, topic_id)
        # Looked at after the offsets: the log may have grown meanwhile, the offsets not beyond it.
        extents = self._parts.log.extents(partitions)
        check_within_log(self._parts.log.topic, topic_id, stored, extents)
        if self._rebuild_if_stale(stored, extents):
            if self._parts.log.to_place() != partitions:
                return
            stored = self._parts.tables.offsets(begin, topic_id)
        self._positions = {p: offset.next_offset for p, offset in stored.items()}
        self._parts.log.place(self._positions)
        # The store before may have died before it told the group; where nothing comes any more, nobody else does.
        self._parts.log.report(self._positions)
        self._ends.take_over(stored, extents)
        self._wishes.take_over(extents)
        self._guarding.take_over(extents)
        self._burials.take_over(sorted(partitions))
        self.counts.assigned = partitions
        self.counts.positions = dict(self._positions)
        log.info("assigned", topic=self._parts.log.topic, positions=self._positions)

    def _rebuild_if_stale(self, stored: Mapping[int, StoredOffset], extents: Mapping[int, Extent]) -> bool:
        """Tables that were left for longer than the topic shows tombstones may have missed some (ADR 0071)."""
        if self._parts.rebuild is None:
            return False
        kept_s = self._parts.log.tombstones_kept_s()
        self._kept_every_s = min(KEPT_EVERY_S, kept_s / 4)
        behind = [offset.away_s for p, offset in stored.items() if offset.next_offset < extents[p].stable]
        away_s = max(behind, default=0.0)
        if away_s <= kept_s:
            return False
        log.warning(
            "the tables were left for longer than the topic keeps tombstones: rebuilding them from its beginning",
            topic=self._parts.log.topic,
            away_s=round(away_s),
            kept_s=round(kept_s),
        )
        self._parts.rebuild(self._serve_group)
        self.counts.rebuilds += 1
        log.info("rebuilt", topic=self._parts.log.topic)
        return True

    def _serve_group(self) -> None:
        """While a rebuild goes on and nothing is placed, so that nothing is read. Raises Stopped."""
        if self._stop():
            raise Stopped
        self.counts.last_step = monotonic()
        self._parts.log.read(self._parts.limits, 0.0)

    def _look_at_offsets(self) -> None:
        """A replay may have moved the offsets back while nothing comes that would be refused."""
        self._next_look = monotonic() + LOOK_EVERY_S
        with self._parts.tables.transaction() as transaction:
            fits = transaction.holds(self._positions)
            if fits and monotonic() > self._next_kept:
                self._next_kept = monotonic() + self._kept_every_s
                transaction.mark_kept(self._positions)
        if not fits:
            self._displaced()

    def _look_at_unanswered(self) -> None:
        self._next_unanswered = monotonic() + UNANSWERED_EVERY_S
        oldest = self._parts.tables.unanswered(self._parts.now(), None, 1)
        self.counts.oldest_unanswered = oldest[0].sent_at if oldest else None
        self.counts.held, self.counts.oldest_held = self._parts.tables.held()

    def _count(self) -> None:
        metrics.STORE_ENDS.inc(self._ends.announced - self.counts.ends_announced)
        metrics.STORE_OVERDUE.inc(self._overdue.published - self.counts.overdue_published)
        self.counts.ends_announced = self._ends.announced
        self.counts.overdue_published = self._overdue.published
        self.counts.cleared = self._clearings.cleared
        self.counts.tombstones = self._burials.tombstones

    def _displaced(self) -> None:
        log.warning("reading again where the stored offsets are: another process moved them", was=self._positions)
        self._forget()

    def _next(self, wait_s: float) -> Read:
        """What was read ahead, or what comes now."""
        read, self._ahead = self._ahead, None
        return read or self._read(wait_s)

    def _read(self, wait_s: float) -> Read:
        batch = self._parts.log.read(self._parts.limits, wait_s)
        if batch.end:
            self._parts.crash_points("store.after_read")
        return Read(batch, changes_of(batch.records, self._parts.decode, self._skipped))

    def _materialize(self, read: Read) -> None:
        """The next batch is read meanwhile; where that fails, this one is done with all the same."""
        started = monotonic()
        merging = self._merging.begin(read)
        try:
            ahead = self._read(0.0)
            self._ahead = ahead if ahead.batch.end else None
        finally:
            self._merged(read, merging.result())
        metrics.STORE_SECONDS.observe(monotonic() - started)

    def _merged(self, read: Read, merged: Merged) -> None:
        batch = read.batch
        if not merged.fits:
            self.counts.batches_dropped += 1
            metrics.STORED_BATCHES.labels("dropped").inc()
            self._displaced()
            return
        self._positions |= batch.end
        self._ends.reached(batch.end)
        self._guarding.note(read.changes)
        self._parts.log.report(batch.end)
        self.counts.records += len(batch.records)
        self.counts.batches += 1
        self.counts.positions = dict(self._positions)
        metrics.STORED_RECORDS.inc(len(batch.records))
        metrics.STORED_BATCHES.labels("stored").inc()
        self._tell_shared(merged.shared_ids)

    def _tell_shared(self, request_ids: Sequence[str]) -> None:
        """Their history is mixed, and mended by nobody but the publishers (ADR 0140)."""
        self.counts.shared_ids += len(request_ids)
        metrics.STORE_SHARED_IDS.inc(len(request_ids))
        for request_id in request_ids:
            log.error("two districts' requests have one id: their history is mixed", request_id=request_id)

    def _pause(self, fault: Exception, stop: Stop) -> None:
        """Forget what is in hand and wait, longer each time, still serving the group."""
        self._wait_s = min(LONGEST_WAIT_S, self._wait_s * 2 or 0.1)
        self.counts.unavailable += 1
        self.counts.is_available = False
        metrics.STORE_FAULTS.inc()
        log.warning("unavailable, trying again", fault=str(fault), wait_s=self._wait_s)
        self._parts.tables.disconnect()
        self._forget()
        until = monotonic() + self._wait_s
        while monotonic() < until and not stop():
            self.counts.last_step = monotonic()
            self._parts.log.read(self._parts.limits, IDLE_WAIT_S)

    def _forget(self) -> None:
        """What was read ahead too: reading begins again where the stored offsets are."""
        self._ahead = None
        self._positions = {}
        self._parts.log.displace()

    def _skipped(self, record: RawRecord, why: str) -> None:
        self.counts.records_skipped += 1
        metrics.STORE_SKIPPED.inc()
        log.error(
            "record skipped: not written by this system",
            topic=self._parts.log.topic,
            partition=record.partition,
            offset=record.offset,
            why=why,
        )
