"""What several roles are built from: the catalog, the policy, the codec, and the parts of a Kafka transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from processor.adapters.kafka.clients import client_config, consumer_config, producer_config
from processor.adapters.kafka.history_topic import TopicFacts
from processor.adapters.kafka.membership import Membership
from processor.adapters.kafka.statistics import ConsumerStatistics
from processor.adapters.kafka.topics import check_topics, topic_specs
from processor.adapters.kafka.transaction import Commit, Transactions
from processor.adapters.postgres.database import ReaderOptions
from processor.catalog_file import Secrets, load_catalog
from processor.codec import Codec, Record, RegistryUnavailable
from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import Catalog
from processor.core.policy import Policy
from processor.crashpoint import CrashPoints
from processor.lifecycle import Lifecycle
from processor.policy_file import load_policy
from processor.service.client_ports import Unreachable
from processor.service.emit import Emitter
from processor.service.history_ports import StoreUnavailable
from processor.service.records import Outgoing
from processor.settings import Settings


def open_catalog(settings: Settings, secrets: Secrets = Secrets.LEFT_OUT) -> Catalog:
    """Raises CatalogError."""
    return load_catalog(settings.catalog, SchemaFiles(settings.schemas).object, secrets)


def open_policy(settings: Settings, catalog: Catalog | None = None) -> Policy | None:
    """None where none is set. Raises PolicyError."""
    if settings.policy is None:
        return None
    return load_policy(settings.policy, catalog, settings.topics.model_dump())


def open_codec(settings: Settings, catalog: Catalog) -> Codec:
    return Codec.open(settings.schemas, catalog, settings.registry_url, settings.registry_options)


def ready_codec(
    settings: Settings,
    catalog: Catalog,
    written: Mapping[str, Sequence[type[Record]]],
    life: Lifecycle,
    requests: Sequence[str] = (),
    *,
    more_control: Sequence[str] = (),
) -> Codec:
    """Waits for Kafka and the registry, and refuses topics and subjects that do not fit. `written`: records by topic.

    Raises NotSetUp and NotRegistered.
    """
    codec = open_codec(settings, catalog)
    specs = topic_specs(settings, requests, more_control)
    life.when_available(lambda: check_topics(client_config(settings), specs), Unreachable)
    for topic, records in written.items():
        life.when_available(partial(codec.prepare, topic, *records), RegistryUnavailable)
    life.passed("schemas", f"those of {len(written)} topics")
    return codec


def reader_options(settings: Settings, role: str) -> ReaderOptions:
    return ReaderOptions(settings.application_name(role), settings.statement_timeout_s, settings.connect_timeout_s)


@dataclass(frozen=True, slots=True)
class RoleParts:
    """What the two roles that write Kafka transactions have in common."""

    consumer: Consumer
    membership: Membership
    codec: Codec
    emitter: Emitter
    commit: Callable[[Iterable[Outgoing], Sequence[Any]], bool]
    passed: Callable[[str], None]


def role_parts(settings: Settings, role: str, codec: Codec, life: Lifecycle) -> RoleParts:
    """The producer takes over its identity here, before the consumer asks for partitions."""
    topics, passed = settings.topics, steps_of(settings, role)
    partitions, history_partitions = (
        life.when_available(partial(partition_count, settings, topic), StoreUnavailable)
        for topic in (topics.requests, topics.history)
    )

    consumer = Consumer(ConsumerStatistics().options(consumer_config(settings, role)))
    transactions = Transactions(producer_config(settings, role), consumer, passed)

    def commit(records: Iterable[Outgoing], offsets: Sequence[TopicPartition]) -> bool:
        return transactions.commit(records, offsets) is Commit.COMMITTED

    emitter = Emitter(codec, topics, partitions, history_partitions, settings.group(role))
    return RoleParts(consumer, Membership(settings.identity(role)), codec, emitter, commit, passed)


def steps_of(settings: Settings, worker: str) -> Callable[[str], None]:
    """To be called with the name of each step boundary that the worker has passed; a fault test crashes there."""
    crash_points = CrashPoints(settings.crash_at)
    return lambda step: crash_points(f"{worker}.{step}")


def partition_count(settings: Settings, topic: str) -> int:
    """Raises TopicMissing, and StoreUnavailable where the broker does not answer."""
    return TopicFacts(client_config(settings), topic).partitions()
