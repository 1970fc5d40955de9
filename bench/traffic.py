"""Requests in, and what the topics then hold, counted."""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from bench.planted import USUAL, Planting
from bench.world import DISTRICT, PARTITIONS, Run
from processor.codec.record_types import Record
from processor.codec.subjects import HISTORY
from processor.core.correction import Answer, Correction
from processor.core.history import KeyOutcome, RequestEnd, RequestStatus, Status
from processor.core.partition import partition_of
from processor.core.request import Keys, Request

OBJECT = "PersonIdentity"
WRITTEN = (*HISTORY, Correction, Answer)
STILL_S = 30.0
"""Nothing more comes once nothing has come for so long."""


class WrongCount(Exception):
    """The topics do not hold what was planted: there is no figure."""


def request_for(keys: Sequence[int], district_id: str = DISTRICT) -> Request:
    return Request(str(uuid.uuid4()), district_id, OBJECT, Keys(tuple(map(str, keys))), "bench")


def put(producer: Producer, topic: str, value: bytes, key: str | bytes, partition: int, **more: Any) -> None:  # noqa: ANN401
    """Waits where the client has no room for it. `more` is what `produce` takes."""
    while True:
        try:
            producer.produce(topic, value, key, partition, **more)
        except BufferError:
            producer.poll(0.1)
        else:
            return


class Publisher:
    """Publishes requests; of the benchmark's district where nothing else is said."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._producer = Producer({"bootstrap.servers": run.settings.bootstrap_servers, "linger.ms": 0})

    def publish(self, keys: Sequence[int], district_id: str = DISTRICT) -> str:
        """The request's id; returns before the broker has it."""
        return self.send(request_for(keys, district_id))

    def send(self, request: Request) -> str:
        topic = self._run.topics.requests
        value = self._run.codec.encode(topic, request)
        put(self._producer, topic, value, request.district_id, partition_of(request.district_id, PARTITIONS))
        return request.request_id

    def flush(self) -> None:
        if self._producer.flush(60):
            raise TimeoutError("requests could not be published")


@dataclass(frozen=True, slots=True)
class Planted:
    """What the planted tables make of distinct keys."""

    keys: Sequence[int]
    requests: int
    planting: Planting = USUAL

    @property
    def creates(self) -> int:
        return sum(1 for key in self.keys if self.planting.is_missing(key))

    @property
    def updates(self) -> int:
        return sum(1 for key in self.keys if self.planting.is_differing(key))

    def decided(self) -> Counter[str]:
        """Records on the topics once the processor has been through."""
        sent = self.creates + self.updates
        return Counter(
            {
                "request ACCEPTED": self.requests,
                "outcome IN_SYNC": len(self.keys) - sent,
                "outcome SENT": sent,
                "correction CREATE": self.creates,
                "correction UPDATE": self.updates,
            }
        )

    def done(self) -> Counter[str]:
        """Once all roles have been through."""
        sent = self.creates + self.updates
        return self.decided() + Counter(
            {"answer APPLIED": sent, "outcome APPLIED": sent, "end COMPLETE": self.requests}
        )

    def kept(self) -> Counter[str]:
        """Outcomes in the store's tables."""
        sent = self.creates + self.updates
        return +Counter({"IN_SYNC": len(self.keys) - sent, "APPLIED": sent})


def compare(found: Mapping[str, int], wanted: Mapping[str, int], where: str) -> None:
    """Raises WrongCount with every count that differs."""
    names = sorted({name for counts in (found, wanted) for name, count in counts.items() if count})
    wrong = [
        f"{name}: {found.get(name, 0)} instead of {wanted.get(name, 0)}"
        for name in names
        if found.get(name, 0) != wanted.get(name, 0)
    ]
    if wrong:
        raise WrongCount(f"{where}: {'; '.join(wrong)}")


class Tail:
    """A committed reader of what the roles write, from the beginning of the topics on, outside any group.

    `counts` has all that was read, by kind; an outcome that comes twice counts as `outcome REPEATED`. A request's end
    may come more than once, saying the same: it counts once, and `repeated_ends` says how many there were more.
    """

    def __init__(self, run: Run) -> None:
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
        topics = (run.topics.history, run.topics.corrections, run.topics.answers)
        self._places = [TopicPartition(topic, p, 0) for topic in topics for p in range(PARTITIONS)]
        self._consumer.assign(self._places)
        self._codec = run.codec
        self._told: set[tuple[str, str, str]] = set()
        self._ends: set[RequestEnd] = set()
        self.counts: Counter[str] = Counter()
        self.repeated_ends = 0

    def close(self) -> None:
        self._consumer.close()

    def read(self, timeout_s: float = 0.02) -> list[Record]:
        return self._counted(self._values(timeout_s))

    def skim(self) -> None:
        """Reads to the ends of the topics and counts records, whatever they hold."""
        deadline = time.monotonic() + STILL_S
        while (messages := self._consumer.consume(10_000, 0.1)) or not self._is_at_end():
            self.counts["record"] += sum(1 for message in messages if message.error() is None)
            if time.monotonic() > deadline:
                raise TimeoutError(f"the ends of the topics were not reached within {STILL_S:.0f} s")

    def until(self, wanted: Counter[str], show: Callable[[int, int], None]) -> None:
        """Reads until there are as many records as wanted, of whatever kind, or nothing has come for half a minute.

        `show` is told how many of how many.
        """
        seen_at = time.monotonic()
        while self.counts.total() < wanted.total() and time.monotonic() < seen_at + STILL_S:
            if self.read():
                seen_at = time.monotonic()
                show(self.counts.total(), wanted.total())

    def to_end(self) -> Iterator[Record]:
        """Reads on to the ends of the topics, so that what is there too often is counted too."""
        for values in self._rest():
            yield from self._counted(values)

    def count(self) -> Counter[str]:
        """All to the ends of the topics; closes the reader. An outcome is read as the store reads it."""
        for values in self._rest():
            for value in values:
                if (own := self._codec.alike(value)) is None:
                    self._count(self._codec.decode(value, WRITTEN))
                else:
                    like, request_id, key, _, _ = own
                    self._count_outcome(request_id.decode(), key.decode(), like.status)
        self.close()
        return self.counts

    def _rest(self) -> Iterator[list[bytes]]:
        seen_at = time.monotonic()
        while True:
            if values := self._values(0.05):
                seen_at = time.monotonic()
                yield values
            elif self._is_at_end():
                return
            elif time.monotonic() > seen_at + STILL_S:
                raise TimeoutError(f"the ends of the topics were not reached within {STILL_S:.0f} s")

    def _is_at_end(self) -> bool:
        at = {(place.topic, place.partition): place.offset for place in self._consumer.position(self._places)}
        ends = {(p.topic, p.partition): self._consumer.get_watermark_offsets(p, 10)[1] for p in self._places}
        return all(end == 0 or at[place] >= end for place, end in ends.items())

    def _counted(self, values: list[bytes]) -> list[Record]:
        records = [self._codec.decode(value, WRITTEN) for value in values]
        for record in records:
            self._count(record)
        return records

    def _values(self, timeout_s: float) -> list[bytes]:
        messages = self._consumer.consume(5_000, timeout_s)
        values = (message.value() for message in messages if message.error() is None)
        return [value for value in values if value is not None]

    def _count(self, record: Record) -> None:
        if isinstance(record, KeyOutcome):
            self._count_outcome(record.request_id, record.key, record.status)
        elif isinstance(record, RequestEnd) and record in self._ends:
            self.repeated_ends += 1
        else:
            if isinstance(record, RequestEnd):
                self._ends.add(record)
            self.counts[kind_of(record)] += 1

    def _count_outcome(self, request_id: str, key: str, status: Status) -> None:
        told = request_id, key, status
        self.counts["outcome REPEATED" if told in self._told else f"outcome {status.name}"] += 1
        self._told.add(told)


def kind_of(record: Record) -> str:
    match record:
        case KeyOutcome():
            return f"outcome {record.status.name}"
        case RequestStatus():
            return f"request {record.state.name}"
        case RequestEnd():
            return f"end {record.state.name}"
        case Correction():
            return f"correction {record.op.name}"
        case Answer():
            return f"answer {record.result.name}"
        case _:
            return type(record).__name__


def chunks_of(keys: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
