"""Keys and headers of the history topic, read outside any group and without decoding."""

from collections.abc import Mapping
from time import monotonic
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from processor.adapters.kafka.history_reader import CUT_OFF
from processor.service.monitor import OpenRequests

_PIECE = 1_000


class TopicHeads:
    """`options` are librdkafka's. A topic of other length than `partitions` is not followed."""

    def __init__(self, options: Mapping[str, Any], topic: str, partitions: int) -> None:
        self._consumer = Consumer(
            {
                **options,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "queued.max.messages.kbytes": 16_384,
                "group.id": f"{topic}-monitor",
                "group.protocol": "classic",
            }
        )
        self._places = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)]
        self._unread: set[int] = set()
        self._ends: dict[int, int] = {}
        """Where a partition ended when its first record had come."""
        self.again()

    def again(self) -> None:
        self._unread, self._ends = {place.partition for place in self._places}, {}
        self._consumer.assign(self._places)

    def read(self, requests: OpenRequests, for_s: float) -> bool:
        """Returns early at the end of the topic, but reads once in any case."""
        until = monotonic() + for_s
        while True:
            left_s = max(0.0, until - monotonic())
            messages = self._consumer.consume(_PIECE, min(left_s, 0.2))
            if any(_is_cut_off(message) for message in messages):
                requests.clear()
                self.again()
                messages = []  # what else came is of before, and tells nothing of what is read again
            for message in messages:
                self._take(message, requests)
            if not left_s or (not messages and not self._unread):
                return not self._unread

    def close(self) -> None:
        self._consumer.close()

    def _take(self, message: Message, requests: OpenRequests) -> None:
        error = message.error()
        if error is None:
            requests.add(message.key(), _status(message), message.timestamp()[1] / 1000)
            self._pass(message.partition() or 0, message.offset() or 0)
        elif error.code() == KafkaError._PARTITION_EOF:
            self._unread.discard(message.partition() or 0)

    def _pass(self, partition: int, offset: int) -> None:
        """The broker tells no end of a partition that is written to all the time."""
        if partition not in self._unread:
            return
        if partition not in self._ends:
            _, self._ends[partition] = self._consumer.get_watermark_offsets(self._places[partition], cached=True)
        if offset + 1 >= self._ends[partition]:
            self._unread.discard(partition)


def _is_cut_off(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() in CUT_OFF


def _status(message: Message) -> bytes | None:
    """None for a tombstone; empty for a record without this header."""
    if message.value() is None:
        return None
    found = message.headers() or ()
    pairs = found.items() if isinstance(found, dict) else found
    status = next((value for name, value in pairs if name == "status"), b"")
    return status.encode() if isinstance(status, str) else status or b""
