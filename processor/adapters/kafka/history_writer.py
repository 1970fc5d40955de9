"""What the store writes to Kafka: ends, marks and tombstones to the history topic, work for the processor to others."""

from collections.abc import Mapping, Sequence
from time import time
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from processor.adapters.kafka.history_reader import place_of
from processor.adapters.kafka.history_topic import TopicFacts
from processor.codec import Codec
from processor.codec.history import Headers, headers_of, history_record
from processor.core.chunk import Chunk
from processor.core.history import Cleared, RequestEnd, RequestStatus
from processor.core.partition import partition_of
from processor.core.request import Request
from processor.service.history_ports import RecordKey, StoreUnavailable

DUE_S = 1.0
"""Retries come due at whole seconds; an order is not to wait for the next one."""

CONFIRM_S = 1.5
"""Shorter than the 2 s after which the server ends the SQL transaction that waits for it."""


class StoreTopics(NamedTuple):
    history: str
    retry: str
    chunks: str


class StoreWriter:
    """An idempotent producer: what it writes stands in the order of the calls. After a failure, a new one."""

    def __init__(self, options: Mapping[str, Any], topics: StoreTopics, codec: Codec, retry_delay_s: float) -> None:
        """`retry_delay_s`: how long the processor lets records of the retry topic wait (RESYNC_RETRY_DELAY_S)."""
        self._options = options
        self._history = topics.history
        self._retry = topics.retry
        self._chunks = topics.chunks
        self._retry_delay_s = retry_delay_s
        self._codec = codec
        written = (topics.history, topics.retry, topics.chunks)
        self._counts = {topic: TopicFacts(options, topic).partitions() for topic in written}
        self._producer: Producer | None = None
        self._confirmed: list[tuple[int, int]] = []
        self._failed: KafkaError | None = None
        self._connected()

    def ends(self, ends: Sequence[RequestEnd]) -> Sequence[tuple[int, int]]:
        self._begin()
        for end in ends:
            key, partition_key, headers = history_record(end)
            self._produce(self._history, partition_key, key, self._codec.encode(self._history, end), headers)
        return self._confirm(len(ends))

    def retries(self, chunks: Sequence[Chunk]) -> None:
        self._work(self._retry, chunks)

    def chunks(self, chunks: Sequence[Chunk]) -> None:
        self._work(self._chunks, chunks)

    def orders(self, records: Sequence[RequestStatus | Request]) -> None:
        """Written as of so long ago that they are due at once."""
        self._work(self._retry, records, as_of_ms=int((time() - self._retry_delay_s - DUE_S) * 1000))

    def _work(self, topic: str, records: Sequence[Chunk | RequestStatus | Request], as_of_ms: int = 0) -> None:
        """Each into its district's partition."""
        self._begin()
        for record in records:
            about = record.request if isinstance(record, RequestStatus) else record
            headers = headers_of(about.request_id, about.district_id, about.object)
            value = self._codec.encode(topic, record)
            self._produce(topic, about.district_id, about.district_id.encode(), value, headers, as_of_ms=as_of_ms)
        self._confirm(len(records))

    def cleared(self, marks: Sequence[Cleared]) -> Sequence[tuple[int, int]]:
        self._begin()
        for mark in marks:
            key, partition_key, headers = history_record(mark)
            self._produce(self._history, partition_key, key, self._codec.encode(self._history, mark), headers)
        return self._confirm(len(marks))

    def tombstones(self, keys: Sequence[RecordKey]) -> Sequence[tuple[int, int]]:
        self._begin()
        for request_id, record_key in keys:
            headers = [("request_id", request_id.encode())]
            self._produce(self._history, request_id, record_key.encode(), None, headers)
        return self._confirm(len(keys))

    def close(self) -> None:
        if self._producer is not None:
            self._producer.flush(CONFIRM_S)
            self._producer = None

    def _begin(self) -> None:
        self._confirmed = []
        self._failed = None

    def _produce(
        self, topic: str, partition_key: str, key: bytes, value: bytes | None, headers: Headers, *, as_of_ms: int = 0
    ) -> None:
        """`as_of_ms`: the record's time; 0 is now."""
        partition = partition_of(partition_key, self._counts[topic])
        more: dict[str, Any] = {"timestamp": as_of_ms, "headers": [*headers]}
        try:
            self._connected().produce(topic, value, key, partition, on_delivery=self._on_delivery, **more)
        except (BufferError, KafkaException) as fault:
            self._drop()
            raise StoreUnavailable(f"a record for {topic} could not be queued; check the broker") from fault

    def _confirm(self, expected: int) -> list[tuple[int, int]]:
        left = self._connected().flush(CONFIRM_S)
        if left or self._failed is not None or len(self._confirmed) != expected:
            why = self._failed.name() if self._failed is not None else f"{left} without an answer"
            self._drop()
            raise StoreUnavailable(f"the broker did not confirm {expected} records within {CONFIRM_S} s ({why})")
        return self._confirmed

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._confirmed.append(place_of(message))
        else:
            self._failed = error

    def _connected(self) -> Producer:
        if self._producer is None:
            made = Producer(
                {
                    "linger.ms": 2,
                    **self._options,
                    "enable.idempotence": True,
                    "acks": "all",
                    "message.timeout.ms": int(CONFIRM_S * 1000),
                }
            )
            try:
                # The first record would wait for what is known after this call.
                made.list_topics(self._history, CONFIRM_S)
            except KafkaException as fault:
                made.poll(0)
                raise StoreUnavailable(f"the broker did not answer a new producer within {CONFIRM_S} s") from fault
            self._producer = made
        return self._producer

    def _drop(self) -> None:
        """What is still on its way may arrive or not; both are harmless, and neither is waited for."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.poll(0)
            self._producer = None
