"""What a batch of the history topic changes in the store's tables: of each key, its last record.

A record counts only under the key that its own content gives it. Whatever else stands in the topic cannot have been
written by the processor or the store: it is reported and passed over, and stops nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias, cast
from urllib.parse import unquote

from processor.codec import Codec, DecodeError
from processor.core import ids
from processor.core.chunk import Chunk
from processor.core.history import ChunkStatus, Cleared, HistoryRecord, KeyOutcome, Parked, RequestEnd, RequestStatus

MOST_SEGMENTS = 3
MAX_SEGMENT_CHARS = 800
"""Percent-encoded. A canonical key has at most 255 bytes; index entries have a largest size."""

Decode: TypeAlias = Callable[[bytes], HistoryRecord]
"""Raises DecodeError for bytes that are no history record."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """`value` is None for a tombstone; the time is Kafka's, negative where there is none."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int = -1


@dataclass(frozen=True, slots=True)
class HeldChunk:
    """A parked chunk, and its record as it stands on the topic, by which it is published again exactly."""

    chunk: Chunk
    value: bytes


@dataclass(slots=True)
class Changes:
    """Last record a key; None stands for a tombstone. `ends` are not for tables: they say what was announced.

    `partitions` are those of requests of which there is anything but tombstones.
    """

    requests: dict[str, RequestStatus | None] = field(default_factory=dict)
    chunks: dict[tuple[str, str], ChunkStatus | None] = field(default_factory=dict)
    outcomes: dict[tuple[str, str, str], KeyOutcome | None] = field(default_factory=dict)
    parked: dict[tuple[str, str], HeldChunk | None] = field(default_factory=dict)
    clearings: dict[str, Cleared] = field(default_factory=dict)
    ends: dict[str, tuple[RawRecord, RequestEnd]] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)

    def touched(self) -> set[str]:
        """Requests with new rows, or fewer parked chunks. Only cleared ones, which have no end any more, lose more."""
        return {
            *(request_id for request_id, record in self.requests.items() if record is not None),
            *(key[0] for key, record in self.chunks.items() if record is not None),
            *(key[0] for key, record in self.outcomes.items() if record is not None),
            *(key[0] for key in self.parked),
        }


HISTORY_TYPES = (KeyOutcome, ChunkStatus, RequestStatus, RequestEnd, Cleared, Parked)


def history_decoder(codec: Codec) -> Decode:
    """Reads what belongs on the history topic. May raise RegistryUnavailable."""

    def decode(data: bytes) -> HistoryRecord:
        return cast("HistoryRecord", codec.decode(data, HISTORY_TYPES))

    return decode


class Foreign(Exception):
    """A record that neither the processor nor the store can have written. Says why, without its content."""


Skipped: TypeAlias = Callable[[RawRecord, str], None]


def changes_of(records: Iterable[RawRecord], decode: Decode, skipped: Skipped) -> Changes:
    """Fold records, given in offset order a partition. Only the last readable record of a key is kept."""
    changes = Changes()
    by_key: dict[bytes, list[RawRecord]] = {}
    for record in records:
        by_key.setdefault(record.key or b"", []).append(record)
    for versions in by_key.values():
        for record in reversed(versions):
            try:
                _take(record, decode, changes)
                break
            except Foreign as fault:
                skipped(record, str(fault))
            except DecodeError as fault:
                skipped(record, f"{fault.reason}: {fault.detail}")
    return changes


def _take(record: RawRecord, decode: Decode, changes: Changes) -> None:
    parts = _parts(record.key)
    if record.value is None:
        _take_tombstone(parts, changes)
        return
    content = decode(record.value)
    if _key_of(content) != record.key:
        raise Foreign("the record's key is not the one that its content gives")
    changes.partitions[parts[0]] = record.partition
    match content:
        case KeyOutcome():
            changes.outcomes[content.request_id, content.object, content.key] = content
        case ChunkStatus():
            changes.chunks[content.request_id, content.chunk] = content
        case RequestStatus():
            changes.requests[content.request.request_id] = content
        case RequestEnd():
            changes.ends[content.request_id] = (record, content)
        case Cleared():
            changes.clearings[content.request_id] = content
        case Parked(chunk=chunk):
            changes.parked[chunk.request_id, chunk.chunk] = HeldChunk(chunk, record.value)


def _parts(key: bytes | None) -> list[str]:
    if key is None:
        raise Foreign("the record has no key")
    try:
        parts = key.decode("ascii").split("/")
    except UnicodeDecodeError:
        raise Foreign("the record's key is not ASCII") from None
    if not ids.is_request_id(parts[0]) or len(parts) > MOST_SEGMENTS:
        raise Foreign("the record's key does not begin with a request id")
    if any(len(part) > MAX_SEGMENT_CHARS or "%00" in part for part in parts):
        raise Foreign("the record's key is too long, or holds NUL")
    return parts


def _take_tombstone(parts: list[str], changes: Changes) -> None:
    match parts:
        case [request_id]:
            changes.requests[request_id] = None
        case [_, "~end"]:
            pass
        case [request_id, "~chunk", chunk]:
            changes.chunks[request_id, unquote(chunk)] = None
        case [request_id, "~held", chunk]:
            changes.parked[request_id, unquote(chunk)] = None
        case [request_id, object_name, key] if not object_name.startswith("~"):
            changes.outcomes[request_id, unquote(object_name), unquote(key)] = None
        case _:
            raise Foreign("a tombstone for a key that is never deleted")


def _key_of(content: HistoryRecord) -> bytes:
    match content:
        case KeyOutcome():
            return ids.outcome_key(content.request_id, content.object, content.key).encode()
        case ChunkStatus():
            return ids.chunk_key(content.request_id, content.chunk).encode()
        case RequestStatus():
            return ids.request_key(content.request.request_id).encode()
        case RequestEnd():
            return ids.end_key(content.request_id).encode()
        case Cleared():
            return ids.cleared_key(content.request_id).encode()
        case Parked(chunk=chunk):
            return ids.held_key(chunk.request_id, chunk.chunk).encode()
