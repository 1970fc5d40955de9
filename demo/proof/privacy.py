"""That no field's value left the databases but in a correction: planted values are looked for everywhere else."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, KafkaError, TopicPartition

CORRECTIONS = "state.corrections"
TOPICS = (
    "resync.requests",
    "resync.chunks",
    "resync.retry",
    "resync.control",
    "state.answers",
    "resync.history",
    "resync.dead-letters",
)
_PATIENCE_S = 20.0


def check_values_stay(
    values: Sequence[str], withheld: Sequence[str], bootstrap_servers: str, history: psycopg.Connection, logs: Path
) -> Iterator[str]:
    """The values must have been in corrections, or they would be looked for in vain elsewhere; `withheld` nowhere."""
    sent = {value.encode() for value in values}
    kept = {value.encode() for value in withheld}
    wanted = sent | kept
    seen: dict[str, set[bytes]] = {CORRECTIONS: set()}
    for topic, record in _records(bootstrap_servers, (CORRECTIONS, *TOPICS)):
        seen.setdefault(topic, set()).update(value for value in wanted if value in record)
    yield from _check_sent(seen.pop(CORRECTIONS), sent, kept)
    for topic, found in seen.items():
        if found:
            yield f"a planted value is in a record of {topic}"
    for view in ("requests", "outcomes"):
        rows = history.execute(f"select v::text from history.{view} v".encode())
        if any(value in row[0] for row in rows for value in (*values, *withheld)):
            yield f"a planted value is in the view history.{view}"
    for log in sorted(logs.glob("*.log")):
        if log.name.startswith(("process-", "apply-", "store-")):
            content = log.read_bytes()
            if any(value in content for value in wanted):
                yield f"a planted value is in {log}"


def _check_sent(found: set[bytes], sent: set[bytes], kept: set[bytes]) -> Iterator[str]:
    if found & kept:
        yield f"a value of a record that was not to be sent is in a record of {CORRECTIONS}"
    if not sent <= found:
        yield f"a planted value is in no record of {CORRECTIONS}"


def _records(bootstrap_servers: str, topics: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Every record that is in the topics now: its topic, and key, value and headers as bytes."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap_servers,
        "group.id": "demo-proof",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    })  # fmt: skip
    try:
        known = consumer.list_topics(timeout=_PATIENCE_S).topics
        unfinished = {(topic, partition) for topic in topics for partition in known[topic].partitions}
        consumer.assign([TopicPartition(*place, 0) for place in unfinished])
        while unfinished:
            message = consumer.poll(_PATIENCE_S)
            if message is None:
                raise TimeoutError(f"topics could not be read to their end: nothing came for {_PATIENCE_S:.0f} s")
            error, topic, partition = message.error(), message.topic(), message.partition()
            if topic is None or partition is None or (error and error.code() != KafkaError._PARTITION_EOF):  # noqa: SLF001
                raise RuntimeError(f"topics could not be read to their end: {error}")
            if error:
                unfinished.discard((topic, partition))
            else:
                headers = b"".join(str(pair).encode() for pair in message.headers() or ())
                yield topic, (message.key() or b"") + (message.value() or b"") + headers
    finally:
        consumer.close()
