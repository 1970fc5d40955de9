"""How long ids are restored before the processor gives up, and that it lives meanwhile."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from processor.adapters.kafka.accepted import PATIENCE_S, AcceptedIds, AcceptedReader
from processor.service.history_ports import Extent, StoreUnavailable
from tests.unit.adapters.clock import Clock

if TYPE_CHECKING:
    from processor.adapters.kafka.history_topic import TopicFacts

WAIT_S = 10.0
"""Between two records."""
RECORDS = 20


@dataclass(slots=True)
class Facts:
    """Two partitions of so many records."""

    topic: str = "accepted"

    def extents(self, partitions: Iterable[int]) -> Mapping[int, Extent]:
        return {p: Extent(0, RECORDS, RECORDS) for p in partitions}

    def offsets_at(self, partitions: Iterable[int], _time: datetime) -> Mapping[int, int]:
        return dict.fromkeys(partitions, 0)


@dataclass(slots=True)
class Slow:
    """Gives one record at a time, and nothing once there is none."""

    clock: Clock
    records: deque[Message] = field(default_factory=deque)

    def consume(self, _most: int, _timeout_s: float) -> list[Message]:
        self.clock.now_s += WAIT_S
        return [self.records.popleft()] if self.records else []

    def assign(self, places: list[TopicPartition]) -> None:
        assert [place.offset for place in places] == [0, 0]

    def unassign(self) -> None:
        assert not self.records


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow(Clock())
    monkeypatch.setattr("processor.adapters.kafka.accepted.time.monotonic", made.clock)
    return made


class Stop(Exception):
    """A stop was asked for."""


def nothing() -> None:
    """Nobody looks whether it lives."""


def restore(slow: Slow, alive: Callable[[], None] = nothing) -> AcceptedIds:
    ids = AcceptedIds(3_600, 1_000)
    AcceptedReader(cast("Consumer", slow), cast("TopicFacts", Facts()), 3_600, ids, alive).restore([0, 1])
    return ids


def records(partition: int, count: int, first: int = 0) -> list[Message]:
    at: Any = (1, 1_000)
    return [
        Message(topic="accepted", partition=partition, offset=n, key=b"%d-%d" % (partition, n), timestamp=at)
        for n in range(first, first + count)
    ]


def test_ids_are_restored_for_as_long_as_some_come(slow: Slow) -> None:
    slow.records += [*records(0, RECORDS), *records(1, RECORDS)]
    assert len(slow.records) * WAIT_S > PATIENCE_S
    assert len(restore(slow)) == 2 * RECORDS


def test_nothing_is_waited_for_without_end(slow: Slow) -> None:
    """Others' records, behind the end, are no progress of a partition in which a transaction hangs."""
    started_s = slow.clock.now_s
    slow.records += [*records(0, RECORDS), *records(1, RECORDS - 1), *records(0, 100, RECORDS)]
    with pytest.raises(StoreUnavailable, match=r"partitions \[1\]: .*nothing came for 60 s"):
        restore(slow)
    assert slow.clock.now_s - started_s <= (2 * RECORDS) * WAIT_S + PATIENCE_S


def test_restoring_tells_each_time_that_it_lives(slow: Slow) -> None:
    """Without it a long one is taken as stuck and killed, and the next process begins anew, for ever."""
    slow.records += [*records(0, RECORDS), *records(1, RECORDS)]
    told_at_s: list[float] = []
    restore(slow, lambda: told_at_s.append(slow.clock.now_s))
    assert len(told_at_s) >= 2 * RECORDS
    assert max(later - sooner for sooner, later in pairwise(told_at_s)) <= WAIT_S


def test_a_stop_ends_restoring_even_while_nothing_comes(slow: Slow) -> None:
    def stop() -> None:
        if not slow.records:
            raise Stop

    slow.records += records(0, RECORDS)
    with pytest.raises(Stop):
        restore(slow, stop)
