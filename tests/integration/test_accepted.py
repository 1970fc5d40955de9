"""Accepted ids restored from a real topic, also while a former owner's transaction is open on it."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from processor.adapters.kafka.accepted import AcceptedIds, AcceptedReader
from processor.adapters.kafka.clients import client_config, reader_config
from processor.adapters.kafka.history_topic import TopicFacts
from processor.settings import Settings

BEFORE, OPEN = b"a" * 16, b"b" * 16
WINDOW_S = 3_600.0
MOST = 100


class World:
    """A topic of one partition, who writes ids there, and who restores them."""

    def __init__(self, bootstrap: str) -> None:
        self.topic = f"accepted-{uuid.uuid4().hex[:8]}"
        settings = Settings(bootstrap_servers=bootstrap, release=self.topic)
        admin = AdminClient(client_config(settings))
        admin.create_topics([NewTopic(self.topic, 1, 1)])[self.topic].result(20)
        self.ids = AcceptedIds(WINDOW_S, MOST)
        facts = TopicFacts(client_config(settings), self.topic)
        self.reader = AcceptedReader(Consumer(reader_config(settings)), facts, WINDOW_S, self.ids, lambda: None)
        self._client = {"bootstrap.servers": bootstrap, "log_level": 2}

    def begin(self, accepted_id: bytes) -> Producer:
        """One whose transaction with the id is open."""
        producer = Producer({**self._client, "transactional.id": uuid.uuid4().hex})
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(self.topic, b"1", accepted_id, 0)
        assert producer.flush(20) == 0
        return producer


@pytest.fixture
def world(stack_settings: dict[str, str]) -> Iterator[World]:
    made = World(stack_settings["RESYNC_BOOTSTRAP_SERVERS"])
    yield made
    made.reader.close()


@pytest.mark.parametrize("before", [[], [BEFORE]])
def test_a_transaction_that_is_open_is_waited_for(world: World, before: list[bytes]) -> None:
    """Also where nothing else of the window is there to be read."""
    for each in before:
        world.begin(each).commit_transaction(20)
    former = world.begin(OPEN)
    with ThreadPoolExecutor(1) as threads:
        restoring = threads.submit(world.reader.restore, [0])
        with pytest.raises(NotYet):
            restoring.result(2)
        former.commit_transaction(20)
        restoring.result(20)
    assert [each in world.ids for each in (BEFORE, OPEN)] == [bool(before), True]


def test_what_was_aborted_is_not_known(world: World) -> None:
    world.begin(BEFORE).commit_transaction(20)
    world.begin(OPEN).abort_transaction(20)
    world.reader.restore([0])
    assert [each in world.ids for each in (BEFORE, OPEN)] == [True, False]


@pytest.mark.parametrize("same", ["known again", "aborted"])
def test_ids_that_were_not_looked_for_are_not_taken_to_be_restored(world: World, same: str) -> None:
    """Where an id stands several times, or was aborted, as many offsets hold fewer ids than can be kept."""
    before_s = time.time()
    first = world.begin(BEFORE)
    first.commit_transaction(20)
    for _ in range(MOST):
        first.begin_transaction()
        first.produce(world.topic, b"1", OPEN, 0)
        if same == "aborted":
            first.flush(20)
            first.abort_transaction(20)
        else:
            first.commit_transaction(20)
    world.reader.restore([0])
    assert BEFORE not in world.ids
    assert before_s - 1 < world.ids.since_s <= time.time()


def test_a_window_that_was_read_whole_is_known_whole(world: World) -> None:
    world.begin(BEFORE).commit_transaction(20)
    world.reader.restore([0])
    assert world.ids.since_s < time.time() - WINDOW_S + 60
