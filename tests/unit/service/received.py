"""Kafka records as a consumer would have read them."""

from typing import Any

from processor.core.chunk import Chunk
from processor.core.correction import Answer
from processor.core.history import RequestStatus
from processor.core.partition import partition_of
from processor.core.request import Request
from processor.service.records import Headers, Lane, Received
from processor.service.work import Item, Work, origin_of

PARTITIONS = 6
TOPICS = {
    Lane.REQUESTS: "resync.requests",
    Lane.CHUNKS: "resync.chunks",
    Lane.RETRY: "resync.retry",
    Lane.ANSWERS: "state.answers",
}


def received(
    lane: Lane,
    value: bytes | None = b"",
    *,
    partition: int = 0,
    offset: int = 0,
    headers: Headers = (),
    timestamp_s: float = 0.0,
) -> Received:
    return Received(lane, TOPICS[lane], partition, offset, b"key", value, headers, timestamp_s)


LANES = {Request: Lane.REQUESTS, Chunk: Lane.RETRY, Answer: Lane.ANSWERS, RequestStatus: Lane.RETRY}


def work(ask: Item, lane: Lane | None = None, **where: Any) -> Work:
    """A decoded record, unless said otherwise in the lane of its type and in its district's partition."""
    lane = lane or LANES[type(ask)]
    district_id = origin_of(ask).district_id
    where.setdefault("partition", partition_of(district_id, PARTITIONS))
    return Work(received(lane, **where), ask, keys=1)
