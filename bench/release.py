"""A backlog that becomes readable all at once, and the moment when a group has done with it.

Requests are written in one transaction, which is committed once a contender is ready: publishing takes no time from
it. A contender commits its input's offsets in the transactions of its output, so its group's committed offsets tell
that all its output is readable, without anybody reading it meanwhile.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from bench.traffic import put, request_for
from bench.world import DISTRICT, LARGEST_BYTES, PARTITIONS, Run
from processor.core.partition import partition_of

STILL_S = 60.0
"""A group that has committed nothing for so long is not waited for."""
LOOK_EVERY_S, LOOK_OFTEN_S = 0.1, 0.005
"""Often only towards the end, by the pace so far: looking takes the broker some time too."""
CALL_S = 30.0
TAKEN_APART = 5_000
"""Keys of a request that becomes several chunks."""


@dataclass(frozen=True, slots=True)
class Released:
    """When it was, on the monotonic clock, behind which offsets its records end by partition, and what they ask."""

    at: float
    ends: Mapping[int, int]
    keys: int
    most_keys: int
    """Of one request."""


class Backlog:
    """Requests of one transaction, of the benchmark's district."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ends: dict[int, int] = {}
        self._keys = self._most_keys = 0
        self._producer = Producer(
            {
                "bootstrap.servers": run.settings.bootstrap_servers,
                "transactional.id": f"{run.name}-{uuid.uuid4()}",
                "transaction.timeout.ms": 600_000,
                "linger.ms": 5,
                "message.max.bytes": LARGEST_BYTES,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        self._producer.init_transactions(CALL_S)
        self._producer.begin_transaction()

    def publish(self, keys: Sequence[int], district_id: str = DISTRICT) -> None:
        topic = self._run.topics.requests
        value = self._run.codec.encode(topic, request_for(keys, district_id))
        put(self._producer, topic, value, district_id, partition_of(district_id, PARTITIONS), on_delivery=self._note)
        self._keys, self._most_keys = self._keys + len(keys), max(self._most_keys, len(keys))

    def written(self) -> None:
        """Returns once the broker has all of it."""
        if self._producer.flush(CALL_S):
            raise TimeoutError("requests could not be published")

    def release(self) -> Released:
        self.written()
        at = time.monotonic()
        self._producer.commit_transaction(CALL_S)
        return Released(at, self._ends, self._keys, self._most_keys)

    def _note(self, error: object, message: Message) -> None:
        if error is None:
            partition, offset = message.partition() or 0, message.offset() or 0
            self._ends[partition] = max(self._ends.get(partition, 0), offset + 1)


class Watch:
    """Looks at what a group has committed of the requests topic, and takes no part in it.

    Requests that are taken apart are done with only later: of these, as many records of the history are awaited as they
    have keys. Markers of transactions count there too, some in ten thousand, so their time is a little too short.
    """

    def __init__(self, run: Run, group: str) -> None:
        self._topic, self._group = run.topics.requests, group
        self._history = [TopicPartition(run.topics.history, partition) for partition in range(PARTITIONS)]
        self._consumer, self._reader = (
            Consumer(
                {
                    "bootstrap.servers": run.settings.bootstrap_servers,
                    "group.id": group,
                    "isolation.level": level,
                    "enable.auto.commit": False,
                    "log_level": 3,
                }
            )
            for level in ("read_uncommitted", "read_committed")
        )
        self._told = 0

    def until(self, released: Released) -> float:
        """When the group had done with all of it, on the monotonic clock. Raises TimeoutError."""
        if released.most_keys > TAKEN_APART:
            ended = self._until(lambda: self._written() - self._told, released.keys)
        else:
            places = [TopicPartition(self._topic, partition) for partition in released.ends]
            ended = self._until(lambda: self._committed(places, released.ends), sum(released.ends.values()))
        self._told = self._written()
        return ended

    def _until(self, look: Callable[[], int], wanted: int) -> float:
        began = moved_at = time.monotonic()
        first, seen = 0, -1
        while True:
            done, now = look(), time.monotonic()
            if done >= wanted:
                return now
            if done > seen:
                first, seen, moved_at = (done if seen < 0 else first), done, now
            elif now > moved_at + STILL_S:
                raise TimeoutError(f"{self._group} has done nothing for {STILL_S:.0f} s: is at {done:,} of {wanted:,}")
            time.sleep(pause_s(now - began, done - first, wanted - done))

    def close(self) -> None:
        self._consumer.close()
        self._reader.close()

    def _committed(self, places: list[TopicPartition], ends: Mapping[int, int]) -> int:
        try:
            found = self._consumer.committed(places, CALL_S)
        except KafkaException:  # the coordinator of a group that has just come up
            return 0
        return sum(min(max(0, place.offset), ends[place.partition]) for place in found)

    def _written(self) -> int:
        """Offsets of the history up to the last committed one."""
        return sum(self._reader.get_watermark_offsets(place, CALL_S)[1] for place in self._history)


def pause_s(took_s: float, done: int, left: int) -> float:
    """A quarter of the time that is left at the pace so far, or of a fifth of the time since, within bounds."""
    left_s = took_s * left / done if done else took_s / 5
    return min(LOOK_EVERY_S, max(LOOK_OFTEN_S, left_s / 4))
