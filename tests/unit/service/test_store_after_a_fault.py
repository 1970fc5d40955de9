"""What the store's guard and its orders go on with after a fault: all that was not written, from its beginning."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from time import monotonic
from typing import cast

import pytest

from processor.core.chunk import Cause, Chunk, Stage
from processor.core.history import HistoryRecord, Order, OrderAction, Parked, RequestState, RequestStatus
from processor.core.request import Request
from processor.crashpoint import CrashPoints
from processor.service.guard import AT_ONCE, LOOK_EVERY_S, MOST_REPEAT_S, REPEAT_S, Guarding
from processor.service.guard_ports import Orderable, ParkedPlace, ParkedRecord, ReleasedRequest
from processor.service.history_changes import Changes, HeldChunk
from processor.service.history_ports import Extent, HistoryTables, HistoryWriter, StoreUnavailable
from processor.service.orders import Orders
from tests.unit.adapters.clock import Clock
from tests.unit.core.builders import NOW, REQUEST_ID, chunk, request


class Tables:
    """Of one request, which was let pass."""

    def __init__(self, held: Sequence[Chunk], status: RequestStatus) -> None:
        self.held = {(each.rank, each.chunk): each for each in held}
        self.status = status

    def planning(self) -> Sequence[str]:
        return []

    def released(self) -> Sequence[ReleasedRequest]:
        return [ReleasedRequest(REQUEST_ID, self.status.state, self.status.decided_at)]

    def parked(self, _request_id: str, after: ParkedPlace, limit: int) -> Sequence[ParkedRecord]:
        places = sorted(place for place in self.held if place > after)
        return [ParkedRecord(place, place[1].encode()) for place in places[:limit]]

    def orderable(self, _request_ids: Sequence[str]) -> Sequence[Orderable]:
        return [Orderable(self.status, self.status.state)]

    def decode(self, value: bytes) -> HistoryRecord:
        return Parked(next(each for each in self.held.values() if each.chunk == value.decode()))


class Writer:
    def __init__(self) -> None:
        self.is_away = False
        self.written: list[str] = []

    def chunks(self, chunks: Sequence[Chunk]) -> None:
        self._write([each.chunk for each in chunks])

    def orders(self, records: Sequence[RequestStatus | Request]) -> None:
        self._write([str(each.state) for each in records if isinstance(each, RequestStatus)])

    def _write(self, what: list[str]) -> None:
        if self.is_away:
            raise StoreUnavailable("the broker is away")
        self.written += what


def guarding_of(tables: Tables, writer: Writer, clock: Callable[[], float] = monotonic) -> Guarding:
    return Guarding(
        cast("HistoryTables", tables),
        cast("HistoryWriter", writer),
        tables.decode,
        lambda _: True,
        CrashPoints(None),
        clock=clock,
    )


def status(state: RequestState) -> RequestStatus:
    return RequestStatus(request(requested_at=NOW), state, None, None, 0, NOW)


def test_after_partitions_moved_chunks_are_published_from_the_first_one_again() -> None:
    """Parents stand first, and must not come after what hangs below them."""
    held = [
        chunk(str(number), chunk=f"{number:03}", rank=number, cause=Cause.HELD, stage=Stage.RELEASED)
        for number in range(AT_ONCE + 5)
    ]
    tables, writer = Tables(held, status(RequestState.ACCEPTED)), Writer()
    guarding = guarding_of(tables, writer)
    extents = {0: Extent(0, 0, 0)}
    guarding.take_over(extents)
    assert guarding.step({0: 0})
    assert writer.written == [each.chunk for each in held[:AT_ONCE]]
    guarding.take_over(extents)
    writer.written.clear()
    while guarding.step({0: 0}):
        pass
    assert writer.written == [each.chunk for each in held]


def test_an_order_that_could_not_be_written_means_something_when_it_is_read_again() -> None:
    tables, writer = Tables([], status(RequestState.HELD)), Writer()
    orders = Orders(None, cast("HistoryTables", tables), cast("HistoryWriter", writer), CrashPoints(None))
    cancelling = Order(REQUEST_ID, OrderAction.CANCEL, "chief", NOW + timedelta(seconds=1))
    writer.is_away = True
    with pytest.raises(StoreUnavailable):
        orders.carry_out([("resync.control", cancelling)], NOW)
    writer.is_away = False
    orders.carry_out([("resync.control", cancelling), ("resync.control", cancelling)], NOW)
    assert writer.written == ["CANCELLED"]
    orders.carry_out([("resync.control", cancelling)], NOW)
    assert writer.written == ["CANCELLED"], "the history does not tell it yet"


def test_what_is_parked_after_a_cancellation_is_published_at_once() -> None:
    """It was being planned when its request was cancelled."""
    first, late = (chunk(key, chunk=f"0.{key}.0", cause=Cause.HELD, stage=Stage.RELEASED) for key in ("1", "2"))
    tables, writer = Tables([first], status(RequestState.CANCELLED)), Writer()
    guarding = guarding_of(tables, writer)
    guarding.take_over({0: Extent(0, 0, 0)})
    guarding.step({0: 0})
    assert writer.written == [first.chunk]
    del tables.held[first.rank, first.chunk]
    tables.held[late.rank, late.chunk] = late
    guarding.note(Changes(parked={(REQUEST_ID, late.chunk): HeldChunk(late, b"")}))
    until = monotonic() + 10 * LOOK_EVERY_S
    while len(writer.written) < 2 and monotonic() < until:
        guarding.step({0: 0})
    assert writer.written == [first.chunk, late.chunk]


def test_what_a_processor_leaves_parked_for_days_is_told_ever_more_rarely() -> None:
    """All of it, each time: every five minutes of a weekend would be seven hundred times."""
    held = chunk("1", chunk="0.0", cause=Cause.HELD, stage=Stage.RELEASED)
    tables, writer, clock = Tables([held], status(RequestState.ACCEPTED)), Writer(), Clock()
    guarding = guarding_of(tables, writer, clock)
    guarding.take_over({0: Extent(0, 0, 0)})
    told_at = []
    for at_s in range(0, 72 * 3_600, int(REPEAT_S)):
        clock.now_s = 1_000.0 + at_s
        guarding.step({0: 0})
        if writer.written:
            told_at.append(at_s)
            writer.written.clear()
    waits = [after - before for before, after in pairwise(told_at)]
    assert waits[:4] == [REPEAT_S, 2 * REPEAT_S, 4 * REPEAT_S, 8 * REPEAT_S]
    assert max(waits) <= MOST_REPEAT_S
    assert len(told_at) < 12


def test_what_another_store_may_have_missed_is_told_again_soon_after_partitions_moved() -> None:
    """What was parked while another store, or none, had the partition is known to nobody here."""
    first, late = (chunk(key, chunk=f"0.{key}.0", cause=Cause.HELD, stage=Stage.RELEASED) for key in ("1", "2"))
    tables, writer, clock = Tables([first], status(RequestState.ACCEPTED)), Writer(), Clock()
    guarding = guarding_of(tables, writer, clock)
    extents = {0: Extent(0, 0, 0)}
    guarding.take_over(extents)
    for _ in range(8):
        clock.now_s += MOST_REPEAT_S
        guarding.step({0: 0})
    writer.written.clear()
    tables.held[late.rank, late.chunk] = late
    guarding.take_over(extents)
    clock.now_s += REPEAT_S / 2
    guarding.take_over(extents)
    guarding.step({0: 0})
    assert not writer.written, "faults that follow one another publish nothing more often"
    clock.now_s += REPEAT_S / 2
    guarding.step({0: 0})
    assert writer.written == [first.chunk, late.chunk]
