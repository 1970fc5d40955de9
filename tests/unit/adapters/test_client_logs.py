"""What librdkafka has to say comes by the role's log, whatever the client: nothing listens at this address."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from processor.adapters.kafka import history_topic, history_writer
from processor.adapters.kafka.clients import client_config, consumer_config, producer_config, reader_config
from processor.adapters.kafka.control_reader import ControlReader
from processor.adapters.kafka.history_heads import TopicHeads
from processor.adapters.kafka.history_topic import TopicFacts
from processor.adapters.kafka.history_writer import StoreTopics, StoreWriter
from processor.adapters.kafka.topics import TopicAdmin
from processor.codec import Codec
from processor.core.catalog import Catalog, Limits
from processor.logs import CLIENT_LOG
from processor.service.client_ports import Unreachable
from processor.service.history_ports import StoreUnavailable
from processor.service.monitor import OpenRequests
from processor.settings import Settings, load_settings

NOWHERE = "127.0.0.1:1"
SOON_S = 0.3


def transactional(settings: Settings) -> Callable[[], object]:
    producer = Producer(producer_config(settings, "process"))
    return lambda: producer.poll(0.1)


def group_member(settings: Settings) -> Callable[[], object]:
    consumer = Consumer(consumer_config(settings, "process"))
    return lambda: consumer.poll(0.1)


def reader(settings: Settings) -> Callable[[], object]:
    consumer = Consumer(reader_config(settings))
    return lambda: consumer.poll(0.1)


def heads(settings: Settings) -> Callable[[], object]:
    made = TopicHeads(client_config(settings), "t", 1)
    return lambda: made.read(OpenRequests(), 0.1)


def control(settings: Settings) -> Callable[[], object]:
    made = ControlReader(client_config(settings), ["t"], Codec.open(None, Catalog({}, {}, Limits())))
    return lambda: list(made.wishes())


def facts(settings: Settings) -> Callable[[], object]:
    return TopicFacts(client_config(settings), "t").partitions


def admin(settings: Settings) -> Callable[[], object]:
    return TopicAdmin(client_config(settings)).partition_counts


def writer(settings: Settings) -> Callable[[], object]:
    """Its own producer, not the client by which it first asks for the number of partitions."""

    def step() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TopicFacts, "partitions", lambda _: 1)
            StoreWriter(
                client_config(settings), StoreTopics("t", "r", "c"), Codec.open(None, Catalog({}, {}, Limits())), 5.0
            )

    return step


@pytest.mark.parametrize("make", [transactional, group_member, reader, heads, control, facts, admin, writer])
def test_its_lines_are_the_role_s(
    make: Callable[[Settings], Callable[[], Any]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RESYNC_BOOTSTRAP_SERVERS", NOWHERE)
    monkeypatch.setattr(history_topic, "ANSWER_S", SOON_S)
    monkeypatch.setattr(history_writer, "CONFIRM_S", SOON_S)
    caplog.set_level(logging.DEBUG, CLIENT_LOG)
    step = make(load_settings())
    until = time.monotonic() + 10
    while not any(record.name == CLIENT_LOG for record in caplog.records):
        assert time.monotonic() < until, "nothing was logged"
        with suppress(StoreUnavailable, Unreachable):
            step()
    assert "Connect to" in caplog.text
    assert "rdkafka" not in capfd.readouterr().err
