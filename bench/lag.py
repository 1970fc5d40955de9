"""The lag of consumer groups as an autoscaler sees it."""

import time
from collections.abc import Iterable

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from bench.traffic import WrongCount
from processor.adapters.kafka.clients import client_config
from processor.adapters.kafka.history_topic import TopicFacts
from processor.settings import Settings

PATIENCE_S = 15.0
LOOK_EVERY_S = 0.2


def assert_idle(settings: Settings, roles: Iterable[str]) -> None:
    """All that is on the topics has been read by its groups, markers of transactions included, within 15 s.

    Raises WrongCount: an autoscaler would never see such groups idle.
    """
    deadline = time.monotonic() + PATIENCE_S
    while behind := {role: lag for role in roles if (lag := _lag(settings, settings.group(role)))}:
        if time.monotonic() > deadline:
            raise WrongCount(f"groups that have nothing left to do have a lag: {behind}")
        time.sleep(LOOK_EVERY_S)


def _lag(settings: Settings, group: str) -> int:
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers, "log_level": 3})
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
    lag = 0
    for offset in asked[group].result(10).topic_partitions:
        extents = TopicFacts({**client_config(settings), "log_level": 3}, offset.topic).extents([offset.partition])
        lag += max(0, extents[offset.partition].high - max(0, offset.offset))
    return lag
