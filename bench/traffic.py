"""Requests in, and what the topics then hold, counted."""

import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Consumer, Producer, TopicPartition

from bench.world import DISTRICT, Run
from processor.codec.subjects import HISTORY
from processor.core.model import Correction, KeyOutcome, Keys, Request
from processor.core.partition import partition_of

OBJECT = "PersonIdentity"
PARTITIONS = 6


class Publisher:
    """Publishes requests of the benchmark's one district."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._producer = Producer({"bootstrap.servers": run.settings.bootstrap_servers, "linger.ms": 0})

    def publish(self, keys: Sequence[int]) -> str:
        """The request's id; returns before the broker has it."""
        request = Request(str(uuid.uuid4()), DISTRICT, OBJECT, Keys(tuple(map(str, keys))), "bench")
        topic = self._run.topics.requests
        value = self._run.codec.encode(topic, request)
        partition = partition_of(DISTRICT, PARTITIONS)
        while True:
            try:
                self._producer.produce(topic, value, DISTRICT, partition)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return request.request_id

    def flush(self) -> None:
        if self._producer.flush(60):
            raise TimeoutError("requests could not be published")


@dataclass
class Expected:
    """What the planted tables make of keys: every 50th differs, every 100th plus one is missing at the state."""

    keys: Sequence[int]
    updates: int = field(init=False)
    creates: int = field(init=False)

    def __post_init__(self) -> None:
        self.creates = sum(1 for key in self.keys if key % 100 == 1)
        self.updates = sum(1 for key in self.keys if key % 50 == 0)

    def mistakes(self, outcomes: Counter[str], corrections: Counter[str]) -> list[str]:
        sent = self.creates + self.updates
        wanted = {"IN_SYNC": len(self.keys) - sent, "SENT": sent, "c": self.creates, "u": self.updates}
        found = outcomes + corrections
        return [f"{name}: {found[name]} instead of {count}" for name, count in wanted.items() if found[name] != count]


class Tail:
    """A committed reader of one topic from its beginning, outside any group."""

    def __init__(self, run: Run, topic: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": run.settings.bootstrap_servers,
                "group.id": "bench",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.queue.backoff.ms": 1,
                "fetch.wait.max.ms": 5,
            }
        )
        partitions = self._consumer.list_topics(topic, 10).topics[topic].partitions
        self._consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
        self._codec = run.codec

    def values(self, deadline_s: float) -> Iterator[bytes]:
        """Values as they come. Raises TimeoutError when the deadline passes."""
        until = time.monotonic() + deadline_s
        while time.monotonic() < until:
            for message in self._consumer.consume(5_000, 0.02):
                value = message.value()
                if message.error() is None and value is not None:
                    yield value
        raise TimeoutError(f"not all records came within {deadline_s:.0f} s")

    def arrived(self) -> Iterator[KeyOutcome]:
        """Outcomes that are here or come within a millisecond."""
        for message in self._consumer.consume(1_000, 0.001):
            value = message.value()
            record = None if message.error() or value is None else self._codec.decode(value, HISTORY)
            if isinstance(record, KeyOutcome):
                yield record

    def outcomes(self, deadline_s: float) -> Iterator[KeyOutcome]:
        for value in self.values(deadline_s):
            record = self._codec.decode(value, HISTORY)
            if isinstance(record, KeyOutcome):
                yield record

    def close(self) -> None:
        self._consumer.close()


def count_statuses(tail: Tail, keys: int, deadline_s: float) -> Counter[str]:
    """Statuses of the first `keys` outcomes."""
    counts: Counter[str] = Counter()
    for outcome in tail.outcomes(deadline_s):
        counts[outcome.status.value] += 1
        if counts.total() == keys:
            break
    return counts


def count_operations(run: Run, tail: Tail, corrections: int, deadline_s: float) -> Counter[str]:
    """Operations of the corrections: all that come until there are so many, or the deadline."""
    counts: Counter[str] = Counter()
    if corrections == 0:
        return counts
    try:
        for value in tail.values(deadline_s):
            record = run.codec.decode(value, (Correction,))
            if isinstance(record, Correction):
                counts[record.op.value] += 1
            if counts.total() == corrections:
                return counts
    except TimeoutError:
        return counts
    return counts


def chunks_of(keys: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
