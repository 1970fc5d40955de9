"""The history topic read by the store, as a static member of its consumer group.

The group only shares out partitions. Where to read on is told by whoever keeps the offsets: nothing is read from a
new partition before `place`, and the group's own offsets are written for lag and never read.
"""

from collections.abc import Iterable, Mapping
from time import monotonic, time
from typing import Any, cast

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from processor.adapters.kafka.history_topic import TopicFacts
from processor.adapters.kafka.membership import Membership
from processor.service.history_changes import RawRecord
from processor.service.history_ports import BatchLimits, Extent, LogBatch

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
PIECE = 500
"""Records taken from the client at once; a batch passes its limit of bytes by at most one piece."""

READING: Mapping[str, Any] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 100,
    "fetch.queue.backoff.ms": 5,
    "queued.max.messages.kbytes": 4_096,
    "fetch.max.bytes": 4_000_000,
}
"""What correctness and memory rest on; wins over a deployment's options."""

# KafkaError's public names of the client's own faults begin with an underscore.
CUT_OFF = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})
END_OF_PARTITION = KafkaError._PARTITION_EOF
_REPLACE = CUT_OFF | {KafkaError.UNKNOWN_TOPIC_OR_PART}
_PASSING = frozenset({END_OF_PARTITION, KafkaError._MAX_POLL_EXCEEDED})


class GroupReader:
    """Static members keep their partitions over a restart that takes less than `session.timeout.ms`."""

    def __init__(self, options: Mapping[str, Any], topic: str, group_id: str, instance_id: str) -> None:
        self._facts = TopicFacts(options, topic)
        self._membership = Membership(instance_id)
        self._partitions = self._facts.partitions()
        self._assigned: frozenset[int] = frozenset()
        self._placed: dict[int, int] | None = {}
        self._next_look = 0.0
        self.ends: Mapping[int, int] = {}
        """Where the log of each partition ended at the last look; may be read by other threads."""
        self.behind_since: float | None = None
        """A time of which it has read all there was then, in Unix seconds; None while it has read all there is.

        May be read by other threads.
        """
        self._marked_at = 0.0
        """When the marks were set, in Unix seconds."""
        self._marks: Mapping[int, int] = {}
        """The ends at that time: once it has reached them, it has read all there was then."""
        self._consumer = Consumer(
            {
                "session.timeout.ms": 10_000,
                **options,
                **READING,
                "group.id": group_id,
                "group.instance.id": instance_id,
                "group.protocol": "classic",
                "partition.assignment.strategy": "range",
            }
        )
        self._consumer.subscribe([topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)

    @property
    def topic(self) -> str:
        return self._facts.topic

    @property
    def partitions(self) -> int:
        return self._partitions

    def read(self, limits: BatchLimits, wait_s: float) -> LogBatch:
        """Raises ClientBroken."""
        placed = self._placed
        first = self._consumer.poll(wait_s)
        self._membership.check()
        messages = [] if first is None else [first]
        deadline = monotonic() + limits.linger_s
        size = _size(messages)
        while messages and len(messages) < limits.records and size < limits.bytes:
            room = min(PIECE, limits.records - len(messages))
            piece = self._consumer.consume(room, max(0.0, deadline - monotonic()))
            if not piece:
                break
            messages += piece
            size += _size(piece)
        records = [record_of(m) for m in messages if not self._is_error(m)]
        batch = LogBatch((), {}, {}) if placed is None or placed is not self._placed else self._moved(records, placed)
        if monotonic() > self._next_look:
            self._look_at_ends()
        return batch

    def to_place(self) -> frozenset[int] | None:
        return self._assigned if self._placed is None else None

    def place(self, offsets: Mapping[int, int]) -> None:
        self._placed = dict(offsets)
        self._consumer.assign([TopicPartition(self.topic, p, offset) for p, offset in offsets.items()])

    def displace(self) -> None:
        if self._placed is not None:
            self._placed = None
            self._consumer.assign([])

    def extents(self, partitions: Iterable[int]) -> Mapping[int, Extent]:
        return self._facts.extents(partitions)

    def topic_id(self) -> str:
        return self._facts.topic_id()

    def tombstones_kept_s(self) -> float:
        return self._facts.tombstones_kept_s()

    def report(self, offsets: Mapping[int, int]) -> None:
        places = [TopicPartition(self.topic, p, offset) for p, offset in offsets.items()]
        try:
            self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as fault:
            log.warning("group offsets not told, lag looks larger than it is", fault=fault.args[0].name())

    def close(self) -> None:
        """A static member stays in the group until its session times out, so that a restart takes up its place."""
        self._consumer.close()

    def _moved(self, records: list[RawRecord], placed: dict[int, int]) -> LogBatch:
        """Positions also pass commit markers, and what compaction took, for which no record comes."""
        now = self._consumer.position([TopicPartition(self.topic, p) for p in placed])
        end = {place.partition: place.offset for place in now if place.offset > placed[place.partition]}
        start = {p: placed[p] for p in end}
        placed.update(end)
        return LogBatch(records, start, end)

    def _look_at_ends(self) -> None:
        """From what fetches told last: asks no broker.

        These ends lie beyond open transactions, so under steady load even a reader of all there is rarely reaches them.
        """
        self._next_look = monotonic() + LOOK_EVERY_S
        positions = self._placed
        if positions:
            self.ends = {
                p: self._consumer.get_watermark_offsets(TopicPartition(self.topic, p), cached=True)[1]
                for p in positions
            }
        if _reaches(positions, self.ends):
            self.behind_since = None
        elif self.behind_since is None:
            self.behind_since = self._marked_at = time()
            self._marks = self.ends
        elif _reaches(positions, self._marks):
            self.behind_since = self._marked_at
            self._marked_at, self._marks = time(), self.ends

    def _on_assign(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        self._membership.given()
        self._assigned = frozenset(place.partition for place in places)
        self._placed = None
        self._consumer.assign([])

    def _on_revoke(self, _consumer: Consumer, _places: list[TopicPartition]) -> None:
        self._membership.taken()
        self._assigned = frozenset()
        self._placed = None
        self.ends = {}

    def _is_error(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        self._membership.check_error(error)
        if error.code() in _REPLACE:
            self.displace()
        if error.code() not in _PASSING:
            log.warning("reading interrupted", topic=self.topic, partition=message.partition(), fault=error.name())
        return True


def record_of(message: Message) -> RawRecord:
    partition, offset = cast("tuple[int, int]", (message.partition(), message.offset()))
    return RawRecord(partition, offset, message.key(), message.value(), message.timestamp()[1])


def place_of(message: Message) -> tuple[int, int]:
    """Partition and offset. Both are known for whatever a consumer or a delivery report hands out."""
    return cast("int", message.partition()), cast("int", message.offset())


def _reaches(positions: Mapping[int, int] | None, ends: Mapping[int, int]) -> bool:
    return positions is not None and all(positions.get(p, end) >= end for p, end in ends.items())


def _size(messages: list[Message]) -> int:
    return sum(len(message) for message in messages)
