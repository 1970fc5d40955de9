"""Records that differ from those before them in few fields: the bytes of all others are kept (ADR 0231)."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeAlias

from processor.codec.encoding import RecordWriter
from processor.codec.record_types import Record
from processor.codec.wire import Wire
from processor.core.history import KeyOutcome, RequestStatus
from processor.core.request import Keys, Request

MOST_KEPT = 256
"""Combinations of fields of one type: a batch has a few of them."""
LONGEST_KEPT = 4_096
"""Bytes of a record: what is kept may not grow with what others write."""
Rest: TypeAlias = Callable[[Any], Hashable | None]


@dataclass(frozen=True, slots=True)
class Repeating:
    """Which fields of a type vary, by their paths in the order of the schema.

    `rest` gives what the bytes of all others depend on; None for a record whose like is not to be expected.
    """

    varying: tuple[str, ...]
    rest: Rest


class RepeatingWriter:
    """Writes records of one type; for any thread."""

    def __init__(self, write: RecordWriter, to_wire: Callable[[Any], Wire], repeating: Repeating) -> None:
        self._write = write
        self._to_wire = to_wire
        self._rest = repeating.rest
        self._varying = repeating.varying
        self._values = attrgetter(*repeating.varying)
        self._kept: dict[Hashable, Callable[..., bytes]] = {}

    def __len__(self) -> int:
        """How many combinations are kept."""
        return len(self._kept)

    def __call__(self, record: Any) -> bytes:  # noqa: ANN401  (of the writer's type)
        rest = self._rest(record)
        if rest is None:
            return self._write(self._to_wire(record))
        write = self._kept.get(rest)
        return self._first(record, rest) if write is None else write(*self._values(record))

    def _first(self, record: Any, rest: Hashable) -> bytes:  # noqa: ANN401
        write = self._write.alike(self._to_wire(record), self._varying, b"")
        data = write(*self._values(record))
        if len(data) <= LONGEST_KEPT:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[rest] = write
        return data


_OF_OUTCOME = attrgetter("district_id", "object", "status", "reason", "changed_fields", "attempt")


def _rest_of_outcome(outcome: KeyOutcome) -> Hashable | None:
    """Not of one with a detail or a parent: either is often of one key."""
    return _OF_OUTCOME(outcome) if outcome.detail is None and outcome.parent is None else None


_VARYING_OF_REQUEST = ("request_id", "requested_at")
_OF_REQUEST = attrgetter(*sorted({each.name for each in fields(Request)} - {*_VARYING_OF_REQUEST, "selection"}))


def _rest_of_status(status: RequestStatus) -> Hashable | None:
    """Of one that was taken on with keys, and not looked at since."""
    request = status.request
    is_plain = status.detail is None and status.guard is None and status.planned is None
    if not is_plain or not isinstance(request.selection, Keys):
        return None
    return _OF_REQUEST(request), status.state, status.reason, status.decided_by


REPEATING: Mapping[type[Record], Repeating] = {
    KeyOutcome: Repeating(
        (
            "request_id",
            "key",
            "asked_as",
            "correction_id",
            "first_decided_at",
            "sent_at",
            "answered_at",
            "decided_at",
        ),
        _rest_of_outcome,
    ),
    RequestStatus: Repeating(
        (*(f"request.{name}" for name in _VARYING_OF_REQUEST), "keys", "decided_at"), _rest_of_status
    ),
}
"""By type; any other is written field by field."""
