"""Records of which each is mostly as the one before: what they share is written once (ADR 0235)."""

from collections.abc import Callable, Sequence
from typing import Any

from processor.codec.encoding import RecordWriter
from processor.codec.wire import Wire


class SuccessiveWriter:
    """Writes records of one type; for any thread.

    `varying` are the fields that differ from record to record, in the schema's order, and `values` gives them as the
    schema's writer takes them. `rest` gives all others: as long as these are equal, so are their bytes.
    """

    def __init__(
        self,
        write: RecordWriter,
        to_wire: Callable[[Any], Wire],
        rest: Callable[[Any], object],
        varying: Sequence[str],
        values: Callable[[Any], Sequence[object]],
    ) -> None:
        self._write = write
        self._to_wire = to_wire
        self._rest = rest
        self._varying = varying
        self._values = values
        self._last: tuple[object, Callable[..., bytes]] | None = None

    def __call__(self, record: Any) -> bytes:  # noqa: ANN401  (of the writer's type)
        last, rest = self._last, self._rest(record)
        if last is None or last[0] != rest:
            last = self._last = rest, self._write.alike(self._to_wire(record), self._varying, b"")
        return last[1](*self._values(record))
