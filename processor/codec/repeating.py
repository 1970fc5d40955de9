"""Records that differ from those before them in few fields: the bytes of all others are kept (ADR 0231, 0235)."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeAlias

from processor.codec.encoding import RecordWriter
from processor.codec.keeping import keep
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
    values: Callable[[Any], Sequence[object]]
    """What varies, as the schema's writer takes it."""


def all_but(kind: type[Any], *names: str) -> Callable[[Any], tuple[object, ...]]:
    """All fields of a type but those."""
    return attrgetter(*(each.name for each in fields(kind) if each.name not in names))


class RepeatingWriter:
    """Writes records of one type; for any thread. Most are like the last one, so that is looked at first."""

    def __init__(self, write: RecordWriter, to_wire: Callable[[Any], Wire], repeating: Repeating) -> None:
        self._write = write
        self._to_wire = to_wire
        self._rest = repeating.rest
        self._varying = repeating.varying
        self._values = repeating.values
        self._kept: dict[Hashable, Callable[..., bytes]] = {}
        self._last: tuple[Hashable, Callable[..., bytes]] | None = None

    def __len__(self) -> int:
        """How many combinations are kept."""
        return len(self._kept)

    def __call__(self, record: Any) -> bytes:  # noqa: ANN401  (of the writer's type)
        last, rest = self._last, self._rest(record)
        if last is not None and last[0] == rest:
            return last[1](*self._values(record))
        if rest is None:
            return self._write(self._to_wire(record))
        write = self._kept.get(rest) or self._write.alike(self._to_wire(record), self._varying, b"")
        data = write(*self._values(record))
        if len(data) <= LONGEST_KEPT:
            keep(self._kept, rest, write, MOST_KEPT)
            self._last = rest, write
        return data


_OF_OUTCOME = ("request_id", "key", "asked_as", "correction_id")
_ALL_OF_OUTCOME = all_but(KeyOutcome, *_OF_OUTCOME)


def _rest_of_outcome(outcome: KeyOutcome) -> Hashable | None:
    """Not of one with a detail or a parent: either is often of one key."""
    return _ALL_OF_OUTCOME(outcome) if outcome.detail is None and outcome.parent is None else None


_OF_STATUS = ("request.request_id", "request.requested_at", "keys")
_ALL_OF_REQUEST = all_but(Request, "request_id", "requested_at", "selection")


def _rest_of_status(status: RequestStatus) -> Hashable | None:
    """Of one that was taken on with keys, and not looked at since."""
    request = status.request
    is_plain = status.detail is None and status.guard is None and status.planned is None
    if not is_plain or not isinstance(request.selection, Keys):
        return None
    return _ALL_OF_REQUEST(request), status.state, status.reason, status.decided_by, status.decided_at


REPEATING: Mapping[type[Record], Repeating] = {
    KeyOutcome: Repeating(_OF_OUTCOME, _rest_of_outcome, attrgetter(*_OF_OUTCOME)),
    RequestStatus: Repeating(_OF_STATUS, _rest_of_status, attrgetter(*_OF_STATUS)),
}
"""By type; any other is written field by field."""
