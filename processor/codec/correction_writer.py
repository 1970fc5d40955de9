"""Corrections as bytes: what repeats, from row to row and from one correction to the next, is written once (ADR 0235).

The bytes are those that the schema's writer makes of `correction_to_wire`.
"""

from collections.abc import Sequence
from itertools import compress
from operator import ne
from typing import Any, cast

from processor.codec.correction_records import parent_to_wire, source_to_wire
from processor.codec.correction_schema import values_name
from processor.codec.encoding import NamedWriter, RecordWriter, Write
from processor.codec.repeating import Repeating, RepeatingWriter, all_but
from processor.core.catalog import ObjectType
from processor.core.correction import Correction, Source
from processor.core.row_values import RowValues
from processor.core.values import DANGLING, Values

_OF_ONE = ("request_id", "correction_id", "key", "asked_as", "changed_fields", "parent", "requested_at")


def _of_one(source: Source) -> Sequence[object]:
    parent = parent_to_wire(source.parent)
    return (
        source.request_id,
        source.correction_id,
        source.key,
        source.asked_as,
        source.changed_fields,
        parent,
        source.requested_at,
    )


_SOURCES = Repeating(_OF_ONE, all_but(Source, *_OF_ONE), _of_one)
"""What a batch's corrections mostly have alike stands in their sources."""


class CorrectionWriter:
    """Writes corrections of one object; for any thread."""

    def __init__(self, write: RecordWriter, kind: ObjectType) -> None:
        writers: dict[str, Any] = dict(write.fields)
        self._op, self._parent = writers["op"], writers["parent"]
        self._rows = RowsWriter(writers["before"], kind)
        self._source = RepeatingWriter(writers["source"], source_to_wire, _SOURCES)

    def __call__(self, correction: Correction) -> bytes:
        before, after = self._rows(correction.before, correction.after)
        parent = self._parent(parent_to_wire(correction.parent))
        return b"".join((self._op(correction.op), before, after, parent, self._source(correction.source)))


class RowsWriter:
    """Writes the state's row as it was and as it shall be: each value from its text, and once where both have it."""

    def __init__(self, union: NamedWriter, kind: ObjectType) -> None:
        name = values_name(kind.name)
        fields: Sequence[tuple[str, Write]] = cast("RecordWriter", union.writers[name]).fields
        self._null, self._symbol = union.null or b"", union.symbols[name]
        self._names = kind.owned_names
        self._writers = [write for each, write in fields if each in self._names]
        self._not_kept = [(place, write(None)) for place, (each, write) in enumerate(fields) if each not in self._names]
        """Fields that not both sides keep, as null, with their places in the schema."""
        self._references = [place for place, each in enumerate(kind.owned) if each.state_lookup is not None]

    def __call__(self, before: Values | None, after: Values | None) -> tuple[bytes, bytes]:
        if before is None or after is None:
            return self._alone(before), self._alone(after)
        held, wanted = self._texts(before), self._texts(after)
        values = self._values(held)
        written = self._row(values)
        for place in compress(range(len(held)), map(ne, held, wanted)):
            values[place] = self._writers[place](wanted[place])
        return written, self._row(values)

    def _alone(self, row: Values | None) -> bytes:
        return self._null if row is None else self._row(self._values(self._texts(row)))

    def _texts(self, row: Values) -> Sequence[str | None]:
        """Raises KeyError for a field that is missed."""
        texts: Sequence[str | None]
        if isinstance(row, RowValues) and row.names == self._names:
            texts = row.texts
        else:
            texts = [row[name] for name in self._names]
        if self._references:
            texts = [*texts]
            for place in self._references:
                if texts[place] == DANGLING:
                    texts[place] = None
        return texts

    def _values(self, texts: Sequence[str | None]) -> list[bytes]:
        return [write(text) for write, text in zip(self._writers, texts, strict=True)]

    def _row(self, values: Sequence[bytes]) -> bytes:
        if self._not_kept:
            values = [*values]
            for place, null in self._not_kept:
                values.insert(place, null)
        return self._symbol + b"".join(values)
