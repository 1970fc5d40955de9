"""What the doctor sees of a Kafka cluster. It joins no group and writes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import TimeoutError as NoAnswer
from contextlib import closing
from dataclasses import replace
from time import time
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from processor.adapters.kafka.broker import ANSWER_S, Broker
from processor.adapters.kafka.group_lag import GroupLags, Watched
from processor.service.client_ports import Unreachable
from processor.service.doctor.facts import Group, Kafka, Place, Topic

_REFUSALS = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
_LIMITS = ("transaction.max.timeout.ms", "group.max.session.timeout.ms", "group.min.session.timeout.ms")


def look_at_kafka(options: Mapping[str, Any], topics: Sequence[str], watched: Sequence[Watched]) -> Kafka:
    """`options` are librdkafka's. Topics that do not exist are left out. Raises Unreachable."""
    broker = Broker(options)
    admin = AdminClient(broker.options)
    cluster = broker.cluster(admin)
    there = {name: cluster.topics[name] for name in topics if name in cluster.topics and not cluster.topics[name].error}
    one = str(min(cluster.brokers))
    configs = _configs(broker, admin, [ConfigResource(ResourceType.TOPIC, name) for name in there])
    limits = _configs(broker, admin, [ConfigResource(ResourceType.BROKER, one)])[one]
    unseen = _unseen(broker, admin, [name for name in topics if name not in there])
    hidden = [f"the options of {name}" for name in there if configs[name] is None]
    if limits is None:
        hidden.append("the broker's options")
    found = {
        name: Topic(
            partitions=len(topic.partitions),
            replicas=min((len(p.replicas) for p in topic.partitions.values()), default=0),
            in_sync=min((len(p.isrs) for p in topic.partitions.values()), default=0),
            leaderless=sum(p.leader < 0 for p in topic.partitions.values()),
            config=configs[name] or {},
        )
        for name, topic in there.items()
    }
    try:
        groups = _groups(options, found, watched)
    except Unreachable as fault:
        if not _is_refusal(fault.__cause__):
            raise
        groups = ()
        hidden.append("the consumer groups")
    kept = {name: value for name, value in (limits or {}).items() if name in _LIMITS}
    return Kafka(broker.servers, len(cluster.brokers), kept, found, groups, unseen, tuple(hidden))


def _unseen(broker: Broker, admin: AdminClient, names: Sequence[str]) -> frozenset[str]:
    """Those of the missing topics that the account may not see; asked for so that no broker creates them."""
    if not names:
        return frozenset()
    refused = set()
    for name, future in admin.describe_topics(TopicCollection(list(names)), request_timeout=ANSWER_S).items():
        try:
            future.result(ANSWER_S + 1)
        except NoAnswer as fault:
            raise broker.unreachable(KafkaError(KafkaError._TIMED_OUT)) from fault
        except KafkaException as fault:
            if _is_refusal(fault):
                refused.add(name)
    return frozenset(refused)


def _is_refusal(fault: BaseException | None) -> bool:
    """Whether the broker did not let the account look."""
    return isinstance(fault, KafkaException) and fault.args[0].code() in _REFUSALS


def _configs(broker: Broker, admin: AdminClient, asked: Sequence[ConfigResource]) -> dict[str, dict[str, str] | None]:
    """Options by the resource's name; None where the account may not see them."""
    found: dict[str, dict[str, str] | None] = {}
    if not asked:
        return found
    for resource, future in admin.describe_configs(list(asked), request_timeout=ANSWER_S).items():
        try:
            entries = future.result(ANSWER_S + 1)
        except NoAnswer as fault:
            raise broker.unreachable(KafkaError(KafkaError._TIMED_OUT)) from fault
        except KafkaException as fault:
            if not _is_refusal(fault):
                raise broker.unreachable(fault.args[0]) from fault
            found[resource.name] = None
            continue
        found[resource.name] = {name: entry.value for name, entry in entries.items() if entry.value is not None}
    return found


def _groups(options: Mapping[str, Any], found: Mapping[str, Topic], watched: Iterable[Watched]) -> tuple[Group, ...]:
    """Of those topics that exist."""
    there = [
        replace(each, topics={name: label for name, label in each.topics.items() if name in found}) for each in watched
    ]
    asked = [each for each in there if each.topics]
    if not asked:
        return ()
    now = time()
    with closing(GroupLags(options, asked, {name: topic.partitions for name, topic in found.items()})) as lags:
        look, stands = lags.look(), lags.stands()
    groups = []
    for each in asked:
        mine = [look.lags[each.role, label] for label in set(each.topics.values())]
        oldest = [lag.oldest_s for lag in mine if lag.oldest_s is not None]
        places = [
            Place(*place, stand.low, stand.high, stand.committed)
            for (group, place), stand in stands.items()
            if group == each.group and place[0] in each.topics
        ]
        groups.append(
            Group(
                each.role,
                each.group,
                look.members[each.role],
                sum(lag.records for lag in mine),
                now - min(oldest) if oldest else None,
                places,
            )
        )
    return tuple(groups)
