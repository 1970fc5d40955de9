"""Which dataclass of the core is which record, and how one becomes the other. Corrections depend on their object."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from processor.codec import correction_records, history_records, plan_records, work_records
from processor.codec.correction_schema import correction_name
from processor.codec.schema_text import NAMESPACE
from processor.codec.wire import Wire
from processor.core.catalog import ObjectType
from processor.core.chunk import Chunk
from processor.core.correction import Answer, Correction
from processor.core.history import ChunkStatus, Clear, Cleared, KeyOutcome, Order, Parked, RequestEnd, RequestStatus
from processor.core.request import Request

Record: TypeAlias = (
    Request
    | Chunk
    | Correction
    | Answer
    | KeyOutcome
    | RequestStatus
    | ChunkStatus
    | RequestEnd
    | Cleared
    | Clear
    | Parked
    | Order
)


@dataclass(frozen=True, slots=True)
class RecordType:
    """`name` is the record's full name in the schemas."""

    name: str
    type: type[Record]
    to_wire: Callable[[Any], Wire]
    from_wire: Callable[[Wire], Record]


FIXED = (
    RecordType(f"{NAMESPACE}.ResyncRequest", Request, work_records.request_to_wire, work_records.request_from_wire),
    RecordType(f"{NAMESPACE}.ResyncChunk", Chunk, work_records.chunk_to_wire, work_records.chunk_from_wire),
    RecordType(f"{NAMESPACE}.Answer", Answer, correction_records.answer_to_wire, correction_records.answer_from_wire),
    RecordType(
        f"{NAMESPACE}.KeyOutcome", KeyOutcome, history_records.outcome_to_wire, history_records.outcome_from_wire
    ),
    RecordType(
        f"{NAMESPACE}.RequestStatus",
        RequestStatus,
        history_records.request_status_to_wire,
        history_records.request_status_from_wire,
    ),
    RecordType(
        f"{NAMESPACE}.ChunkStatus",
        ChunkStatus,
        history_records.chunk_status_to_wire,
        history_records.chunk_status_from_wire,
    ),
    RecordType(
        f"{NAMESPACE}.RequestEnd",
        RequestEnd,
        history_records.request_end_to_wire,
        history_records.request_end_from_wire,
    ),
    RecordType(f"{NAMESPACE}.Cleared", Cleared, history_records.cleared_to_wire, history_records.cleared_from_wire),
    RecordType(f"{NAMESPACE}.Clear", Clear, history_records.clear_to_wire, history_records.clear_from_wire),
    RecordType(f"{NAMESPACE}.Parked", Parked, plan_records.parked_to_wire, plan_records.parked_from_wire),
    RecordType(f"{NAMESPACE}.Order", Order, history_records.order_to_wire, history_records.order_from_wire),
)


def correction_type(object_type: ObjectType) -> RecordType:
    return RecordType(
        correction_name(object_type.name),
        Correction,
        partial(correction_records.correction_to_wire, object_type=object_type),
        partial(correction_records.correction_from_wire, fields=object_type.owned),
    )


def unknown_correction_type(name: str) -> RecordType:
    """A correction of an object that the catalog does not have, or no longer: read only, without any value."""

    def to_wire(_correction: Correction) -> Wire:
        raise ValueError(f"{name} is of no object of the catalog")

    return RecordType(name, Correction, to_wire, partial(correction_records.correction_from_wire, fields=()))
