"""Tombstones for all that a cleared request left on the history topic.

Rows of a cleared request stay, hidden, until their tombstones are read back: so what is still to be done is what is
still there, and a store that dies anywhere on the way goes on. A pass goes over the rows of all cleared requests, page
by page. When its tombstones were read back, requests without rows get one for their announced end, and are done with;
those of which something came meanwhile are met again by the next pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from processor.core import ids
from processor.crashpoint import CrashPoints
from processor.service.history_ports import FIRST_PLACE, BuriedRow, HistoryTables, HistoryWriter, RowPlace
from processor.service.read_back import ReadBack

PAGE = 500
"""Tombstones that the broker is to confirm together."""


@dataclass(slots=True)
class _Pass:
    """How far a pass is. `waiting` are requests yet to be looked at, `listed` the last one that was listed."""

    listed: str = ""
    waiting: list[str] = field(default_factory=list)
    place: RowPlace = FIRST_PLACE
    has_begun: bool = False


class Burials:
    def __init__(self, tables: HistoryTables, writer: HistoryWriter, crash: CrashPoints) -> None:
        self._tables = tables
        self._writer = writer
        self._crash = crash
        self._partitions: Sequence[int] = ()
        self._read_back = ReadBack()
        self._pass = _Pass()
        self.tombstones = 0

    def take_over(self, partitions: Sequence[int]) -> None:
        """Begin with these partitions and forget all others."""
        self._partitions = partitions
        self._read_back.begin({})
        self._pass = _Pass()

    def step(self, positions: Mapping[int, int]) -> bool:
        """Write a page of tombstones, or end a pass; whether there is more to be done at once."""
        if page := self._next_page():
            self._read_back.expect(self._writer.tombstones([row.record_key for row in page]))
            self._crash("store.after_tombstones")
            self.tombstones += len(page)
            return True
        return self._pass.has_begun and self._read_back.is_reached(positions) and self._end_pass()

    def _next_page(self) -> list[BuriedRow]:
        page: list[BuriedRow] = []
        while len(page) < PAGE and (request_id := self._request()) is not None:
            wanted = PAGE - len(page)
            rows = self._tables.to_bury(request_id, self._pass.place, wanted)
            page += rows
            if len(rows) == wanted:
                self._pass.place = rows[-1].place
            else:
                self._pass.waiting.pop()
                self._pass.place = FIRST_PLACE
        return page

    def _request(self) -> str | None:
        """The one that the pass is at."""
        now = self._pass
        if not now.waiting:
            listed = self._tables.burials(self._partitions, now.listed, PAGE)
            if not listed:
                return None
            now.has_begun = True
            now.listed = listed[-1]
            now.waiting = [*reversed(listed)]
        return now.waiting[-1]

    def _end_pass(self) -> bool:
        """In pages too; the last one begins the next pass."""
        page = self._tables.empty_burials(self._partitions, PAGE)
        if page:
            self._writer.tombstones([(request_id, ids.end_key(request_id)) for request_id in page])
            self._tables.forget_burials(page)
            self.tombstones += len(page)
        if len(page) < PAGE:
            self._pass = _Pass()
        return len(page) == PAGE
