"""What a batch of the history topic changes in the store's tables: of each key, its last record.

A record counts only under the key that its own content gives it. Whatever else stands in the topic cannot have been
written by the processor or the store: it is reported and passed over, and stops nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast
from urllib.parse import unquote

from processor.codec import Codec, DecodeError, Own
from processor.core import frozen, ids
from processor.core.chunk import Chunk
from processor.core.history import ChunkStatus, Cleared, HistoryRecord, KeyOutcome, Parked, RequestEnd, RequestStatus

MOST_SEGMENTS = 3
MAX_SEGMENT_CHARS = 800
"""Percent-encoded. A canonical key has at most 255 bytes; index entries have a largest size."""

Decode: TypeAlias = Callable[[bytes], HistoryRecord]
"""Raises DecodeError for bytes that are no history record."""


def _none_alike(_data: bytes) -> None:
    """Each record is read in full."""


@dataclass(frozen=True, slots=True)
class HistoryDecoder:
    """`alike` may read an outcome by what it has of its own (ADR 0039); it is asked first, and raises as `read`."""

    read: Decode
    alike: Callable[[bytes], Own | None] = _none_alike

    def __call__(self, data: bytes) -> HistoryRecord:
        return self.read(data)


@frozen.dataclass(frozen=True, slots=True)
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


OwnTexts: TypeAlias = tuple[bytes, bytes, bytes | None, bytes | None]
"""Request, key, `asked_as` and correction, in UTF-8 and without NUL."""


@dataclass(frozen=True, slots=True)
class AlikeOutcomes:
    """Outcomes that are like one of them, but for what each has of its own."""

    like: KeyOutcome
    own: list[OwnTexts] = field(default_factory=list)

    def requests(self) -> set[bytes]:
        return {request_id for request_id, _, _, _ in self.own}

    def each(self) -> Iterator[KeyOutcome]:
        for own in self.own:
            request_id, key, asked_as, correction_id = (None if text is None else text.decode() for text in own)
            yield replace(
                self.like,
                request_id=request_id or "",
                key=key or "",
                asked_as=asked_as,
                correction_id=correction_id,
            )


@dataclass(slots=True)
class Changes:
    """Last record a key; None stands for a tombstone. `ends` are not for tables: they say what was announced.

    Most outcomes are among the `alike`, none of them also in `outcomes`. `partitions` are those of requests of which
    there is anything but tombstones.
    """

    requests: dict[str, RequestStatus | None] = field(default_factory=dict)
    chunks: dict[tuple[str, str], ChunkStatus | None] = field(default_factory=dict)
    outcomes: dict[tuple[str, str, str], KeyOutcome | None] = field(default_factory=dict)
    alike: list[AlikeOutcomes] = field(default_factory=list)
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
            *(request_id.decode() for some in self.alike for request_id in some.requests()),
            *(key[0] for key in self.parked),
        }


HISTORY_TYPES = (KeyOutcome, ChunkStatus, RequestStatus, RequestEnd, Cleared, Parked)


def history_decoder(codec: Codec) -> HistoryDecoder:
    """Reads what belongs on the history topic. May raise RegistryUnavailable."""

    def read(data: bytes) -> HistoryRecord:
        return cast("HistoryRecord", codec.decode(data, HISTORY_TYPES))

    return HistoryDecoder(read, codec.alike)


class Foreign(Exception):
    """A record that neither the processor nor the store can have written. Says why, without its content."""


Skipped: TypeAlias = Callable[[RawRecord, str], None]


def changes_of(records: Sequence[RawRecord], decode: HistoryDecoder, skipped: Skipped) -> Changes:
    """Fold records, given in offset order a partition. Only the last readable record of a key is kept."""
    return _Fold(records, decode, skipped).changes()


class _Fold:
    """Of one batch."""

    def __init__(self, records: Sequence[RawRecord], decode: HistoryDecoder, skipped: Skipped) -> None:
        self._records = records
        self._decode = decode
        self._skipped = skipped
        self._changes = Changes()
        self._heard: dict[bytes, int] = {}
        """Partitions of requests that have outcomes among the alike."""
        self._kinds: dict[int, tuple[bytes, AlikeOutcomes]] = {}
        """By the identity of what they are like, which is kept with them."""

    def changes(self) -> Changes:
        last = {record.key: record for record in self._records}
        unreadable = [key for key, record in last.items() if not self._takes(record)]
        for versions in self._earlier(frozenset(unreadable)).values():
            any(self._takes(record) for record in reversed(versions))
        changes = self._changes
        changes.alike = [some for _, some in self._kinds.values() if some.own]
        changes.partitions |= {request_id.decode(): partition for request_id, partition in self._heard.items()}
        return changes

    def _earlier(self, keys: frozenset[bytes | None]) -> dict[bytes | None, list[RawRecord]]:
        """Their records but the last."""
        versions: dict[bytes | None, list[RawRecord]] = {}
        if keys:
            for record in self._records:
                if record.key in keys:
                    versions.setdefault(record.key, []).append(record)
        return {key: some[:-1] for key, some in versions.items()}

    def _takes(self, record: RawRecord) -> bool:
        try:
            if not self._takes_alike(record):
                _take(record, self._decode, self._changes)
        except Foreign as fault:
            self._skipped(record, str(fault))
            return False
        except DecodeError as fault:
            self._skipped(record, f"{fault.reason}: {fault.detail}")
            return False
        return True

    def _takes_alike(self, record: RawRecord) -> bool:
        """False for what is to be read in full: whatever may not be ours, too."""
        if record.value is None or (own := self._decode.alike(record.value)) is None:
            return False
        like, request_id, key, asked_as, correction_id = own
        kind = self._kinds.get(id(like))
        if kind is None:
            if not ids.is_plain(like.object.encode()):
                return False
            between = ids.outcome_key("", like.object, "").encode()
            kind = self._kinds[id(like)] = (between, AlikeOutcomes(like))
        between, alike = kind
        if record.key != request_id + between + key or not ids.is_plain(key):
            return False
        if request_id not in self._heard:
            if not ids.is_request_id(request_id.decode("ascii", "replace")):
                return False
            self._heard[request_id] = record.partition
        alike.own.append((request_id, key, asked_as, correction_id))
        return True


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
