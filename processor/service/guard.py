"""The store's side of the guard against mass changes (ADR 0154).

A request that was planned to its end is held, or let pass, by the sum of what its chunks would change. What was parked
of one that is held no more is published. The processor alone writes statuses and tombstones: it is told by its topics
what to do. All of it is decided from the tables, once they show what the topic held when the partitions were taken
over: what a process was doing when it died is done again by the next one, and doing it twice is nothing new.

What is still to be planned of a request stands in the history before the end of whatever caused it (PENDING, or an
outcome DEFERRED), so no part of a transaction, read without the rest, makes a plan look whole.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import monotonic

import structlog

from processor import metrics
from processor.codec import DecodeError
from processor.core.chunk import Chunk, Stage
from processor.core.guard import decide
from processor.core.history import Parked, RequestState, RequestStatus
from processor.crashpoint import CrashPoints
from processor.service.guard_ports import FIRST_PARKED, ParkedPlace, ParkedRecord, ReleasedRequest
from processor.service.history_changes import Changes, Decode
from processor.service.history_ports import Extent, HistoryTables, HistoryWriter
from processor.service.read_back import ReadBack
from processor.service.recent import Recent, Repeated

log = structlog.get_logger(__name__)

REPEAT_S, MOST_REPEAT_S = 300.0, 86_400.0
"""What the processor has not taken up by then is told again; parked chunks ever more rarely: it may be long away."""
LOOK_EVERY_S = 0.1
"""At most so often, however many batches come."""
LOOK_ANYWAY_S = 5.0
AT_ONCE = 20
"""Parked chunks, of at most a megabyte each, that are published together."""


class Guarding:
    """`owns` says whether a request is this process's business."""

    def __init__(
        self,
        tables: HistoryTables,
        writer: HistoryWriter,
        decode: Decode,
        owns: Callable[[str], bool],
        crash: CrashPoints,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._clock = clock
        self._tables = tables
        self._writer = writer
        self._decode = decode
        self._owns = owns
        self._crash = crash
        self._read_back = ReadBack()
        self._planning: set[str] | None = None
        self._has_news = True
        self._looked_at = 0.0
        self._decided = Recent(REPEAT_S)
        self._published = Repeated(REPEAT_S, MOST_REPEAT_S, clock)
        self._parked_since: set[str] = set()
        """Requests of which something was parked since a pass over them; as of one that was cancelled meanwhile."""
        self._pump: deque[ReleasedRequest] = deque()
        self._place: ParkedPlace = FIRST_PARKED
        self.held = 0
        self.passed = 0
        self.released_chunks = 0

    def take_over(self, extents: Mapping[int, Extent]) -> None:
        """Begin anew: requests and chunks that were another's business may now be ours."""
        self._read_back.begin({p: extent.stable for p, extent in extents.items()})
        self._planning = None
        self._has_news = True
        self._looked_at = 0.0
        self._pump.clear()
        self._parked_since.clear()
        self._published.hurry()
        self._place = FIRST_PARKED

    def note(self, changes: Changes) -> None:
        """A batch that is stored: what is to be looked at."""
        guarded = {c.request_id for c in changes.chunks.values() if c is not None and c.guard is not None}
        decided = {request_id for request_id, status in changes.requests.items() if _is_decided(status)}
        self._parked_since |= {request_id for (request_id, _), held in changes.parked.items() if held is not None}
        self._has_news = self._has_news or bool(guarded or decided or changes.parked)
        if self._planning is not None:
            self._planning = (self._planning | guarded) - decided
            if self._planning and not self._has_news:
                self._has_news = not self._planning.isdisjoint(changes.touched())

    def step(self, positions: Mapping[int, int]) -> bool:
        """Look at what there is news of, or publish a page; whether there is more to be done at once."""
        if not self._read_back.is_reached(positions):
            return False
        since_s = self._clock() - self._looked_at
        if (self._has_news and since_s >= LOOK_EVERY_S) or since_s >= LOOK_ANYWAY_S:
            self._has_news = False
            self._looked_at = self._clock()
            self._decide()
            self._find_released()
        self._publish()
        return bool(self._pump)

    def _decide(self) -> None:
        if self._planning is None:
            self._planning = set(self._tables.planning())
        asked = [r for r in sorted(self._planning) if self._owns(r) and r not in self._decided]
        if not asked:
            return
        found = self._tables.planned(asked)
        statuses = [decide(each.status, each.plan, each.guards, each.planned_at) for each in found]
        if not statuses:
            return
        self._crash("store.before_decision")
        self._writer.orders(statuses)
        self._crash("store.after_decision")
        for status in statuses:
            request_id, is_held = status.request.request_id, status.state is RequestState.HELD
            self._decided.add(request_id)
            self.held += is_held
            self.passed += not is_held
            metrics.STORE_DECISIONS.labels("held" if is_held else "passed").inc()
            log.info("planned", request_id=request_id, state=status.state, detail=status.detail)

    def _find_released(self) -> None:
        """A pass over a request that is under way goes on."""
        waiting = {released.request_id for released in self._pump}
        found = self._tables.released()
        self._published.keep(frozenset(found))
        for released in found:
            request_id = released.request_id
            is_due = self._published.is_due(released) or request_id in self._parked_since
            if is_due and request_id not in waiting and self._owns(request_id):
                self._parked_since.discard(request_id)
                self._pump.append(released)

    def _publish(self) -> None:
        if not self._pump:
            return
        released = self._pump[0]
        page = self._tables.parked(released.request_id, self._place, AT_ONCE)
        if chunks := [chunk for record in page if (chunk := self._chunk(released, record)) is not None]:
            self._writer.chunks(chunks)
            self._crash("store.after_released")
            self.released_chunks += len(chunks)
            metrics.STORE_RELEASED.inc(len(chunks))
        if len(page) == AT_ONCE:
            self._place = page[-1].place
            return
        self._published.done(self._pump.popleft())
        self._place = FIRST_PARKED

    def _chunk(self, released: ReleasedRequest, record: ParkedRecord) -> Chunk | None:
        """Of a request that was cancelled it says so itself: the processor may have forgotten by then."""
        try:
            found = self._decode(record.value)
        except DecodeError as fault:
            request_id, place = released.request_id, record.place
            log.warning("parked chunk cannot be read", request_id=request_id, place=place, why=fault.detail)
            return None
        if not isinstance(found, Parked):
            return None
        is_cancelled = released.state is RequestState.CANCELLED
        return replace(found.chunk, stage=Stage.GUARDED) if is_cancelled else found.chunk


def _is_decided(status: RequestStatus | None) -> bool:
    """Held, let pass, cancelled, or gone."""
    return status is None or status.planned is not None or status.state is not RequestState.ACCEPTED
