"""Requests of one key read by what they have of their own: all else is that of one which was read before (ADR 0238).

Such requests come by the thousand, from few publishers that ask for the same: they differ in id, key and time.
"""

import re
from contextlib import suppress
from dataclasses import fields as fields_of
from operator import attrgetter
from typing import Any, TypeAlias

from processor.codec.errors import DecodeError, NotCompiled
from processor.codec.keeping import keep
from processor.codec.patterns import pattern_of
from processor.codec.primitives import UNFIT, Read, read_timestamp
from processor.codec.record_types import RecordType
from processor.codec.work_records import request_from_wire
from processor.core.request import Keys, Request

Schema: TypeAlias = Any
_Kept: TypeAlias = tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]
"""Fields that requests have alike: before the selection, between it and the time, and behind that."""

MOST_KEPT = 256
LONGEST_KEPT = 4_096
"""Bytes of what requests have alike: what is kept may not grow with what others write."""
_FIELDS = tuple(each.name for each in fields_of(Request))
_SELECTION, _TIME = _FIELDS.index("selection"), _FIELDS.index("requested_at")
_WHERE, _ASKED, _REST = _FIELDS[1:_SELECTION], _FIELDS[_SELECTION + 1 : _TIME], _FIELDS[_TIME + 1 :]
_WRITTEN = tuple(name for name in _FIELDS if name != "not_understood")
_ID = rb"\x48([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
"""Its length, and what `is_request_id` lets pass and nobody has to make lower case."""
_NULL = b"\x00"


class RequestReader:
    """Of one schema. What it cannot read `read` has to, the reader that was made for the schema."""

    def __init__(self, schema: Schema, read: Read) -> None:
        """Raises NotCompiled for a schema that is not what a request's is."""
        self._match = re.compile(_pattern(schema), re.DOTALL).match
        self._read = read
        self._kept: dict[tuple[bytes, bytes, bytes], _Kept] = {}

    def __len__(self) -> int:
        """How many kinds of requests are kept."""
        return len(self._kept)

    def __call__(self, data: bytes, at: int) -> Request | None:
        """None where it has to be read field by field, be it only for what is wrong with it."""
        try:
            return self._found(data, at)
        except (*UNFIT, DecodeError):
            return None

    def _found(self, data: bytes, at: int) -> Request | None:
        match = self._match(data, at)
        if match is None:
            return None
        request_id, where, key, asked, time, rest = match.groups()
        alike = where, asked, rest
        of_where, of_asked, of_rest = self._kept.get(alike) or self._learn(alike, data, at)
        requested_at = None if time == _NULL else read_timestamp(time, 1)[0]
        fields: tuple[Any, ...] = (
            request_id.decode(),
            *of_where,
            Keys((key[1:].decode(),)),
            *of_asked,
            requested_at,
            *of_rest,
        )
        return Request(*fields)

    def _learn(self, alike: tuple[bytes, bytes, bytes], data: bytes, at: int) -> _Kept:
        """From the first one of its kind, read field by field."""
        wire, end = self._read(data, at)
        if end != len(data):
            raise ValueError("more bytes than the record has")
        kept = _kept(request_from_wire(wire))
        if sum(map(len, alike)) <= LONGEST_KEPT:
            keep(self._kept, alike, kept, MOST_KEPT)
        return kept


def _kept(request: Request) -> _Kept:
    return attrgetter(*_WHERE)(request), attrgetter(*_ASKED)(request), attrgetter(*_REST)(request)


def _pattern(schema: Schema) -> bytes:
    """Groups of what varies from one to the next, and of what stands between."""
    types = {each["name"]: each["type"] for each in schema["fields"]}
    if tuple(types) != _WRITTEN or types["requested_at"] != [
        "null",
        {"type": "long", "logicalType": "timestamp-micros"},
    ]:
        raise NotCompiled
    where, asked = (b"".join(pattern_of(types[name]) for name in names) for names in (_WHERE, _ASKED))
    return b"%b(%b)%b(%b)(%b)(.*)" % (
        _ID,
        where,
        _one_key(types["selection"]),
        asked,
        pattern_of(types["requested_at"]),
    )


def _one_key(union: Schema) -> bytes:
    """A selection by one key, which comes as one block of an array."""
    for index, branch in enumerate(union):
        match branch:
            case {"fields": [{"name": "keys", "type": {"type": "array", "items": "string"}}]}:
                return re.escape(bytes([index << 1, 1 << 1])) + b"(%b)" % pattern_of("string") + _NULL
    raise NotCompiled


def request_reader(record: RecordType, parsed: Schema, read: Read | None) -> RequestReader | None:
    """For a schema of requests that has our fields in our order; `parsed` is as fastavro keeps it."""
    if record.type is not Request or read is None:
        return None
    with suppress(NotCompiled):
        return RequestReader(parsed, read)
    return None
