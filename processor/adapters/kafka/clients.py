"""Configuration of the Kafka clients: what correctness rests on, in one place."""

import logging
from typing import Any

from processor.logs import CLIENT_LOG
from processor.settings import Settings


def client_config(settings: Settings) -> dict[str, Any]:
    """Options of every client; the deployment's own come first and cannot replace the others."""
    return {
        **settings.kafka_options,
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": f"{settings.release}-{settings.ordinal}",
        # A client that was told of no leader while a broker came back may ask again only this much later.
        "topic.metadata.refresh.interval.ms": 5_000,
        # Librdkafka's own lines join the role's log. Polling hands them over, and so does flushing.
        "logger": logging.getLogger(CLIENT_LOG),
    }


def producer_config(settings: Settings, role: str) -> dict[str, Any]:
    """A transactional producer. `retry.backoff.ms` of 1 halves the tail of commit latency."""
    return {
        # A commit sends at once whatever has not been sent. Until then what is produced goes in full batches alone: the
        # client's thread would else take turns at its queues with ours, for every few records (ADR 0239).
        "linger.ms": 1_000,
        "batch.size": 1_000_000,
        "queue.buffering.max.messages": 1_000_000,
        # The broker's limit decides, which is on compressed batches: what came in must be able to be passed on.
        "message.max.bytes": 10_000_000,
        "queue.buffering.max.kbytes": 262_144,
        "compression.type": "lz4",
        **client_config(settings),
        # Where all brokers were away, starting over from the bootstrap servers forgets the group's coordinator, and a
        # transaction then waits for it for ever. Others have to start over: one that is told of no broker would else
        # never ask again (ADR 0175).
        "metadata.recovery.strategy": "none",
        "transactional.id": settings.identity(role),
        "transaction.timeout.ms": int(settings.transaction_timeout_s * 1000),
        "retry.backoff.ms": 1,
        "enable.idempotence": True,
        "acks": "all",
    }


def consumer_config(settings: Settings, role: str) -> dict[str, Any]:
    """A static member of the role's group, on the classic protocol, which recovers in a second after a kill."""
    return {
        "fetch.queue.backoff.ms": 5,
        "queued.max.messages.kbytes": 4_096,
        "fetch.max.bytes": 4_000_000,
        **client_config(settings),
        "group.id": settings.group(role),
        "group.instance.id": settings.identity(role),
        "group.protocol": "classic",
        "partition.assignment.strategy": "range",
        "session.timeout.ms": int(settings.session_timeout_s * 1000),
        "heartbeat.interval.ms": int(settings.session_timeout_s * 1000 / 5),
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
    }


def reader_config(settings: Settings) -> dict[str, Any]:
    """A reader that joins no group and says where a partition ends."""
    return {
        "fetch.queue.backoff.ms": 5,
        "queued.min.messages": 100_000,
        **client_config(settings),
        "group.id": settings.group("reader"),
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
    }
