"""Partitions at rest while there is load: where they are moved, and how often."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, Message, TopicPartition

from processor.adapters.kafka.inbox import AT_REST_EVERY_S, Inbox
from processor.adapters.kafka.membership import Membership
from processor.service.records import Lane
from tests.unit.adapters.clock import Clock

BUSY, QUIET = ("requests", 0), ("answers", 1)


@dataclass(slots=True)
class Broker:
    """A consumer: what it gives, and how far it is."""

    log: deque[Message] = field(default_factory=deque)
    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    on_assign: Callable[[Any, list[TopicPartition]], None] | None = None

    def subscribe(self, _topics: list[str], *, on_assign: Callable[..., None], **_others: object) -> None:
        self.on_assign = on_assign

    def assign(self, _places: list[TopicPartition]) -> None: ...

    def resume(self, _places: list[TopicPartition]) -> None: ...

    def seek(self, place: TopicPartition) -> None:
        self.positions[place.topic, place.partition] = OFFSET_INVALID

    def poll(self, _timeout_s: float) -> Message | None:
        return self.log.popleft() if self.log else None

    def consume(self, _most: int, _timeout_s: float) -> list[Message]:
        return []

    def committed(self, places: list[TopicPartition], _timeout_s: float) -> list[TopicPartition]:
        return [TopicPartition(each.topic, each.partition, 6) for each in places]

    def position(self, places: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(p.topic, p.partition, self.positions[p.topic, p.partition]) for p in places]

    def get_watermark_offsets(self, _place: TopicPartition, *, cached: bool) -> tuple[int, int]:
        assert cached
        return 0, 7


@dataclass(slots=True)
class World:
    clock: Clock
    broker: Broker
    inbox: Inbox

    def read(self, place: tuple[str, int], offset: int) -> None:
        topic, number = place
        at: Any = (1, 1_000)
        self.broker.log.append(Message(topic=topic, partition=number, offset=offset, value=b"1", timestamp=at))
        self.broker.positions[place] = offset + 1
        assert self.inbox.fill(0.0) == 1

    def take(self) -> None:
        self.inbox.take(next(self.inbox.ready(2_000.0)))

    def at_rest(self) -> dict[tuple[str, int], int]:
        return {(place.topic, place.partition): place.offset for place in self.inbox.at_rest(())}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """All is done with up to offset 6, where the quiet partition has a marker and the busy one nothing yet."""
    clock, broker = Clock(), Broker(positions={BUSY: 6, QUIET: 7})
    monkeypatch.setattr("processor.adapters.kafka.inbox.time.monotonic", clock)
    lanes = {"requests": Lane.REQUESTS, "answers": Lane.ANSWERS}
    inbox = Inbox(cast("Consumer", broker), lanes, Membership("member", clock))
    assert broker.on_assign is not None
    broker.on_assign(broker, [TopicPartition(*BUSY), TopicPartition(*QUIET)])
    return World(clock, broker, inbox)


def test_a_partition_at_rest_moves_on_beside_one_that_never_rests(world: World) -> None:
    world.read(BUSY, 6)
    world.take()
    offsets = [*world.inbox.offsets(), *world.inbox.at_rest(world.inbox.offsets())]
    assert [(place.topic, place.offset) for place in offsets] == [("requests", 7), ("answers", 7)]
    world.inbox.committed(offsets)
    world.clock.now_s += AT_REST_EVERY_S
    world.read(BUSY, 7)
    assert world.at_rest() == {}, "it is where it belongs"
    assert world.inbox.lag[Lane.ANSWERS].records == 0


def test_a_partition_that_a_transaction_under_way_names_is_left_to_it(world: World) -> None:
    assert world.inbox.at_rest([TopicPartition(*QUIET, 6), TopicPartition(*BUSY, 6)]) == []


def test_it_is_looked_for_now_and_then(world: World) -> None:
    assert world.at_rest() == {QUIET: 7}
    assert world.at_rest() == {}
    world.clock.now_s += AT_REST_EVERY_S
    assert world.at_rest() == {QUIET: 7}, "what was not committed is told again"


@pytest.mark.parametrize("taken", [False, True])
def test_no_partition_is_moved_past_what_is_not_done_with(world: World, *, taken: bool) -> None:
    world.read(QUIET, 7)
    if taken:
        world.take()
    assert world.at_rest() == {}


def test_no_partition_is_moved_to_where_it_was_before_a_rewind(world: World) -> None:
    world.read(QUIET, 7)
    world.take()
    world.inbox.rewind()
    assert world.at_rest() == {}
