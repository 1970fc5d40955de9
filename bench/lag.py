"""The lag of consumer groups as an autoscaler sees it."""

import time

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from processor.adapters.kafka.clients import client_config
from processor.adapters.kafka.history_topic import TopicFacts
from processor.settings import Settings

PATIENCE_S = 15.0


def total_lag(settings: Settings, role_names: tuple[str, ...]) -> int:
    """Records between the groups' offsets and the ends of their partitions, markers included.

    Returns 0 as soon as that is so, else what is left after 15 s.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        lag = sum(_lag(settings, f"{settings.release}-{role}") for role in role_names)
        if lag == 0 or time.monotonic() > deadline:
            return lag


def _lag(settings: Settings, group: str) -> int:
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
    lag = 0
    for offset in asked[group].result(10).topic_partitions:
        extents = TopicFacts(client_config(settings), offset.topic).extents([offset.partition])
        lag += max(0, extents[offset.partition].high - max(0, offset.offset))
    return lag
