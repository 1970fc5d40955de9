"""A replay that reads on to where the store has come meanwhile."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from processor.core import ids
from processor.service.history_changes import Changes, RawRecord, history_decoder
from processor.service.history_ports import (
    BatchLimits,
    Extent,
    HistoryTransaction,
    LogBatch,
    StoredOffset,
    StoreUnavailable,
)
from processor.service.rebuild import Progress, Reading, Replayed, silent
from processor.service.replay import replay
from tests.unit.service.processing import CODEC

BATCH = 10
END = 100
"""The log's, when the replay begins."""
LATER = (50, 30, 5)
"""By how much the log is longer each time its end is asked for again."""


@dataclass(slots=True)
class Log:
    """One partition, of which the store holds nothing."""

    topic: str = "resync.history"
    partitions: int = 1
    asked: int = 0
    away_from: int | None = None
    """Offset at which nobody answers."""
    silent_when_asked: int | None = None

    def topic_id(self) -> str:
        return "id"

    @property
    def end(self) -> int:
        """The first question is of the first end."""
        return END + sum(LATER[: max(0, self.asked - 1)])

    def extents(self, partitions: Iterable[int]) -> Mapping[int, Extent]:
        self.asked += 1
        if self.asked == self.silent_when_asked:
            raise StoreUnavailable("silent")
        return {p: Extent(0, self.end, self.end) for p in partitions}

    def batches(self, start: Mapping[int, int], end: Mapping[int, int], limits: BatchLimits) -> Iterator[LogBatch]:
        for offset in range(start[0], end[0], limits.records):
            if self.away_from is not None and offset >= self.away_from:
                raise StoreUnavailable("away")
            after = min(offset + limits.records, end[0])
            yield LogBatch([tombstone(n) for n in range(offset, after)], {0: offset}, {0: after})


def tombstone(offset: int) -> RawRecord:
    return RawRecord(0, offset, ids.request_key(str(UUID(int=offset))).encode(), None)


@dataclass(slots=True)
class Tables:
    """Know how far they have come, and how far they were when they were swapped in."""

    offset: int = 0
    swapped_at: int | None = None
    staged: list[Changes] = field(default_factory=list)

    def live_offsets(self) -> Mapping[int, StoredOffset]:
        return {}

    def begin(self, offsets: Mapping[int, int], topic_id: str) -> None:
        assert topic_id == "id"
        self.offset = offsets[0]

    @contextmanager
    def transaction(self) -> Iterator[HistoryTransaction]:
        yield cast("HistoryTransaction", self)

    def stage(self, changes: Changes) -> None:
        self.staged.append(changes)

    def merge(self) -> None:
        assert self.staged

    def advance(self, end: Mapping[int, int]) -> None:
        self.offset = end[0]

    def complete(self) -> None:
        assert self.offset == END

    def cancel(self) -> None:
        raise AssertionError("nobody stops it")

    def swap(self) -> None:
        self.swapped_at = self.offset


def replayed(log: Log, tables: Tables, progress: Progress = silent) -> Replayed:
    return replay(Reading(log, history_decoder(CODEC), BatchLimits(records=BATCH)), tables, progress)


def test_progress_does_not_run_backwards_while_what_came_meanwhile_is_read() -> None:
    told: list[tuple[int, int]] = []
    tables = Tables()

    done = replayed(Log(), tables, lambda read, total: told.append((read, total)))

    assert (done.records, tables.swapped_at) == (185, 185)
    assert told[-1] == (185, 185)
    assert told == sorted(told)
    assert [total for _, total in told] == sorted(total for _, total in told)


@pytest.mark.parametrize(
    ("log", "came_to"),
    [
        pytest.param(Log(silent_when_asked=3), 150, id="nobody tells the log's end"),
        pytest.param(Log(away_from=120), 120, id="what came meanwhile cannot be read"),
    ],
)
def test_a_finished_replay_is_not_thrown_away_where_it_cannot_read_on(log: Log, came_to: int) -> None:
    tables = Tables()

    with capture_logs() as said:
        replayed(log, tables)

    assert tables.swapped_at == came_to
    assert [line["log_level"] for line in said] == ["warning", "info"]
