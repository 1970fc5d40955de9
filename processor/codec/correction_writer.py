"""Corrections as bytes: what repeats, from row to row and from one correction to the next, is written once (ADR 0235).

The bytes are those that the schema's writer makes of `correction_to_wire`.
"""

from collections.abc import Sequence
from typing import Any, cast

from processor.codec.correction_records import parent_to_wire, source_to_wire
from processor.codec.correction_schema import values_name
from processor.codec.encoding import NamedWriter, RecordWriter, Write
from processor.codec.keeping import Kept
from processor.codec.primitive_writers import lengths_after
from processor.codec.repeating import Repeating, RepeatingWriter, all_but
from processor.core.catalog import Kind, ObjectType
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
        self._null, self._names = union.null or b"", kind.owned_names
        self._fixed = [(0, union.symbols[name])]
        """Places and bytes of what no text gives: the union's branch, and null of fields that not both sides keep."""
        self._writers: list[tuple[int, Write]] = []
        """Place and writer of each of the names."""
        for place, (each, write) in enumerate(fields, start=1):
            if each in self._names:
                self._writers.append((place, write))
            else:
                self._fixed.append((place, write(None)))
        self._references = [place for place, each in enumerate(kind.owned) if each.state_lookup is not None]
        self._others = [
            (at, _kept(write) if field.kind in _REPEATING else write)
            for at, (field, (_, write)) in enumerate(zip(kind.owned, self._writers, strict=True))
            if field.kind is not Kind.STRING or write("a") != _LENGTHS[1] + b"a"
        ]
        """Writers of all but strings that may be null, with their places among the names."""

    def __call__(self, before: Values | None, after: Values | None) -> tuple[bytes, bytes]:
        if before is None or after is None:
            return self._alone(before), self._alone(after)
        held, wanted = self._row(before), self._row(after)
        values, texts = self._values(held), wanted.texts
        written = b"".join(values)
        for at in wanted.unlike(held):
            place, write = self._writers[at]
            values[place] = write(texts[at])
        return written, b"".join(values)

    def _alone(self, row: Values | None) -> bytes:
        return self._null if row is None else b"".join(self._values(self._row(row)))

    def _row(self, row: Values) -> RowValues:
        """Raises KeyError for a field that is missed."""
        if not isinstance(row, RowValues) or row.names != self._names:
            row = RowValues(self._names, [row[name] for name in self._names])
        dangling = {place: None for place in self._references if row.texts[place] == DANGLING}
        return row.replaced(dangling) if dangling else row

    def _values(self, row: RowValues) -> list[bytes]:
        """By their places. All texts are written as plain strings, which most are, and those that are none again."""
        texts, lengths = row.texts, _LENGTHS
        values = [_NULL if text is None else lengths[len(data := text.encode())] + data for text in texts]
        for at, write in self._others:
            values[at] = write(texts[at])
        for place, data in self._fixed:
            values.insert(place, data)
        return values


_REPEATING = frozenset({Kind.BOOLEAN, Kind.DATE, Kind.DECIMAL})
"""Kinds of which the bytes of texts are kept: days and amounts repeat."""
_MOST_KEPT = 4_096
_NULL, _TEXT = b"\x00", b"\x02"
"""Branches of a union of null and another type."""
_LENGTHS = lengths_after(_TEXT)


def _kept(write: Write) -> Write:
    return Kept(write, _MOST_KEPT).__getitem__
