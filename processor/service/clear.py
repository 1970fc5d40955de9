"""Clearing history: a permanent mark first, then tombstones for all that the request left on the topic.

The mark (`~cleared`) is written once the request is seen to have ended before the clearing was asked for. When the
store reads it back, the merge drops the request's rows and buries their keys; from there tombstones are written page
by page. A store that dies anywhere on the way goes on where it was: the mark makes the clearing, tombstones free space.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

import structlog

from processor.core.model import Clear, Cleared
from processor.service.history_ports import HistoryTables, HistoryWriter

log = structlog.get_logger(__name__)

PAGE = 2_000


class ControlLog(Protocol):
    """The control topic, read outside any group."""

    def clears(self) -> Iterable[Clear]:
        """Wishes that came since the last call; does not wait."""

    def rewind(self) -> None:
        """Read from the beginning again."""


class NoControl:
    """For a store that is given no control topic."""

    def clears(self) -> Iterable[Clear]:
        return ()

    def rewind(self) -> None:
        """Nothing to read."""


class Clearings:
    """`owns` says whether a request's history is this process's business."""

    def __init__(
        self,
        control: ControlLog,
        tables: HistoryTables,
        writer: HistoryWriter,
        owns: Callable[[str], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._control = control
        self._tables = tables
        self._writer = writer
        self._owns = owns
        self._now = now
        self.cleared = 0
        self.buried = 0

    def take_over(self) -> None:
        """Partitions came or went: wishes that were another's business may now be ours."""
        self._control.rewind()

    def step(self) -> bool:
        """Carry out new wishes and bury one page; whether there may be more to bury at once."""
        for clear in self._control.clears():
            if self._owns(clear.request_id):
                self._carry_out(clear)
        page = [entry for entry in self._tables.buried(PAGE) if self._owns(entry.request_id)]
        if page:
            self._writer.tombstones(page)
            self._tables.forget_buried(page)
            self.buried += len(page)
        return len(page) == PAGE

    def _carry_out(self, clear: Clear) -> None:
        """Once: a request that is cleared, unknown, open, or ended only after the wish stays as it is."""
        found = self._tables.clearable(clear.request_id, clear.asked_at)
        if found is None:
            return
        district_id, object_name, outcomes = found
        mark = Cleared(
            request_id=clear.request_id,
            district_id=district_id,
            object=object_name,
            cleared_by=clear.cleared_by,
            cleared_at=self._now(),
            outcomes=outcomes,
            scope=clear.scope,
        )
        self._writer.cleared([mark])
        self.cleared += 1
        log.info("history cleared", request_id=clear.request_id, cleared_by=clear.cleared_by, outcomes=outcomes)
