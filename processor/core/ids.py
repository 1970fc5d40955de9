"""Identities that are derived and never drawn, so that doing a thing twice names the same thing."""

import hashlib
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote, unquote

CORRECTIONS = uuid.UUID("5f2b6c1e-7d0a-5c52-9a53-0d1f4ab0c0de")
_NAMESPACE = CORRECTIONS.bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
FIRST_CHUNK = "0"
CANCELLED = "~cancelled"
"""Stands in an accepted id for a request that was cancelled, so that the processor remembers it."""
REFUSED = "~refused"
"""Stands in an accepted id for a refusal, which must not use up the id of a request that is allowed."""


def correction_id(
    request_id: str, district_id: str, object_name: str, key: str, attempt: int, *, carried_by: str | None = None
) -> str:
    """uuid5 (RFC 9562) of what is corrected, and in which attempt.

    The district is part of it: a publisher may use one request id for two, and both may have the key (ADR 0140).
    `carried_by` is the chunk that sends along a record that nobody named: several may, each with an answer (ADR 0141).
    """
    named = f"{request_id}\x1f{district_id}\x1f{object_name}\x1f{key}\x1f{attempt}"
    return _uuid5(_NAMESPACE, f"{named}\x1f{carried_by}" if carried_by else named)


def _uuid5(namespace: bytes, name: str) -> str:
    """As `uuid.uuid5` spells it, in a quarter of the time: each correction has one."""
    text = hashlib.sha1(namespace + name.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def accepted_id(request_id: str, district_id: str, chunk: str, attempt: int, since: datetime | None = None) -> bytes:
    """16 bytes that stand for one unit of work having been taken on; of one district, as in `correction_id`.

    `since` tells apart the work of a request from that of its repetition after the window, which has the same ids.
    """
    named = f"{request_id}\x1f{district_id}\x1f{chunk}\x1f{attempt}"
    if since:
        named = f"{named}\x1f{since.isoformat()}"
    return hashlib.blake2b(named.encode(), digest_size=16).digest()


def split_chunk(parent: str, index: int) -> str:
    """Chunk id of the index-th part of a chunk or of a whole request."""
    return f"{parent}.{index}"


_UNREAD_RANGE = re.compile(r"!range-[0-9a-f]{64}", re.ASCII)


def unread_range(chunk: str) -> str:
    """Stands for the keys of a part of a scan that was never read; no record can have this key."""
    return "!range-" + hashlib.sha256(chunk.encode()).hexdigest()


def is_unread_range(key: str) -> bool:
    return _UNREAD_RANGE.fullmatch(key) is not None


def retry_chunk(cause_id: str) -> str:
    """Chunk id of the retry that a chunk or a correction causes: one cause, one retry."""
    return "r" + hashlib.blake2b(cause_id.encode(), digest_size=12).hexdigest()


_SEPARATOR = "/"
_CHUNK = "~chunk"
_END = "~end"
_CLEARED = "~cleared"
_HELD = "~held"
_ORDER = "~order"


_PLAIN = re.compile(r"[A-Za-z0-9._-]*", re.ASCII)


_PLAIN_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"


def is_plain(text: bytes) -> bool:
    """Whether the text stands in a record key as it is."""
    return not text.translate(None, _PLAIN_BYTES)


def _segment(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe="").replace("~", "%7E")


def segments(texts: Sequence[str]) -> Sequence[str]:
    """As they stand in record keys; mostly all of them as they are, which is told at once."""
    return texts if _PLAIN.fullmatch("".join(texts)) else list(map(_segment, texts))


def request_key(request_id: str) -> str:
    """Record key of a request's status in the history topic."""
    return _segment(request_id)


def chunk_key(request_id: str, chunk: str) -> str:
    return _SEPARATOR.join((_segment(request_id), _CHUNK, _segment(chunk)))


def held_key(request_id: str, chunk: str) -> str:
    """Of a parked chunk."""
    return _SEPARATOR.join((_segment(request_id), _HELD, _segment(chunk)))


def order_key(request_id: str) -> str:
    """Record key of an order about a request in the control topic."""
    return _SEPARATOR.join((_segment(request_id), _ORDER))


def outcome_key(request_id: str, object_name: str, key: str) -> str:
    """Record key of an outcome."""
    return _SEPARATOR.join(segments((request_id, object_name, key)))


def single_keys(request_ids: Sequence[str], object_name: str, keys: Sequence[str]) -> list[bytes]:
    """Record keys of outcomes of as many requests."""
    between = f"{_SEPARATOR}{_segment(object_name)}{_SEPARATOR}"
    ids_and_keys = zip(segments(request_ids), segments(keys), strict=True)
    return [f"{request_id}{between}{key}".encode() for request_id, key in ids_and_keys]


def outcome_keys(request_id: str, object_name: str) -> Callable[[str], str]:
    """Of one object of a request."""
    begin = _SEPARATOR.join((_segment(request_id), _segment(object_name), ""))
    return lambda key: begin + _segment(key)


def end_key(request_id: str) -> str:
    return _SEPARATOR.join((_segment(request_id), _END))


def cleared_key(request_id: str) -> str:
    return _SEPARATOR.join((_segment(request_id), _CLEARED))


def split_record_key(record_key: str) -> tuple[str, ...]:
    """The decoded segments of a composed record key; marker segments keep their `~`."""
    return tuple(part if part.startswith("~") else unquote(part) for part in record_key.split(_SEPARATOR))


_REQUEST_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def is_request_id(text: str) -> bool:
    return _REQUEST_ID.fullmatch(text) is not None
