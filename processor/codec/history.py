"""Where a record stands in the history topic: its key, what decides its partition, and headers to filter by."""

from functools import lru_cache
from typing import TypeAlias

from processor.core.history import (
    ChunkStatus,
    Clear,
    Cleared,
    HistoryRecord,
    KeyOutcome,
    Order,
    Parked,
    RequestEnd,
    RequestStatus,
)
from processor.core.ids import chunk_key, cleared_key, end_key, held_key, order_key, outcome_key, request_key

Headers: TypeAlias = list[tuple[str, bytes]]


def history_record(record: HistoryRecord) -> tuple[bytes, str, Headers]:
    """(record key, partition key, headers). The partition key is the request's id: one request is one order."""
    match record:
        case KeyOutcome():
            key = outcome_key(record.request_id, record.object, record.key)
            headers = headers_of(record.request_id, record.district_id, record.object, record.key, record.status)
            return key.encode(), record.request_id, headers
        case RequestStatus():
            asked = record.request
            headers = headers_of(asked.request_id, asked.district_id, asked.object, status=record.state)
            return request_key(asked.request_id).encode(), asked.request_id, headers
        case ChunkStatus():
            headers = headers_of(record.request_id, record.district_id, record.object, status=record.state)
            return chunk_key(record.request_id, record.chunk).encode(), record.request_id, headers
        case RequestEnd():
            headers = headers_of(record.request_id, record.district_id, record.object, status=record.state)
            return end_key(record.request_id).encode(), record.request_id, headers
        case Cleared():
            headers = headers_of(record.request_id, record.district_id, record.object)
            return cleared_key(record.request_id).encode(), record.request_id, headers
        case Parked(chunk=chunk):
            headers = headers_of(chunk.request_id, chunk.district_id, chunk.object)
            return held_key(chunk.request_id, chunk.chunk).encode(), chunk.request_id, headers


def control_key(wish: Clear | Order) -> str:
    """Record key in the control topic."""
    return order_key(wish.request_id) if isinstance(wish, Order) else request_key(wish.request_id)


def headers_of(
    request_id: str, district_id: str, object_name: str, key: str | None = None, status: str | None = None
) -> Headers:
    """The headers that let a reader filter without decoding, for records of any topic; absent where not given."""
    headers = [("request_id", request_id.encode()), _header("district_id", district_id), _header("object", object_name)]
    if key is not None:
        headers.append(("key", key.encode()))
    if status is not None:
        headers.append(_header("status", status))
    return headers


@lru_cache(maxsize=1_024)
def _header(name: str, text: str) -> tuple[str, bytes]:
    """Few ones stand on all records of a batch, so each is held once."""
    return name, text.encode()
