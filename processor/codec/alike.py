"""Outcomes that are alike: the bytes of all that they share are made once (ADR 0227, 0235)."""

from collections.abc import Callable
from typing import Any

from processor.codec.correction_records import parent_to_wire
from processor.codec.encoding import RecordWriter, Write
from processor.codec.history_records import outcome_to_wire
from processor.core.chunk import Ask
from processor.core.correction import Source
from processor.core.history import Alike, Sent

_OF_AN_ASK = ("key", "asked_as")
_OF_A_SOURCE = ("key", "asked_as", "changed_fields", "parent", "correction_id")
"""What differs from key to key, in the schema's order."""


def alike_writer(write: Write, outcomes: Alike | Sent, header: bytes) -> Callable[[Any], bytes]:
    """Writes the outcome of each of the asks, or of the sources."""
    if not isinstance(write, RecordWriter):
        raise TypeError("outcomes have a type that no writer is made of")
    first = outcome_to_wire(outcomes.first)
    if isinstance(outcomes, Alike):
        by_ask = write.alike(first, _OF_AN_ASK, header)

        def write_ask(ask: Ask) -> bytes:
            return by_ask(ask.key, ask.asked_as)

        return write_ask
    by_source = write.alike(first, _OF_A_SOURCE, header)

    def write_source(source: Source) -> bytes:
        parent = parent_to_wire(source.parent)
        return by_source(source.key, source.asked_as, source.changed_fields, parent, source.correction_id)

    return write_source
