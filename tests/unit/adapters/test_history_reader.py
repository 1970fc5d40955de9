"""Since when the store's reader is behind: not while it has read all there is, however steadily more comes."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from processor.adapters.kafka import history_reader
from processor.adapters.kafka.history_reader import LOOK_EVERY_S, GroupReader
from processor.service.history_ports import BatchLimits
from tests.unit.adapters.clock import Clock

TOPIC = "history"
READ_EVERY_S = 0.2
HOUR_S = 3_600


class Record:
    def __init__(self, offset: int) -> None:
        self._offset = offset

    def error(self) -> None:
        return None

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"key"

    value = key

    def timestamp(self) -> tuple[int, int]:
        return 1, 0

    def __len__(self) -> int:
        return 6


class SteadyLog:
    """A consumer of one partition: each poll brings a record and reads one, but none of the last `open` ones."""

    def __init__(self) -> None:
        self.end = 0
        self.open = 0
        self.reads = True
        self.read = 0

    def subscribe(self, *_: object, **__: object) -> None:
        pass

    assign = subscribe

    def poll(self, _wait_s: float) -> Record | None:
        self.end += 1
        if not self.reads or self.read >= self.end - self.open:
            return None
        self.read += 1
        return Record(self.read - 1)

    def consume(self, *_: object) -> Sequence[Record]:
        return []

    def position(self, _places: object) -> Sequence[TopicPartition]:
        return [TopicPartition(TOPIC, 0, self.read)]

    def get_watermark_offsets(self, *_: object, **__: object) -> tuple[int, int]:
        return 0, self.end


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._clock, self.log = Clock(), SteadyLog()
        facts: Any = SimpleNamespace(topic=TOPIC, partitions=lambda: 1)
        monkeypatch.setattr(history_reader, "Consumer", lambda _: self.log)
        monkeypatch.setattr(history_reader, "TopicFacts", lambda *_: facts)
        monkeypatch.setattr(history_reader, "monotonic", self._clock)
        monkeypatch.setattr(history_reader, "time", self._clock)
        self._reader = GroupReader({}, TOPIC, "group", "instance")
        self._reader.place({0: 0})

    def read_for(self, seconds: float) -> list[float]:
        """How long it was behind after each read, in seconds."""
        behind = []
        for _ in range(round(seconds / READ_EVERY_S)):
            self._clock.now_s += READ_EVERY_S
            self._reader.read(BatchLimits(), READ_EVERY_S)
            since = self._reader.behind_since
            behind.append(0.0 if since is None else self._clock.now_s - since)
        return behind


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_who_reads_all_there_is_each_time_is_not_behind(world: World) -> None:
    assert max(world.read_for(HOUR_S)) == 0


def test_who_reads_all_but_an_open_transaction_is_hardly_behind(world: World) -> None:
    """The end that fetches tell lies beyond transactions that are open, which nobody may read yet."""
    world.log.open = 2
    assert max(world.read_for(HOUR_S)) < 3 * LOOK_EVERY_S


def test_who_reads_nothing_is_behind_for_ever_longer_until_it_has_caught_up(world: World) -> None:
    world.read_for(10)
    world.log.reads = False
    assert world.read_for(HOUR_S)[-1] == pytest.approx(HOUR_S, abs=2 * LOOK_EVERY_S)
    world.log.reads, world.log.end = True, world.log.read
    assert world.read_for(2 * LOOK_EVERY_S)[-1] == 0
