"""Announcing on the history topic that a request has ended, for publishers who read only the topic.

A partition is first caught up silently, then all requests that had ended by then are announced (swept), then it is
live. From the sweep's beginning on each batch announces the ended requests that it touched. `live` is stored with the
offsets, so a store that dies on the way begins the sweep again and none is missed.

An end is produced before the rows that it was computed from are committed: a crash repeats it. A store that lost its
partition while it was frozen may still write an end that is out of date. The owner sees each end that it did not
write itself and, where it differs from the rows, writes the right one behind it: the last end of a request is right.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from processor.core.history import RequestEnd
from processor.core.partition import partition_of
from processor.crashpoint import CrashPoints
from processor.service.history_changes import Changes
from processor.service.history_ports import (
    Extent,
    HistoryTables,
    HistoryTransaction,
    HistoryWriter,
    StoredOffset,
    StoreUnavailable,
)
from processor.service.linked import Linked

SWEEP_PAGE = 500


class Ends:
    """`partitions` is the topic's number of partitions."""

    def __init__(
        self,
        tables: HistoryTables,
        writer: HistoryWriter,
        partitions: int,
        now: Callable[[], datetime],
        crash: CrashPoints,
    ) -> None:
        self._tables = tables
        self._writer = writer
        self._now = now
        self._linked = Linked(writer, crash)
        self._partitions = partitions
        self._catching_up: dict[int, int] = {}
        self._sweeping: set[int] = set()
        self._swept_to = ""
        self._sweep_until: datetime | None = None
        self._live: set[int] = set()
        self._own: set[tuple[int, int]] = set()
        self.announced = 0

    def take_over(self, stored: Mapping[int, StoredOffset], extents: Mapping[int, Extent]) -> None:
        """Begin with these partitions and forget all others."""
        self._live = {p for p, offset in stored.items() if offset.live}
        self._catching_up = {p: extents[p].stable for p in stored if p not in self._live}
        self._sweeping = set()
        self._own = {place for place in self._own if place[0] in stored}
        self.reached({p: offset.next_offset for p, offset in stored.items()})

    def reached(self, positions: Mapping[int, int]) -> None:
        """The store has committed up to these positions."""
        caught_up = {p for p, position in positions.items() if position >= self._catching_up.get(p, position + 1)}
        for partition in caught_up:
            del self._catching_up[partition]
        if caught_up:
            self._sweeping |= caught_up
            self._swept_to, self._sweep_until = "", None

    @property
    def is_sweeping(self) -> bool:
        return bool(self._sweeping)

    @property
    def is_live(self) -> bool:
        """Whether there are partitions, and each of them is live."""
        return bool(self._live) and not self._catching_up and not self._sweeping

    def owns(self, request_id: str) -> bool:
        """Whether the request lies in a partition that is live here."""
        return partition_of(request_id, self._partitions) in self._live

    def announce(self, transaction: HistoryTransaction, changes: Changes) -> None:
        """Write the ends of the requests that a batch touched, within the batch's transaction, after its merge."""
        touched = {r for r in changes.touched() if self._announces(partition_of(r, self._partitions))}
        read = self._read_back(changes)
        wanted = touched | (read.keys() - touched)
        if not wanted:
            return
        ended = transaction.ended(sorted(wanted))
        self._write([end for end in ended if end.request_id in touched or end != read[end.request_id]])
        self._linked.follow((end for end in ended if end.request_id in touched), transaction)

    def sweep(self, positions: Mapping[int, int]) -> None:
        """Announce one page of ended requests, while there are any; `positions` are those committed."""
        if not self._sweeping:
            return
        self._sweep_until = until = self._sweep_until or self._tables.last_decided_at()
        page = self._tables.ended_after(self._swept_to, until, SWEEP_PAGE) if until else ()
        mine = [end for end in page if partition_of(end.request_id, self._partitions) in self._sweeping]
        self._write(mine)
        self._linked.sweep(mine, self._tables, self._now())
        if len(page) == SWEEP_PAGE:
            self._swept_to = page[-1].request_id
            return
        with self._tables.transaction() as transaction:
            if not transaction.holds({p: positions[p] for p in self._sweeping}):
                raise StoreUnavailable("the stored offsets were moved while ends were announced")
            transaction.mark_live(self._sweeping)
        self._live |= self._sweeping
        self._sweeping = set()

    def _announces(self, partition: int) -> bool:
        return partition in self._live or partition in self._sweeping

    def _read_back(self, changes: Changes) -> dict[str, RequestEnd]:
        """The ends in a batch that this process did not write."""
        foreign: dict[str, RequestEnd] = {}
        for request_id, (record, end) in changes.ends.items():
            place = (record.partition, record.offset)
            if place in self._own:
                self._own.discard(place)
            elif self._announces(record.partition):
                foreign[request_id] = end
        return foreign

    def _write(self, ends: list[RequestEnd]) -> None:
        if ends:
            self._own.update(self._writer.ends(ends))
            self.announced += len(ends)
