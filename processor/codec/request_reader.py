"""Requests of one key read by what they have of their own: all else is that of one which was read before (ADR 0238).

Such requests come by the thousand, from few publishers that ask for the same: they differ in id, key and time.
"""

import re
from contextlib import suppress
from dataclasses import fields as fields_of
from typing import Any, TypeAlias

from processor.codec.errors import DecodeError, NotCompiled
from processor.codec.keeping import keep
from processor.codec.patterns import pattern_of
from processor.codec.primitives import UNFIT, Read, read_timestamp
from processor.codec.record_types import RecordType
from processor.codec.work_records import request_from_wire
from processor.core.request import Request, Single

Schema: TypeAlias = Any

MOST_KEPT = 4_096
"""Publishers may write why, or for whom, with each of their requests."""
LONGEST_KEPT = 1_024
"""Bytes of what requests have alike: what is kept may not grow with what others write."""
_FIELDS = tuple(each.name for each in fields_of(Request))
_SELECTION, _TIME = _FIELDS.index("selection"), _FIELDS.index("requested_at")
_WHERE, _ASKED, _REST = _FIELDS[1:_SELECTION], _FIELDS[_SELECTION + 1 : _TIME], _FIELDS[_TIME + 1 :]
_WRITTEN = tuple(name for name in _FIELDS if name != "not_understood")
_ID = rb"\x48([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
"""Its length, and what `is_request_id` lets pass and nobody has to make lower case."""
_NULL = b"\x00"


class RequestReader:
    """Of one schema, and of values with one header."""

    def __init__(self, header: bytes, schema: Schema, read: Read) -> None:
        """`read` is what was made for the schema. Raises NotCompiled for one that is not what a request's is."""
        self.header = header
        self._match = re.compile(_pattern(schema), re.DOTALL).match
        self._read = read
        self._kept: dict[tuple[bytes, bytes, bytes], Request] = {}

    def __len__(self) -> int:
        """How many kinds of requests are kept."""
        return len(self._kept)

    def __call__(self, data: bytes) -> Single | None:
        """None where it has to be read field by field, be it only for what is wrong with it."""
        try:
            return self._found(data)
        except (*UNFIT, DecodeError):
            return None

    def _found(self, data: bytes) -> Single | None:
        match = self._match(data, len(self.header))
        if match is None:
            return None
        request_id, where, key, asked, time, rest = match.groups()
        alike = where, asked, rest
        like = self._kept.get(alike) or self._learn(alike, data)
        requested_at = None if time == _NULL else read_timestamp(time, 1)[0]
        return Single(like, request_id.decode(), key[1:].decode(), requested_at)

    def _learn(self, alike: tuple[bytes, bytes, bytes], data: bytes) -> Request:
        """The first one of its kind, read field by field."""
        wire, end = self._read(data, len(self.header))
        if end != len(data):
            raise ValueError("more bytes than the record has")
        like = request_from_wire(wire)
        if sum(map(len, alike)) <= LONGEST_KEPT:
            keep(self._kept, alike, like, MOST_KEPT)
        return like


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


def request_reader(header: bytes, record: RecordType, parsed: Schema, read: Read | None) -> RequestReader | None:
    """For a schema of requests that has our fields in our order; `parsed` is as fastavro keeps it."""
    if record.type is not Request or read is None:
        return None
    with suppress(NotCompiled):
        return RequestReader(header, parsed, read)
    return None
