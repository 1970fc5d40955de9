"""Outcomes read by what they have of their own: all else is that of one which was read before (ADR 0039).

A batch's outcomes differ in request, key and correction; what lies between these is mostly, byte for byte, what lay
there in an outcome before. A field's bytes themselves say where they end: where the same bytes stand, there stand the
same fields.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias, cast

from processor.codec.decoding import compiled
from processor.codec.keeping import keep
from processor.codec.primitives import UNFIT, Read
from processor.codec.record_types import RecordType
from processor.codec.wire import Wire
from processor.core.history import KeyOutcome

FIELDS = (
    "request_id", "district_id", "object", "key", "asked_as", "status", "reason", "detail", "changed_fields", "parent",
    "correction_id", "attempt", "first_decided_at", "sent_at", "answered_at", "decided_at",
)  # fmt: skip
"""In the order in which they are read here; of a schema with another order every outcome is read in full."""

Own: TypeAlias = tuple[KeyOutcome, bytes, bytes, bytes | None, bytes | None]
"""An outcome that is like this one, and its own request, key, `asked_as` and correction.

Request and key are as they stand there, to be compared with the record's key. The correction, and an `asked_as` that
is not the key, are ASCII without NUL.
"""

MOST_KEPT = 1_024
"""Kinds: a batch has some tens of them."""
LONGEST_KEPT = 4_096
"""Bytes of an outcome that is kept, and others are like: what is kept may not grow with what others write."""
_ID = 36
_SIZE_OF_ID = _ID << 1
_AN_ID = bytes([2, _SIZE_OF_ID])
_TEXT = 2
_NULL = 0
_NEGATIVE_OR_LONG = 0x81
"""A length is that of a text of less than 64 bytes, doubled, or is negative where it is odd."""


class OutcomeReader:
    """Of outcomes whose bytes begin with `header`, of one schema with these fields. For one thread at a time."""

    def __init__(
        self, header: bytes, fields: Sequence[tuple[str, Read]], from_wire: Callable[[Wire], KeyOutcome]
    ) -> None:
        self.header = header
        self._request = len(header) + 1
        self._place = self._request + _ID
        self._fields = fields
        self._from_wire = from_wire
        self._kept: dict[Hashable, KeyOutcome] = {}

    def __call__(self, data: bytes) -> Own | None:
        """None for what is to be read in full, be it an outcome or not."""
        try:
            return self._own(data)
        except UNFIT:
            return None

    def _own(self, data: bytes) -> Own | None:
        place = self._place
        to_object = place + 1 + (data[place] >> 1)
        at = to_object + 1 + (data[to_object] >> 1)
        end = at + 1 + (data[at] >> 1)
        sizes = data[place] | data[to_object] | data[at]
        where, key, asked_as = data[place:at], data[at + 1 : end], None
        if data[end] == _TEXT:
            sizes |= data[end + 1]
            at = end + 2
            end = at + (data[end + 1] >> 1)
            asked_as = data[at:end]
        elif data[end] == _NULL:
            end += 1
        else:
            return None
        if data[self._request - 1] != _SIZE_OF_ID or sizes & _NEGATIVE_OR_LONG:
            return None
        if asked_as != key and not _is_plain(asked_as):
            return None
        correction_id = None
        like = self._kept.get((where, data[end:]))
        if like is None and (at := data.find(_AN_ID, end)) > 0:
            attempt = at + len(_AN_ID) + _ID
            correction_id = data[at + len(_AN_ID) : attempt]
            like = self._kept.get((where, data[end:at], data[attempt:])) if _is_plain(correction_id) else None
        if like is None:
            like, correction_id = self._read(data, where)
        return None if like is None else (like, data[self._request : place], key, asked_as, correction_id)

    def _read(self, data: bytes, where: bytes) -> tuple[KeyOutcome | None, bytes | None]:
        """In full, and keeps it; also gives its correction. None where it is too long, or no outcome of this schema."""
        if len(data) > LONGEST_KEPT:
            return None, None
        wire: Wire = {}
        begins: dict[str, int] = {}
        at = len(self.header)
        for name, read in self._fields:
            begins[name] = at
            wire[name], at = read(data, at)
        if at != len(data):
            return None, None
        like = self._from_wire(wire)
        status, correction, attempt = begins["status"], begins["correction_id"], begins["attempt"]
        if like.correction_id is None:
            keep(self._kept, (where, data[status:]), like, MOST_KEPT)
            return like, None
        correction_id = like.correction_id.encode()
        if data[correction:].startswith(_AN_ID) and _is_plain(correction_id):
            keep(self._kept, (where, data[status:correction], data[attempt:]), like, MOST_KEPT)
            return like, correction_id
        return None, None


def _is_plain(text: bytes | None) -> bool:
    """Whether it is sure to be a text that Postgres can hold."""
    return text is None or (text.isascii() and b"\0" not in text)


def outcome_reader(header: bytes, record: RecordType, parsed: Any) -> OutcomeReader | None:  # noqa: ANN401
    """For a schema of outcomes that has our fields in our order; `parsed` is as fastavro keeps it."""
    if record.type is not KeyOutcome or tuple(field["name"] for field in parsed["fields"]) != FIELDS:
        return None
    fields = [(field["name"], compiled(field["type"])) for field in parsed["fields"]]
    known = [(name, read) for name, read in fields if read is not None]
    from_wire = cast("Callable[[Wire], KeyOutcome]", record.from_wire)
    return OutcomeReader(header, known, from_wire) if len(known) == len(FIELDS) else None
