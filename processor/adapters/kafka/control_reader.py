"""The control topic read from its beginning, outside any group: wishes that a request's history be cleared."""

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from confluent_kafka import Consumer, TopicPartition

from processor.codec import Codec, DecodeError
from processor.core.model import Clear

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
    """The topic is compacted and small: a record a request, the last one counts."""

    def __init__(self, options: Mapping[str, Any], topic: str, codec: Codec) -> None:
        self._topic = topic
        self._codec = codec
        self._consumer = Consumer({**options, **_READING})
        self.rewind()

    def clears(self) -> Iterator[Clear]:
        """Some that are here now. Raises RegistryUnavailable, after which the topic is read from its beginning."""
        for message in self._consumer.consume(AT_ONCE, 0):
            value = message.value()
            if message.error() is not None or value is None:
                continue
            try:
                yield from self._clear(value)
            except DecodeError as fault:
                place = f"{self._topic}[{message.partition()}]@{message.offset()}"
                log.warning("control record skipped", place=place, reason=fault.reason, why=fault.detail)

    def rewind(self) -> None:
        self._consumer.assign([TopicPartition(self._topic, 0, 0)])

    def close(self) -> None:
        self._consumer.close()

    def _clear(self, value: bytes) -> Iterator[Clear]:
        record = self._codec.decode(value, (Clear,))
        if isinstance(record, Clear):
            yield record
