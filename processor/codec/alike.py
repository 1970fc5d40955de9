"""Records that are alike: the bytes of all that they share are made once (ADR 0227, 0235, 0244)."""

from collections.abc import Callable
from typing import Any, TypeAlias

from processor.codec.correction_records import parent_to_wire
from processor.codec.encoding import RecordWriter, Write
from processor.codec.history_records import outcome_to_wire, request_status_to_wire
from processor.core.chunk import Ask
from processor.core.correction import Source
from processor.core.history import Alike, Sent, SingleOutcomes, SingleStatuses
from processor.core.request import Single

Similar: TypeAlias = Alike | Sent | SingleOutcomes | SingleStatuses

_OF_AN_ASK = ("key", "asked_as")
_OF_A_SOURCE = ("key", "asked_as", "changed_fields", "parent", "correction_id")
_OF_A_SINGLE = ("request_id", "key", "asked_as")
_OF_A_STATUS = ("request.request_id", "request.requested_at")
"""What differs from one to the next, in the schema's order."""


def alike_writer(write: Write, similar: Similar, header: bytes) -> Callable[[Any], bytes]:
    """Writes the record of each of the asks, of the sources, or of the requests."""
    if not isinstance(write, RecordWriter):
        raise TypeError("records have a type that no writer is made of")
    match similar:
        case Alike():
            return _by_ask(write.alike(outcome_to_wire(similar.first), _OF_AN_ASK, header))
        case Sent():
            return _by_source(write.alike(outcome_to_wire(similar.first), _OF_A_SOURCE, header))
        case SingleOutcomes():
            return _by_single(write.alike(outcome_to_wire(similar.first), _OF_A_SINGLE, header))
        case SingleStatuses():
            return _by_status(write.alike(request_status_to_wire(similar.first), _OF_A_STATUS, header))


def _by_ask(written: Callable[..., bytes]) -> Callable[[Ask], bytes]:
    return lambda ask: written(ask.key, ask.asked_as)


def _by_source(written: Callable[..., bytes]) -> Callable[[Source], bytes]:
    return lambda source: written(
        source.key, source.asked_as, source.changed_fields, parent_to_wire(source.parent), source.correction_id
    )


def _by_single(written: Callable[..., bytes]) -> Callable[[Single], bytes]:
    return lambda single: written(single.request_id, single.key, single.key)


def _by_status(written: Callable[..., bytes]) -> Callable[[Single], bytes]:
    return lambda single: written(single.request_id, single.requested_at)
