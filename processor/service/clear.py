"""Clearing the history of requests: wishes come by the control topic, the store answers each with a permanent mark.

The mark (`~cleared`) is what clears: where it is known, the views show nothing of the request, and never will again.
What the request left on the topic is then taken away by `service/bury.py`, in its own time.

A wish is judged by the tables, so only once they show all that the topic held when the partitions were taken over, and
all marks written since: else a request whose rows a rebuild has not read yet would be taken for unknown, and one
cleared by two persons at once would be marked twice.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

import structlog

from processor.core.model import Clear, Cleared
from processor.crashpoint import CrashPoints
from processor.service.history_ports import Clearable, Extent, HistoryTables, HistoryWriter
from processor.service.read_back import ReadBack

log = structlog.get_logger(__name__)


class ControlLog(Protocol):
    """The control topic, read outside any group."""

    def clears(self) -> Iterable[Clear]:
        """Some of the wishes that came since the last call; does not wait."""

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
        crash: CrashPoints,
    ) -> None:
        self._control = control
        self._tables = tables
        self._writer = writer
        self._owns = owns
        self._crash = crash
        self._read_back = ReadBack()
        self.cleared = 0

    def take_over(self, extents: Mapping[int, Extent]) -> None:
        """Partitions came or went: wishes that were another's business may now be ours."""
        self._control.rewind()
        self._read_back.begin({p: extent.stable for p, extent in extents.items()})

    def step(self, positions: Mapping[int, int], now: datetime) -> None:
        """Carry out some wishes; of several about one request, the first.

        One that is unknown, cleared, open, or of which something was decided since it was wished, stays as it is.
        """
        if not self._read_back.is_reached(positions):
            return
        wishes: dict[str, Clear] = {}
        for wish in self._control.clears():
            if self._owns(wish.request_id):
                wishes.setdefault(wish.request_id, wish)
        if not wishes:
            return
        found = self._tables.clearable([*wishes.values()])
        if not found:
            return
        self._read_back.expect(self._writer.cleared([_mark(one, wishes[one.request_id], now) for one in found]))
        self._crash("store.after_mark")
        self.cleared += len(found)
        for one in found:
            log.info("history cleared", request_id=one.request_id, outcomes=one.outcomes)


def _mark(found: Clearable, wish: Clear, now: datetime) -> Cleared:
    return Cleared(
        request_id=found.request_id,
        district_id=found.district_id,
        object=found.object,
        cleared_by=wish.cleared_by,
        cleared_at=now,
        outcomes=found.outcomes,
        scope=wish.scope,
    )
