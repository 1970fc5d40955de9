"""Any record of any type, with any values in every field."""

from dataclasses import fields, replace
from datetime import UTC, date
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st

from processor.codec import Record
from processor.core.catalog import FieldSpec, Kind, ObjectType
from processor.core.chunk import Ask, Cause, Chunk, Scan, Stage
from processor.core.correction import Answer, Correction, Op, Parent, Result, Source
from processor.core.errors import Reason
from processor.core.history import (
    ChunkState,
    ChunkStatus,
    Clear,
    Cleared,
    Count,
    Guard,
    KeyOutcome,
    Order,
    OrderAction,
    Parked,
    PlanCounts,
    Planned,
    RequestEnd,
    RequestState,
    RequestStatus,
    Sample,
    Status,
)
from processor.core.request import All, Dependencies, Filter, Keys, Mode, OnStateOnly, Report, Request, Side
from processor.core.snapshot import DistrictVersion
from processor.core.values import from_wire
from tests.unit.codec.catalogs import OBJECTS
from tests.unit.codec.records import CATALOG

R = TypeVar("R")
_NOT_WRITTEN = {"not_understood", "is_gone"}


def _every(kind: type[R], **values: st.SearchStrategy[object]) -> st.SearchStrategy[R]:
    """A field that nobody draws would be its default for ever, and its loss on the way not be seen."""
    missed = {each.name for each in fields(kind)} - _NOT_WRITTEN - values.keys()  # type: ignore[arg-type]
    if missed:
        raise TypeError(f"{kind.__name__}: nothing draws {', '.join(sorted(missed))}")
    return st.builds(kind, **values)


_FIELDS = [field.name for field in CATALOG.objects["Enrollment"].owned]
_text = st.text(st.characters(codec="utf-8"), max_size=20)
_maybe_text = st.none() | _text
_times = st.datetimes(timezones=st.just(UTC))
_maybe_times = st.none() | _times
_counts = st.integers(0, 2**63 - 1)
_parents = _every(Parent, object=_text, key=_text)
_ids = st.uuids().map(str)
_ops = st.sampled_from(Op)
_reasons = st.none() | st.sampled_from(Reason)
_asked = {
    "mode": st.sampled_from(Mode),
    "dependencies": st.sampled_from(Dependencies),
    "on_state_only": st.sampled_from(OnStateOnly),
}
SOURCES = _every(
    Source,
    request_id=_ids,
    chunk=_text,
    correction_id=_ids,
    district_id=_text,
    object=st.just("Enrollment"),
    key=_text,
    asked_as=_maybe_text,
    attempt=_counts,
    cause=st.sampled_from(Cause),
    **_asked,
    changed_fields=st.lists(st.sampled_from(_FIELDS)).map(tuple),
    parent=st.none() | _parents,
    district_version=_every(DistrictVersion, epoch=_counts, xmax=_counts, in_progress=_counts),
    district_read_at=_times,
    state_read_at=_times,
    first_decided_at=_times,
    sent_at=_times,
    requested_at=_maybe_times,
)
_keys = _every(Keys, keys=st.lists(_text, max_size=5).map(tuple))
REQUESTS = _every(
    Request,
    request_id=_ids,
    district_id=_text,
    object=_text,
    selection=_keys | st.builds(All) | _every(Filter, expression=_text),
    requested_by=_text,
    **_asked,
    report=st.sampled_from(Report),
    requested_from=st.sampled_from(Side),
    requested_at=_maybe_times,
    school_year=_maybe_text,
    reason=_maybe_text,
    run_id=_maybe_text,
    linked=st.booleans(),
)
_scans = _every(
    Scan,
    after=_maybe_text,
    part=_counts,
    size=_counts,
    left=_counts,
    digest=_counts,
    by_rows=st.booleans(),
    where=_maybe_text,
    year=_maybe_text,
    below=st.lists(_text, max_size=3).map(tuple),
    of=_maybe_text,
)
_chunks = _every(
    Chunk,
    request_id=_ids,
    chunk=_text,
    district_id=_text,
    object=_text,
    asks=st.lists(_every(Ask, key=_text, asked_as=_maybe_text), max_size=5).map(tuple),
    cause=st.sampled_from(Cause),
    **_asked,
    report=st.sampled_from(Report),
    attempt=_counts,
    announced=st.booleans(),
    first_decided_at=_maybe_times,
    deferred_since=_maybe_times,
    not_before=_maybe_times,
    correction_id=_maybe_text,
    sent_at=_maybe_times,
    requested_at=_maybe_times,
    scan=st.none() | _scans,
    stage=st.sampled_from(Stage),
    rank=_counts,
)
_plans = _every(
    PlanCounts,
    counts=st.lists(_every(Planned, object=_text, op=_ops, field=_maybe_text, keys=_counts), max_size=3).map(tuple),
    samples=st.lists(_every(Sample, object=_text, op=_ops, key=_text), max_size=3).map(tuple),
)
_guards = _every(Guard, changes=_counts, deletes=_counts)


def _value(field: FieldSpec) -> st.SearchStrategy[str | None]:
    wire: dict[Kind, st.SearchStrategy[object]] = {
        Kind.STRING: _text,
        Kind.LONG: st.integers(-(2**63), 2**63 - 1),
        Kind.BOOLEAN: st.booleans(),
        Kind.DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
        Kind.DATE: st.dates(date(1, 1, 1)),
        Kind.TIMESTAMP: _times,
        Kind.DECIMAL: st.integers(-(10**field.precision) + 1, 10**field.precision - 1).map(
            lambda unscaled: Decimal(unscaled).scaleb(-field.scale)
        ),
    }
    return st.none() | wire[field.kind].map(lambda value: from_wire(field, value))  # type: ignore[arg-type]


ANSWERS = _every(Answer, source=SOURCES, result=st.sampled_from(Result), detail=_maybe_text, answered_at=_times)


def corrections(object_type: ObjectType) -> st.SearchStrategy[Correction]:
    """With and without either row, whatever the operation."""
    rows = st.fixed_dictionaries({field.name: _value(field) for field in object_type.owned})
    names = st.lists(st.sampled_from([field.name for field in object_type.owned])).map(tuple)
    sources = st.builds(replace, SOURCES, object=st.just(object_type.name), changed_fields=names)
    return _every(
        Correction,
        op=_ops,
        before=st.none() | rows,
        after=st.none() | rows,
        parent=st.none() | _parents,
        source=sources,
    )


@st.composite
def updates(draw: st.DrawFn) -> Correction:
    """Of some fields, or none, of an enrollment's row."""
    object_type = CATALOG.objects["Enrollment"]
    row = {field.name: _value(field) for field in object_type.owned}
    before = draw(st.fixed_dictionaries(row))
    changed = draw(st.lists(st.sampled_from([*row]), max_size=3, unique=True))
    after = {**before, **{name: draw(row[name]) for name in changed}}
    return Correction(Op.UPDATE, before, after, None, draw(SOURCES))


OUTCOMES = _every(
    KeyOutcome,
    request_id=_ids,
    district_id=_text,
    object=_text,
    key=_text,
    asked_as=_maybe_text,
    status=st.sampled_from(Status),
    reason=_reasons,
    detail=_maybe_text,
    changed_fields=st.lists(_text, max_size=4).map(tuple),
    parent=st.none() | _parents,
    correction_id=_maybe_text,
    attempt=_counts,
    first_decided_at=_times,
    sent_at=_maybe_times,
    answered_at=_maybe_times,
    decided_at=_times,
)
STATUSES = _every(
    RequestStatus,
    request=st.builds(replace, REQUESTS, selection=st.just(Keys(())) | st.builds(All)),
    state=st.sampled_from(RequestState),
    reason=_reasons,
    detail=_maybe_text,
    keys=_counts,
    decided_at=_times,
    guard=st.none() | _guards,
    planned=st.none() | _plans,
    decided_by=_maybe_text,
)
CORRECTIONS = st.sampled_from(OBJECTS).flatmap(lambda name: corrections(CATALOG.objects[name]))
RECORDS: st.SearchStrategy[Record] = st.one_of(
    REQUESTS,
    _chunks,
    CORRECTIONS,
    ANSWERS,
    OUTCOMES,
    STATUSES,
    _every(
        ChunkStatus,
        request_id=_ids,
        district_id=_text,
        object=_text,
        chunk=_text,
        state=st.sampled_from(ChunkState),
        keys=_counts,
        in_sync=_counts,
        decided_at=_times,
        district_rows=_counts,
        state_rows=_counts,
        expected_differences=_counts,
        planned=st.none() | _plans,
        guard=st.none() | _guards,
    ),
    _every(Parked, chunk=_chunks),
    _every(
        RequestEnd,
        request_id=_ids,
        district_id=_text,
        object=_text,
        state=st.sampled_from(RequestState),
        reason=_reasons,
        detail=_maybe_text,
        counts=st.lists(_every(Count, status=_text, reason=_maybe_text, keys=_counts), max_size=4).map(tuple),
        first_decided_at=_maybe_times,
        last_decided_at=_maybe_times,
    ),
    _every(Order, request_id=_ids, action=st.sampled_from(OrderAction), ordered_by=_text, ordered_at=_times),
    _every(Clear, request_id=_ids, cleared_by=_text, asked_at=_times, as_of=_times, scope=_text),
    _every(
        Cleared,
        request_id=_ids,
        district_id=_text,
        object=_text,
        cleared_by=_text,
        cleared_at=_times,
        outcomes=_counts,
        scope=_text,
    ),
)
