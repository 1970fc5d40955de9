"""The sweep for ends that were not announced comes to its end, however many requests end meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from processor.core.history import RequestEnd, RequestState
from processor.crashpoint import CrashPoints
from processor.service.ends import SWEEP_PAGE, Ends
from processor.service.history_ports import Extent, HistoryTables, HistoryWriter, StoredOffset

NOW = datetime(2026, 8, 1, tzinfo=UTC)


class Tables:
    """Requests that ended, as of the seconds since `NOW` at which they were decided, by ids in that order."""

    def __init__(self, ended: int) -> None:
        self.ended = ended
        self.live = False

    def last_decided_at(self) -> datetime | None:
        return NOW + timedelta(seconds=self.ended - 1) if self.ended else None

    def ended_after(self, request_id: str, until: datetime, limit: int) -> Sequence[RequestEnd]:
        first = int(request_id or "-1") + 1
        last = min(first + limit, self.ended, (until - NOW) // timedelta(seconds=1) + 1)
        return [
            RequestEnd(f"{n:08}", "NORTH", "P", RequestState.COMPLETE, None, None, (), None, None)
            for n in range(first, last)
        ]

    def holds(self, expected: Mapping[int, int]) -> bool:
        return expected == {0: 7}

    def mark_live(self, partitions: set[int]) -> None:
        self.live = partitions == {0}

    @contextmanager
    def transaction(self) -> Iterator["Tables"]:
        yield self


class Writer:
    def __init__(self) -> None:
        self.told: list[str] = []

    def ends(self, ends: Sequence[RequestEnd]) -> Sequence[tuple[int, int]]:
        self.told += [end.request_id for end in ends]
        return []

    def orders(self, records: Sequence[Any]) -> None:
        assert not records


@pytest.mark.parametrize("ended", [0, 1, SWEEP_PAGE, 3 * SWEEP_PAGE + 1])
def test_all_that_had_ended_is_announced_and_what_ends_meanwhile_is_left_to_its_batches(ended: int) -> None:
    tables, writer = Tables(ended), Writer()
    ends = Ends(cast("HistoryTables", tables), cast("HistoryWriter", writer), 1, lambda: NOW, CrashPoints(None))
    ends.take_over({0: StoredOffset(7, "id", live=False)}, {0: Extent(0, 7, 7)})
    pages = 0
    while ends.is_sweeping:
        ends.sweep({0: 7})
        tables.ended += SWEEP_PAGE
        pages += 1
        assert pages <= 5
    assert tables.live
    assert ends.is_live
    assert writer.told == [f"{n:08}" for n in range(ended)]
