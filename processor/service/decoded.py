"""Records decoded before their turn, in time that is spent waiting for something else (ADR 0037)."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from processor.codec.errors import RegistryUnavailable
from processor.service.records import Received

T = TypeVar("T")


class DecodedAhead(Generic[T]):
    """By the record itself: one that is read again, as after an abort, is decoded again."""

    def __init__(self, decode: Callable[[Received], T]) -> None:
        self._decode = decode
        self._items: dict[int, tuple[Received, T]] = {}

    def of(self, record: Received) -> T:
        """Raises RegistryUnavailable."""
        known = self._items.pop(id(record), None)
        return self._decode(record) if known is None else known[1]

    def prepare(self, records: Sequence[Received], stop: Callable[[], bool]) -> None:
        """Decodes until `stop` says so, and forgets all others. An absent registry is waited for at a record's turn."""
        wanted = {id(record) for record in records}
        self._items = {place: item for place, item in self._items.items() if place in wanted}
        with suppress(RegistryUnavailable):
            for record in records:
                if stop():
                    return
                if id(record) not in self._items:
                    self._items[id(record)] = record, self._decode(record)
