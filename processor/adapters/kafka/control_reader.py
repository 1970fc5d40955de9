"""The control topics read from their beginnings, outside any group: wishes to clear, and orders about requests."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from confluent_kafka import Consumer, TopicPartition

from processor.codec import Codec, DecodeError
from processor.core.history import Clear, Order
from processor.core.order import dated
from processor.service.control import Wish

log = structlog.get_logger(__name__)

AT_ONCE = 100
"""Wishes that are judged by one SQL statement."""

_READING: Mapping[str, Any] = {
    "group.id": "resync-control",
    "group.protocol": "classic",
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "queued.max.messages.kbytes": 1_024,
}


class ControlReader:
    """The topics are compacted and small: of each request the last wish to clear it and the last order about it."""

    def __init__(self, options: Mapping[str, Any], topics: Sequence[str], codec: Codec) -> None:
        self._topics = topics
        self._codec = codec
        self._consumer = Consumer({**options, **_READING})
        self.rewind()

    def wishes(self) -> Iterator[Wish]:
        """Some that are here now. Raises RegistryUnavailable, after which the topics are read from their beginnings."""
        for message in self._consumer.consume(AT_ONCE, 0):
            topic, value, error = message.topic() or "", message.value(), message.error()
            if error is not None:
                log.warning("control topic cannot be read", topic=topic, why=error.name())
            if error is not None or value is None:
                continue
            try:
                record = self._codec.decode(value, (Clear, Order))
                if isinstance(record, Order):
                    record = dated(record, written_at(message.timestamp()[1]))
                if isinstance(record, Clear | Order):
                    yield Wish(topic, record)
            except DecodeError as fault:
                place = f"{topic}[{message.partition()}]@{message.offset()}"
                log.warning("control record skipped", place=place, reason=fault.reason, why=fault.detail)

    def rewind(self) -> None:
        self._consumer.assign([TopicPartition(topic, 0, 0) for topic in self._topics])

    def close(self) -> None:
        self._consumer.close()


def written_at(milliseconds: int) -> datetime:
    """By the clock of who wrote it, or the broker's where the topic has `message.timestamp.type=LogAppendTime`.

    A time that no calendar has, as of a client that counts microseconds, is older than all that an order may be about.
    """
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
