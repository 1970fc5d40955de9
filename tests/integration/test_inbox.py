"""The inbox on a real broker: partitions that wait, that move, and a broker that goes away."""

import time
import uuid
from collections.abc import Callable, Iterator
from itertools import islice
from time import monotonic

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from processor.adapters.kafka.clients import consumer_config
from processor.adapters.kafka.inbox import AT_REST_EVERY_S, IDLE_COMMIT_EVERY_S, Inbox
from processor.adapters.kafka.membership import Membership
from processor.adapters.kafka.read_ahead import HELD_RECORDS
from processor.service.records import Lane
from processor.settings import Settings
from stack import services
from stack.layout import Stack
from tests.awaiting import await_
from tests.e2e.servers import frozen
from tests.integration.broker_door import BrokerDoor

AT_ONCE_S = 5.0


class World:
    """A topic of one partition in a lane that has to wait, and members of the group that reads it."""

    def __init__(self, bootstrap: str, lane: Lane = Lane.RETRY) -> None:
        self.lane = lane
        self.bootstrap = bootstrap
        self.topic = f"inbox-{uuid.uuid4().hex[:8]}"
        self.due_at_s = 0.0
        self.members: list[Inbox] = []
        self.consumers: list[Consumer] = []
        self.read: list[int] = []
        """Records that each member has read ahead."""
        self.assignments: list[int] = []
        self._client: dict[str, str | int | float | bool] = {"bootstrap.servers": bootstrap, "log_level": 2}
        self._admin = AdminClient(self._client)
        self._admin.create_topics([NewTopic(self.topic, 1, 1)])[self.topic].result(20)

    def close(self) -> None:
        for member in self.members:
            member.close()

    def put(self, count: int) -> None:
        producer = Producer(self._client)
        for number in range(count):
            producer.produce(self.topic, b"%d" % number, partition=0)
        assert producer.flush(20) == 0

    def put_in_transaction(self) -> None:
        """One record, and the marker of its commit."""
        producer = Producer({**self._client, "transactional.id": self.topic})
        producer.init_transactions(10)
        producer.begin_transaction()
        producer.produce(self.topic, b"0", partition=0)
        producer.commit_transaction(10)

    def make_another(self) -> str:
        """A second topic like the first, with one record."""
        name = f"{self.topic}-too"
        self._admin.create_topics([NewTopic(name, 1, 1)])[name].result(20)
        producer = Producer(self._client)
        producer.produce(name, b"too", partition=0)
        assert producer.flush(20) == 0
        return name

    def join(self, lanes: dict[str, Lane] | None = None) -> Inbox:
        ordinal = len(self.members)
        settings = Settings(bootstrap_servers=self.bootstrap, release=self.topic, ordinal=ordinal, session_timeout_s=6)

        def assigned(_partitions: object) -> None:
            self.assignments.append(ordinal)

        consumer = Consumer(consumer_config(settings, "process"))
        made = Inbox(
            consumer,
            lanes or {self.topic: self.lane},
            Membership(f"{self.topic}-{ordinal}"),
            on_assigned=assigned,
            due_at_s=lambda _record: self.due_at_s,
        )
        self.consumers.append(consumer)
        self.members.append(made)
        self.read.append(0)
        return made

    def leave(self) -> None:
        """The newest member; the next one that joins comes back in its place."""
        self.consumers.pop()
        self.members.pop().close()
        self.read.pop()

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Keeps all members polling meanwhile."""

        def look() -> object:
            for ordinal, member in enumerate(self.members):
                self.read[ordinal] += member.fill(0.05)
            return holds()

        await_(look, what)

    def owner(self) -> int | None:
        """Which member holds records that wait."""
        return next((n for n, member in enumerate(self.members) if member.next_due_s() is not None), None)

    def take(self, most: int | None = None) -> list[bytes]:
        """What may be taken now, and is then done with."""
        taken: list[bytes] = []
        for consumer, member in zip(self.consumers, self.members, strict=True):
            for record in member.ready(time.time()):
                if len(taken) == most:
                    break
                member.take(record)
                taken.append(record.value or b"")
            if offsets := member.offsets():
                offsets += member.at_rest(offsets)
                consumer.commit(offsets=offsets, asynchronous=False)
            member.committed(offsets)
        return taken


@pytest.fixture
def world(stack_settings: dict[str, str]) -> Iterator[World]:
    made = World(stack_settings["RESYNC_BOOTSTRAP_SERVERS"])
    yield made
    made.close()


def test_a_paused_partition_is_read_on_after_a_rebalance(world: World) -> None:
    """It stays with its owner, and librdkafka keeps the pause over the new assignment."""
    count = HELD_RECORDS + 1_500
    world.put(count)
    world.due_at_s = float("inf")
    world.join()
    world.until(lambda: world.read[0] >= HELD_RECORDS, "enough to be paused")
    world.join()
    world.until(lambda: 1 in world.assignments and world.assignments.count(0) > 1, "the rebalance")
    world.until(lambda: world.owner() == 0, "records to be read again")

    world.due_at_s = 0.0
    taken: list[bytes] = []
    while len(taken) < count:
        world.until(lambda: world.owner() is not None, "the rest of the records")
        taken += world.take()
    assert taken == numbered(0, count)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_member_that_is_back_reads_the_topics_that_it_now_names(world: World, *, is_new: bool) -> None:
    """As a processor does whose policy has got another request topic, or has one less."""
    world.put(2)
    one, both = {world.topic: Lane.RETRY}, {world.make_another(): Lane.REQUESTS, world.topic: Lane.RETRY}
    before, now = (one, both) if is_new else (both, one)
    world.join(before)
    world.until(lambda: world.read[0] == 1 + len(before), "all records")
    world.leave()

    world.join(now)
    taken: list[bytes] = []
    while len(taken) < 1 + len(now):
        world.until(lambda: world.owner() is not None, "all records of the topics that it names")
        taken += world.take()
    assert sorted(taken) == [*numbered(0, 2), *([b"too"] if is_new else [])]


@pytest.fixture
def chunks(stack_settings: dict[str, str]) -> Iterator[World]:
    made = World(stack_settings["RESYNC_BOOTSTRAP_SERVERS"], Lane.CHUNKS)
    yield made
    made.close()


def in_hand(inbox: Inbox, most: int) -> list[bytes]:
    """Takes so many chunks of a partition."""
    taken: list[bytes] = []
    for record in inbox.chunks():
        inbox.take(record)
        taken.append(record.value or b"")
        if len(taken) == most:
            break
    return taken


def test_a_partition_whose_chunks_are_in_hand_gives_no_more(chunks: World) -> None:
    chunks.put(5)
    inbox = chunks.join()
    chunks.until(lambda: chunks.read[0] == 5, "all records")
    assert list(inbox.ready(time.time())) == []
    assert inbox.next_due_s() is None, "nothing that the loop itself would wait for"
    assert list(inbox.chunks(resting={0})) == []
    assert in_hand(inbox, 2) == numbered(0, 2)
    assert in_hand(inbox, 2) == []
    assert inbox.waits(Lane.CHUNKS, 0)
    assert inbox.offsets() == []
    assert [place.offset for place in inbox.offsets(0)] == [2]
    chunks.consumers[0].commit(offsets=inbox.offsets(0), asynchronous=False)
    inbox.committed(inbox.offsets(0))
    assert in_hand(inbox, 5) == numbered(2, 5)


def test_offsets_of_one_batch_are_committed_while_the_next_is_taken(world: World) -> None:
    world.put(5)
    inbox = world.join()
    world.until(lambda: world.read[0] == 5, "all records")

    def batch(most: int) -> list[TopicPartition]:
        for record in islice(inbox.ready(time.time()), most):
            inbox.take(record)
        return inbox.offsets()

    first, second = batch(2), batch(2)
    assert [place.offset for place in (*first, *second)] == [2, 4]
    inbox.committed(first)
    assert inbox.waits(Lane.RETRY, 0)
    assert [place.offset for place in inbox.offsets()] == [4]
    inbox.rewind()
    world.until(lambda: world.read[0] == 5 + 3, "what comes after the first batch again")
    assert world.take() == numbered(2, 5)


def test_the_position_is_committed_only_where_nothing_is_in_hand(world: World) -> None:
    """It is past the records that are taken."""
    world.put(2)
    inbox = world.join()
    world.until(lambda: world.read[0] == 2, "all records")
    for record in inbox.ready(time.time()):
        inbox.take(record)
    offsets = inbox.offsets()
    until = monotonic() + 2 * IDLE_COMMIT_EVERY_S
    world.until(lambda: monotonic() > until, "some time")
    [place] = world.consumers[0].committed([TopicPartition(world.topic, 0)], 10)
    assert place.offset < 0
    inbox.committed(offsets)
    assert not inbox.waits(Lane.RETRY, 0)


def test_nobody_waits_for_a_broker_to_move_an_idle_group(world: World, stack: Stack) -> None:
    """A client that has lost its coordinator may wait for it without end."""
    world.put_in_transaction()
    inbox = world.join()
    place = TopicPartition(world.topic, 0)
    world.until(lambda: [p.offset for p in world.consumers[0].position([place])] == [2], "the marker after the record")
    inbox.take(next(inbox.ready(time.time())))
    longest_s = 0.0
    with frozen(stack, "kafka"):
        inbox.committed(inbox.offsets())
        until = monotonic() + 3 * IDLE_COMMIT_EVERY_S
        while monotonic() < until:
            started = monotonic()
            inbox.fill(0.1)
            longest_s = max(longest_s, monotonic() - started)
    assert longest_s < AT_ONCE_S
    world.until(lambda: world.consumers[0].committed([place], 10)[0].offset == 2, "the group past the marker")
    world.until(lambda: inbox.lag[world.lane].records == 0, "no lag")


def test_a_partition_at_rest_is_moved_past_its_marker_while_others_are_busy(world: World) -> None:
    """The loop is never idle then."""
    world.put_in_transaction()
    busy = world.make_another()
    inbox = world.join({world.topic: world.lane, busy: Lane.REQUESTS})
    world.until(lambda: world.read[0] == 2, "all records")
    world.take()
    producer, until = Producer({"bootstrap.servers": world.bootstrap}), monotonic() + 2 * AT_REST_EVERY_S
    while monotonic() < until:
        producer.produce(busy, b"more", partition=0)
        assert producer.flush(20) == 0
        assert inbox.fill(10.0) > 0, "one is always there before the wait is over"
        world.take()
        time.sleep(0.1)
    [place] = world.consumers[0].committed([TopicPartition(world.topic, 0)], 10)
    assert (place.offset, inbox.lag[world.lane].records) == (2, 0)


def test_what_is_in_hand_is_void_after_going_back_and_after_a_rebalance(chunks: World) -> None:
    chunks.put(3)
    inbox = chunks.join()
    chunks.until(lambda: chunks.read[0] == 3, "all records")
    assert in_hand(inbox, 2) == numbered(0, 2)
    before = inbox.generation
    inbox.rewind()
    assert inbox.generation > before
    chunks.until(lambda: chunks.read[0] == 6, "all records again")
    assert in_hand(inbox, 2) == numbered(0, 2)

    before = inbox.generation
    chunks.join()
    chunks.until(lambda: 1 in chunks.assignments and chunks.assignments.count(0) > 1, "the rebalance")
    assert inbox.generation > before
    assert inbox.offsets(0) == []
    chunks.until(lambda: inbox.waits(Lane.CHUNKS, 0), "records to be read again")
    assert in_hand(inbox, 3)[0] == b"0"


def test_going_back_asks_no_broker(world: World, stack: Stack) -> None:
    """The state and the broker may be away together: a role waits for both, for as long as it takes."""
    world.put(10)
    inbox = world.join()
    world.until(lambda: world.read[0] == 10, "all records")
    assert world.take(most=3) == numbered(0, 3)
    inbox.take(next(inbox.ready(time.time())))

    services.stop(stack, "kafka")
    try:
        started = monotonic()
        inbox.rewind()
        took_s = monotonic() - started
    finally:
        services.start(stack, "kafka")

    assert took_s < AT_ONCE_S
    # Nothing is committed any more: a broker that is back may take a static member for another one of its name.
    taken: list[bytes] = []
    while len(taken) < 7:
        world.until(lambda: world.owner() is not None, "the records that were not done with")
        for record in inbox.ready(time.time()):
            inbox.take(record)
            taken.append(record.value or b"")
    assert taken == numbered(3, 10)


def test_a_member_that_is_told_of_no_broker_asks_again(world: World) -> None:
    """It would else stay a member of its group by what it knows, and read nothing any more."""
    world.put(1)
    with BrokerDoor(world.bootstrap, client_id=f"{world.topic}-0") as door:
        world.bootstrap = door.bootstrap
        world.join()
        world.until(lambda: world.read[0] == 1, "the first record")
        door.say_none()
        world.until(door.said_none.is_set, "a question for metadata")
        world.put(1)
        world.until(lambda: world.read[0] == 2, "the second record")


def numbered(first: int, end: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, end)]
