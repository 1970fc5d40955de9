"""One record of each type, with every field set, and strategies that draw any other."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from processor.codec import Record
from processor.core.catalog import FieldSpec, Kind, ObjectType
from processor.core.chunk import Ask, Cause, Chunk
from processor.core.correction import Answer, Correction, Op, Parent, Result, Source
from processor.core.errors import Reason
from processor.core.history import (
    ChunkState,
    ChunkStatus,
    Clear,
    Cleared,
    Count,
    KeyOutcome,
    RequestEnd,
    RequestState,
    RequestStatus,
    Status,
)
from processor.core.request import All, Dependencies, Filter, Keys, Mode, OnStateOnly, Report, Request, Side
from processor.core.snapshot import DistrictVersion
from processor.core.values import from_wire
from tests.unit.codec.catalogs import OBJECTS, catalog_of

CATALOG = catalog_of(*OBJECTS)
REQUEST_ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"


def at(second: int) -> datetime:
    return datetime(2026, 9, 1, 8, 30, second, 123456, tzinfo=UTC)


REQUEST = Request(
    request_id=REQUEST_ID,
    district_id="NORTH",
    object="Enrollment",
    selection=Keys(("7", "007", "x y")),
    requested_by="clerk@north.example",
    mode=Mode.FORCE,
    dependencies=Dependencies.PARENTS,
    on_state_only=OnStateOnly.DELETE,
    report=Report.CHANGES,
    requested_from=Side.STATE,
    requested_at=at(0),
    school_year="2027",
    reason="count day",
    run_id="run-1",
)
SOURCE = Source(
    request_id=REQUEST_ID,
    chunk="0",
    correction_id="5f2b6c1e-0000-5c52-9a53-0d1f4ab0c0de",
    district_id="NORTH",
    object="Enrollment",
    key="7",
    asked_as="007",
    attempt=2,
    cause=Cause.CONFLICT,
    mode=Mode.SYNC,
    dependencies=Dependencies.NONE,
    on_state_only=OnStateOnly.REPORT,
    changed_fields=("grade", "endDate"),
    parent=Parent("PersonIdentity", "11"),
    district_version=DistrictVersion(1, 81_234, 3),
    district_read_at=at(1),
    state_read_at=at(2),
    first_decided_at=at(3),
    sent_at=at(4),
)
_NULLS: dict[str, str | None] = {field.name: None for field in CATALOG.objects["Enrollment"].owned}
CORRECTION = Correction(
    op=Op.UPDATE,
    before=_NULLS,
    after={
        **_NULLS,
        "personID": "11",
        "schoolNumber": "0420",
        "schoolYear": "2027",
        "grade": "09",
        "startDate": "2026-08-31",
        "percentEnrolled": "87.50",
        "stateExclude": "false",
        "modifiedAt": "2026-08-30T23:59:59.999999Z",
    },
    parent=Parent("PersonIdentity", "11"),
    source=SOURCE,
)
OUTCOME = KeyOutcome(
    request_id=REQUEST_ID,
    district_id="NORTH",
    object="Enrollment",
    key="7",
    asked_as="007",
    status=Status.FAILED,
    reason=Reason.REJECTED_BY_STATE,
    detail="state_enrollment_dates",
    changed_fields=("grade", "endDate"),
    parent=Parent("PersonIdentity", "11"),
    correction_id=SOURCE.correction_id,
    attempt=2,
    first_decided_at=at(3),
    sent_at=at(4),
    answered_at=at(5),
    decided_at=at(6),
)

SAMPLES: dict[str, Record] = {
    "Request": REQUEST,
    "Request-shortest": Request(REQUEST_ID, "NORTH", "PersonIdentity", Keys(("1",)), "sis"),
    "Request-all": replace(REQUEST, selection=All()),
    "Request-filter": replace(REQUEST, selection=Filter("grade = '09'")),
    "Chunk": Chunk(
        REQUEST_ID,
        "0.1",
        "NORTH",
        "Enrollment",
        (Ask("7", "007"), Ask("8", None)),
        cause=Cause.SNAPSHOT_UNAVAILABLE,
        mode=Mode.VERIFY,
        dependencies=Dependencies.CHILDREN,
        on_state_only=OnStateOnly.DELETE,
        report=Report.CHANGES,
        attempt=3,
        first_decided_at=at(1),
        deferred_since=at(2),
        not_before=at(3),
    ),
    "Correction": CORRECTION,
    "Correction-create": replace(CORRECTION, op=Op.CREATE, before=None, source=replace(SOURCE, parent=None)),
    "Correction-delete": replace(CORRECTION, op=Op.DELETE, after=None, parent=None),
    "Answer": Answer(SOURCE, Result.REJECTED_BY_STATE, "state_enrollment_dates", at(5)),
    "KeyOutcome": OUTCOME,
    "KeyOutcome-plain": replace(
        OUTCOME,
        status=Status.IN_SYNC,
        asked_as=None,
        reason=None,
        detail=None,
        changed_fields=(),
        parent=None,
        correction_id=None,
        attempt=1,
        sent_at=None,
        answered_at=None,
    ),
    "RequestStatus": RequestStatus(
        replace(REQUEST, selection=Keys(())), RequestState.REJECTED, Reason.UNKNOWN_OBJECT, "object", 3, at(1)
    ),
    "ChunkStatus": ChunkStatus(REQUEST_ID, "NORTH", "Enrollment", "0", ChunkState.DONE, 3, 2, at(1)),
    "RequestEnd": RequestEnd(
        REQUEST_ID,
        "NORTH",
        "Enrollment",
        RequestState.COMPLETE_WITH_FAILURES,
        None,
        None,
        (Count("APPLIED", None, 2), Count("FAILED", "CONFLICT", 1)),
        at(1),
        at(2),
    ),
    "Clear": Clear(REQUEST_ID, "admin@state.example", at(8), at(7), "older than 2026-09-01T00:00:00+00:00"),
    "Cleared": Cleared(REQUEST_ID, "NORTH", "Enrollment", "admin@state.example", at(9), 3, "request"),
}

_text = st.text(st.characters(codec="utf-8"), max_size=20)
_maybe_text = st.none() | _text
_times = st.datetimes(timezones=st.just(UTC))
_maybe_times = st.none() | _times
_counts = st.integers(0, 2**63 - 1)
_parents = st.builds(Parent, object=_text, key=_text)
_ids = st.uuids().map(str)
_sources = st.builds(
    Source,
    request_id=_ids,
    chunk=_text,
    correction_id=_ids,
    district_id=_text,
    object=st.just("Enrollment"),
    key=_text,
    asked_as=_maybe_text,
    attempt=_counts,
    changed_fields=st.lists(st.sampled_from(sorted(_NULLS))).map(tuple),
    parent=st.none() | _parents,
    district_version=st.builds(DistrictVersion, epoch=_counts, xmax=_counts, in_progress=_counts),
    district_read_at=_times,
    state_read_at=_times,
    first_decided_at=_times,
    sent_at=_times,
)
_keys = st.builds(Keys, keys=st.lists(_text, max_size=5).map(tuple))
_requests = st.builds(
    Request,
    request_id=_ids,
    district_id=_text,
    object=_text,
    selection=_keys | st.builds(All) | st.builds(Filter, expression=_text),
    requested_by=_text,
    mode=st.sampled_from(Mode),
    dependencies=st.sampled_from(Dependencies),
    on_state_only=st.sampled_from(OnStateOnly),
    report=st.sampled_from(Report),
    requested_from=st.sampled_from(Side),
    requested_at=_maybe_times,
    school_year=_maybe_text,
    reason=_maybe_text,
    run_id=_maybe_text,
)


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


def _corrections(object_type: ObjectType) -> st.SearchStrategy[Correction]:
    rows = st.fixed_dictionaries({field.name: _value(field) for field in object_type.owned})
    names = st.lists(st.sampled_from([field.name for field in object_type.owned])).map(tuple)
    sources = st.builds(replace, _sources, object=st.just(object_type.name), changed_fields=names)
    return st.builds(
        Correction,
        op=st.sampled_from(Op),
        before=st.none() | rows,
        after=st.none() | rows,
        parent=st.none() | _parents,
        source=sources,
    )


RECORDS: st.SearchStrategy[Record] = st.one_of(
    _requests,
    st.builds(
        Chunk,
        request_id=_ids,
        chunk=_text,
        district_id=_text,
        object=_text,
        asks=st.lists(st.builds(Ask, key=_text, asked_as=_maybe_text), max_size=5).map(tuple),
        cause=st.sampled_from(Cause),
        attempt=_counts,
        first_decided_at=_maybe_times,
        deferred_since=_maybe_times,
        not_before=_maybe_times,
    ),
    st.sampled_from(OBJECTS).flatmap(lambda name: _corrections(CATALOG.objects[name])),
    st.builds(Answer, source=_sources, detail=_maybe_text, answered_at=_times),
    st.builds(
        KeyOutcome,
        request_id=_ids,
        district_id=_text,
        object=_text,
        key=_text,
        asked_as=_maybe_text,
        reason=st.none() | st.sampled_from(Reason),
        detail=_maybe_text,
        changed_fields=st.lists(_text, max_size=4).map(tuple),
        parent=st.none() | _parents,
        correction_id=_maybe_text,
        attempt=_counts,
        first_decided_at=_times,
        sent_at=_maybe_times,
        answered_at=_maybe_times,
        decided_at=_times,
    ),
    st.builds(
        RequestStatus,
        request=st.builds(replace, _requests, selection=st.just(Keys(())) | st.builds(All)),
        reason=st.none() | st.sampled_from(Reason),
        detail=_maybe_text,
        keys=_counts,
        decided_at=_times,
    ),
    st.builds(
        ChunkStatus,
        request_id=_ids,
        district_id=_text,
        object=_text,
        chunk=_text,
        keys=_counts,
        in_sync=_counts,
        decided_at=_times,
    ),
    st.builds(
        RequestEnd,
        request_id=_ids,
        district_id=_text,
        object=_text,
        reason=st.none() | st.sampled_from(Reason),
        detail=_maybe_text,
        counts=st.lists(st.builds(Count, status=_text, reason=_maybe_text, keys=_counts), max_size=4).map(tuple),
        first_decided_at=_maybe_times,
        last_decided_at=_maybe_times,
    ),
    st.builds(Clear, request_id=_ids, cleared_by=_text, asked_at=_times, as_of=_times, scope=_text),
    st.builds(
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
