"""How far a group is behind, seen by somebody who is in none: against a real broker."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupState, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from processor.adapters.kafka.group_lag import GroupLags, Watched
from processor.adapters.kafka.history_heads import TopicHeads
from processor.service.client_ports import Unreachable
from processor.service.monitor import GroupLag, OpenRequests
from tests.awaiting import await_

ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c{:02d}"
HOUR_S = 3600


@dataclass(slots=True)
class World:
    """A topic of two partitions, a group, and a monitor that looks at both."""

    bootstrap: str
    topic: str
    group: str
    lags: GroupLags

    def answers(self) -> bool:
        try:
            self.lags.look()
        except Unreachable:
            return False
        return True

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 2})

    def producer(self, **options: Any) -> Producer:
        return Producer({"bootstrap.servers": self.bootstrap, "log_level": 2, **options})

    def put(self, partition: int, age_s: float = 0.0) -> float:
        """Returns the record's timestamp."""
        at_ms = int((time.time() - age_s) * 1000)
        producer = self.producer()
        producer.produce(self.topic, b"x", partition=partition, timestamp=at_ms)
        assert producer.flush(10) == 0
        return at_ms / 1000

    def put_and_commit(self, partition: int, *, abort: bool = False) -> None:
        producer = self.producer(**{"transactional.id": self.topic})
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(self.topic, b"y", partition=partition)
        producer.flush(10)
        if abort:
            producer.abort_transaction(20)
        else:
            producer.commit_transaction(20)

    def commit(self, partition: int, offset: int) -> None:
        place = TopicPartition(self.topic, partition, offset)
        admin = self.admin()
        asked = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(self.group, [place])])
        asked[self.group].result(10)

    def lag(self) -> GroupLag:
        return self.lags.look().lags["process", "requests"]


@pytest.fixture
def world(stack_settings: dict[str, str]) -> Iterator[World]:
    bootstrap = stack_settings["RESYNC_BOOTSTRAP_SERVERS"]
    topic = f"lag-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    config = {"retention.ms": "60000000000"}
    dead_letters = f"{topic}.dead-letters"
    made_topics = [NewTopic(topic, 2, 1, config=config), NewTopic(dead_letters, 2, 1)]
    for future in admin.create_topics(made_topics).values():
        future.result(20)
    watched = Watched("process", f"{topic}-group", {topic: "requests"})
    options = {"bootstrap.servers": bootstrap, "log_level": 2}
    with closing(GroupLags(options, [watched], {topic: 2, dead_letters: 2}, dead_letters)) as lags:
        made = World(bootstrap, topic, watched.group, lags)
        await_(made.answers, "leaders of the new partitions")
        yield made
    admin.delete_topics([topic, dead_letters])


def test_a_group_that_never_was_is_behind_by_all_there_is(world: World) -> None:
    assert world.lag() == GroupLag(0, None)
    old = world.put(0, age_s=HOUR_S)
    world.put(1)
    look = world.lags.look()
    assert look.lags["process", "requests"] == GroupLag(2, old)
    assert look.members == {"process": 0}
    assert look.retention_s == {"requests": 60_000_000}


def test_topics_of_one_name_are_one_lag(world: World) -> None:
    """Request topics that a policy declares."""
    other, admin = f"{world.topic}.north", world.admin()
    for future in admin.create_topics([NewTopic(other, 1, 1, config={"retention.ms": "30000000000"})]).values():
        future.result(20)
    watched = Watched("process", world.group, {world.topic: "requests", other: "requests"})
    options = {"bootstrap.servers": world.bootstrap, "log_level": 2}
    world.put(0)
    with closing(GroupLags(options, [watched], {world.topic: 2, other: 1}, other)) as lags:
        await_(World(world.bootstrap, other, world.group, lags).answers, "the leader of the new topic")
        old = World(world.bootstrap, other, world.group, lags).put(0, age_s=HOUR_S)
        look = lags.look()
    assert look.lags == {("process", "requests"): GroupLag(2, old)}
    assert look.retention_s == {"requests": 30_000_000}, "the shortest"
    admin.delete_topics([other])


def test_the_age_is_that_of_the_record_at_the_group_s_offset(world: World) -> None:
    world.put(0, age_s=HOUR_S)
    second = world.put(0, age_s=60)
    world.put(0)
    world.commit(0, 1)
    assert world.lag() == GroupLag(2, second)
    assert world.lag() == GroupLag(2, second), "kept, not read again"
    world.commit(0, 3)
    assert world.lag() == GroupLag(0, None)


def test_a_transaction_s_marker_is_a_record_of_no_age(world: World) -> None:
    world.put_and_commit(0)
    world.commit(0, 1)
    await_(lambda: world.lag() == GroupLag(1, None), "the marker, which is written after the commit was answered")
    newer = world.put(0)
    assert world.lag() == GroupLag(2, newer), "what came after the marker is found"


def test_what_is_set_aside_is_counted_by_the_topic_s_end(world: World) -> None:
    assert world.lags.look().dead_letters_end == 0
    producer = world.producer()
    for partition in (0, 1, 1):
        producer.produce(f"{world.topic}.dead-letters", b"x", partition=partition)
    assert producer.flush(10) == 0
    look = world.lags.look()
    assert look.dead_letters_end == 3
    assert list(look.lags) == [("process", "requests")]


def test_members_are_counted_and_none_is_added(world: World) -> None:
    with closing(Consumer({"bootstrap.servers": world.bootstrap, "group.id": world.group})) as member:
        member.subscribe([world.topic])
        await_(lambda: member.poll(0.1) is None and member.assignment(), "the assignment")
        world.put(0)
        assert world.lags.look().members == {"process": 1}
    assert world.lags.look().members == {"process": 0}
    admin = world.admin()
    listed = admin.list_consumer_groups(states={ConsumerGroupState.STABLE, ConsumerGroupState.EMPTY})
    groups = {group.group_id for group in listed.result(10).valid}
    assert world.group in groups
    assert not [name for name in groups if "monitor" in name]


def test_a_broker_that_is_away_is_told() -> None:
    options = {"bootstrap.servers": "127.0.0.1:1", "log_level": 0}
    lags = GroupLags(options, [Watched("process", "g", {"t": "requests"})], {"t": 1}, "t")
    with closing(lags), pytest.raises(Unreachable, match=r"127.0.0.1:1"):
        lags.look()


def test_open_requests_are_those_that_are_committed_and_not_ended(world: World) -> None:
    """Read on from where it was; aborted records never happened."""
    producer = world.producer(**{"transactional.id": world.topic})
    producer.init_transactions(20)

    def write(*records: tuple[str, str], abort: bool = False) -> None:
        producer.begin_transaction()
        for key, status in records:
            producer.produce(world.topic, b"-", key.encode(), 0, headers={"status": status})
        producer.flush(10)
        if abort:
            producer.abort_transaction(20)
        else:
            producer.commit_transaction(20)

    write((ID.format(1), "ACCEPTED"), (ID.format(2), "ACCEPTED"), (f"{ID.format(1)}/Person/7", "SENT"))
    write((ID.format(3), "ACCEPTED"), abort=True)
    requests = OpenRequests()
    options = {"bootstrap.servers": world.bootstrap, "log_level": 2}
    with closing(TopicHeads(options, world.topic, 2)) as heads:
        await_(lambda: heads.read(requests, 1.0), "the end of the topic")
        assert len(requests) == 2
        write((f"{ID.format(1)}/~end", "COMPLETE"))
        await_(lambda: heads.read(requests, 0.5) and len(requests) == 1, "the end of a request")
        heads.again()
        requests.clear()
        await_(lambda: heads.read(requests, 1.0), "the end of the topic")
        assert len(requests) == 1


def test_a_partition_that_is_written_to_all_the_time_is_read_to_where_it_ended(world: World) -> None:
    """The broker tells its end only once nothing has come for a while."""
    stopped, options = Event(), {"bootstrap.servers": world.bootstrap, "log_level": 2}
    producer = world.producer(**{"linger.ms": 0})

    def write() -> None:
        while not stopped.wait(0.02):
            producer.produce(world.topic, b"-", ID.format(1).encode(), 0, headers={"status": "ACCEPTED"})
            producer.poll(0)

    requests = OpenRequests()
    with ThreadPoolExecutor(1) as threads, closing(TopicHeads(options, world.topic, 2)) as heads:
        writing = threads.submit(write)
        try:
            await_(lambda: heads.read(requests, 0.5), "the end as it was")
        finally:
            stopped.set()
        writing.result(10)
    assert len(requests) == 1
