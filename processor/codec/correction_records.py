"""Corrections and their answers as Avro records."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from processor.codec.correction_schema import values_name
from processor.codec.decoding import Texts
from processor.codec.schema_text import NAMESPACE
from processor.codec.wire import Symbols, Wire, read_time, read_time_or_none
from processor.codec.work_records import CAUSE, DEPENDENCIES, MODE, ON_STATE_ONLY
from processor.core.catalog import FieldSpec, ObjectType
from processor.core.correction import Answer, Correction, Op, Parent, Result, Source
from processor.core.snapshot import DistrictVersion
from processor.core.values import Values, from_wire, to_wire

_Row: TypeAlias = tuple[str, Wire]
_OP = Symbols(Op)
_RESULT = Symbols(Result)


_PARENT = f"{NAMESPACE}.Parent"


def parent_to_wire(parent: Parent | None) -> tuple[str, Wire] | None:
    """Named, as are all optional records here: fastavro then need not try which branch of the union fits."""
    return None if parent is None else (_PARENT, {"object": parent.object, "key": parent.key})


def parent_from_wire(wire: Wire | None) -> Parent | None:
    return None if wire is None else Parent(wire["object"], wire["key"])


def source_to_wire(source: Source) -> Wire:
    version = source.district_version
    return {
        "request_id": source.request_id,
        "chunk": source.chunk,
        "correction_id": source.correction_id,
        "district_id": source.district_id,
        "object": source.object,
        "key": source.key,
        "asked_as": source.asked_as,
        "attempt": source.attempt,
        "cause": source.cause,
        "mode": source.mode,
        "dependencies": source.dependencies,
        "on_state_only": source.on_state_only,
        "changed_fields": source.changed_fields,
        "parent": parent_to_wire(source.parent),
        "district_version": {
            "epoch": version.epoch,
            "xmax": version.xmax,
            "in_progress": version.in_progress,
        },
        "district_read_at": source.district_read_at,
        "state_read_at": source.state_read_at,
        "first_decided_at": source.first_decided_at,
        "sent_at": source.sent_at,
        "requested_at": source.requested_at,
    }


def source_from_wire(wire: Wire) -> Source:
    version = wire["district_version"]
    return Source(
        request_id=wire["request_id"],
        chunk=wire["chunk"],
        correction_id=wire["correction_id"],
        district_id=wire["district_id"],
        object=wire["object"],
        key=wire["key"],
        asked_as=wire["asked_as"],
        attempt=wire["attempt"],
        cause=CAUSE.read(wire["cause"]),
        mode=MODE.read(wire["mode"]),
        dependencies=DEPENDENCIES.read(wire["dependencies"]),
        on_state_only=ON_STATE_ONLY.read(wire["on_state_only"]),
        changed_fields=tuple(wire["changed_fields"]),
        parent=parent_from_wire(wire["parent"]),
        district_version=DistrictVersion(version["epoch"], version["xmax"], version["in_progress"]),
        district_read_at=read_time(wire["district_read_at"]),
        state_read_at=read_time(wire["state_read_at"]),
        first_decided_at=read_time(wire["first_decided_at"]),
        sent_at=read_time(wire["sent_at"]),
        requested_at=read_time_or_none(wire["requested_at"]),
    )


def answer_to_wire(answer: Answer) -> Wire:
    return {
        "source": source_to_wire(answer.source),
        "result": answer.result,
        "detail": answer.detail,
        "answered_at": answer.answered_at,
    }


def answer_from_wire(wire: Wire) -> Answer:
    return Answer(
        source=source_from_wire(wire["source"]),
        result=_RESULT.read(wire["result"]),
        detail=wire["detail"],
        answered_at=read_time(wire["answered_at"]),
    )


def correction_to_wire(correction: Correction, object_type: ObjectType) -> Wire:
    """Field by field; what is sent is mostly written without it, to the same bytes (`correction_writer`)."""
    return {
        "op": correction.op,
        "before": _row_to_wire(correction.before, object_type),
        "after": _row_to_wire(correction.after, object_type),
        "parent": parent_to_wire(correction.parent),
        "source": source_to_wire(correction.source),
    }


def correction_from_wire(wire: Wire, fields: Sequence[FieldSpec]) -> Correction:
    """With the values of `fields`; it may change others, which whoever carries it out has to refuse."""
    return Correction(
        op=_OP.read(wire["op"]),
        before=_values_from_wire(wire["before"], fields),
        after=_values_from_wire(wire["after"], fields),
        parent=parent_from_wire(wire["parent"]),
        source=source_from_wire(wire["source"]),
    )


def _row_to_wire(values: Values | None, object_type: ObjectType) -> _Row | None:
    if values is None:
        return None
    return values_name(object_type.name), {f.name: to_wire(f, values[f.name]) for f in object_type.owned}


def _values_from_wire(wire: dict[str, Any] | None, fields: Sequence[FieldSpec]) -> Values | None:
    if wire is None:
        return None
    if isinstance(wire, Texts):
        return {field.name: wire[field.name] for field in fields}
    return {field.name: from_wire(field, wire[field.name]) for field in fields}
