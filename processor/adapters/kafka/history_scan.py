"""The history topic read outside any group, from given offsets to given offsets."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, Message, TopicPartition

from processor.adapters.kafka.history_reader import CUT_OFF, END_OF_PARTITION, PIECE, READING, place_of, record_of
from processor.adapters.kafka.history_topic import TopicFacts
from processor.service.history_ports import BatchLimits, Extent, LogBatch, OutsideLog, StoreUnavailable

if TYPE_CHECKING:
    from processor.service.history_changes import RawRecord

SILENCE_S = 30.0
"""A broker that shows neither a record nor an end of a partition for so long is taken as away."""


class ScanReader:
    """Each call of `batches` reads with a consumer of its own."""

    def __init__(self, options: Mapping[str, Any], topic: str) -> None:
        self._options = options
        self._facts = TopicFacts(options, topic)
        self._partitions = self._facts.partitions()

    @property
    def topic(self) -> str:
        return self._facts.topic

    @property
    def partitions(self) -> int:
        return self._partitions

    def extents(self, partitions: Iterable[int]) -> Mapping[int, Extent]:
        return self._facts.extents(partitions)

    def offsets_at(self, time: datetime) -> Mapping[int, int]:
        return self._facts.offsets_at(range(self._partitions), time)

    def topic_id(self) -> str:
        return self._facts.topic_id()

    def batches(self, start: Mapping[int, int], end: Mapping[int, int], limits: BatchLimits) -> Iterator[LogBatch]:
        """Raises StoreUnavailable when the broker stays silent, OutsideLog when an offset is not in the log."""
        consumer = Consumer({**self._options, **READING, "group.id": f"{self.topic}-scan", "group.protocol": "classic"})
        try:
            yield from _Scan(consumer, self.topic, start, end).batches(limits)
        finally:
            consumer.close()


class _Scan:
    def __init__(self, consumer: Consumer, topic: str, start: Mapping[int, int], end: Mapping[int, int]) -> None:
        self._consumer = consumer
        self._topic = topic
        self._end = end
        self._open = {p: start[p] for p in end if start[p] < end[p]}
        self._assign()

    def batches(self, limits: BatchLimits) -> Iterator[LogBatch]:
        heard = monotonic()
        while self._open:
            messages = self._consumer.consume(min(PIECE, limits.records), 0.1)
            size = sum(map(len, messages))
            while messages and len(messages) < limits.records and size < limits.bytes:
                piece = self._consumer.consume(min(PIECE, limits.records - len(messages)), 0.0)
                if not piece:
                    break
                messages += piece
                size += sum(map(len, piece))
            if messages:
                heard = monotonic()
            elif monotonic() - heard > SILENCE_S:
                raise StoreUnavailable(f"no record of {self._topic} came for {SILENCE_S:.0f} s; check the broker")
            batch = self._batch(messages)
            if batch.end:
                yield batch

    def _assign(self) -> None:
        self._consumer.assign([TopicPartition(self._topic, p, offset) for p, offset in self._open.items()])

    def _batch(self, messages: list[Message]) -> LogBatch:
        records: list[RawRecord] = []
        positions: dict[int, int] = {}
        for message in messages:
            partition, offset = place_of(message)
            if not self._is_end(message):
                if offset < self._end[partition]:
                    records.append(record_of(message))
                offset += 1
            positions[partition] = max(offset, positions.get(partition, 0))
        return LogBatch(records, *self._moved(positions))

    def _moved(self, positions: Mapping[int, int]) -> tuple[dict[int, int], dict[int, int]]:
        before: dict[int, int] = {}
        after: dict[int, int] = {}
        for partition, position in positions.items():
            if partition not in self._open or position <= self._open[partition]:
                continue
            before[partition] = self._open[partition]
            after[partition] = self._open[partition] = min(position, self._end[partition])
        finished = [p for p, position in self._open.items() if position >= self._end[p]]
        for partition in finished:
            del self._open[partition]
        if finished:
            self._assign()
        return before, after

    def _is_end(self, message: Message) -> bool:
        """Whether it tells that the partition was read to its present end, past the last marker."""
        error = message.error()
        if error is None:
            return False
        if error.code() == END_OF_PARTITION:
            return True
        if error.code() in CUT_OFF:
            raise OutsideLog(
                f"partition {message.partition()} of {self._topic} was cut off while it was read; run this again"
            )
        raise StoreUnavailable(f"reading partition {message.partition()} of {self._topic} failed ({error.name()})")
