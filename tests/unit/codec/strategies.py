"""Any record of any type, with any values."""

from dataclasses import replace
from datetime import UTC, date
from decimal import Decimal

from hypothesis import strategies as st

from processor.codec import Record
from processor.core.catalog import FieldSpec, Kind, ObjectType
from processor.core.chunk import Ask, Cause, Chunk, Scan
from processor.core.correction import Answer, Correction, Op, Parent, Source
from processor.core.errors import Reason
from processor.core.history import ChunkStatus, Clear, Cleared, Count, KeyOutcome, RequestEnd, RequestStatus
from processor.core.request import All, Dependencies, Filter, Keys, Mode, OnStateOnly, Report, Request, Side
from processor.core.snapshot import DistrictVersion
from processor.core.values import from_wire
from tests.unit.codec.catalogs import OBJECTS
from tests.unit.codec.records import CATALOG

_FIELDS = [field.name for field in CATALOG.objects["Enrollment"].owned]
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
    changed_fields=st.lists(st.sampled_from(_FIELDS)).map(tuple),
    parent=st.none() | _parents,
    district_version=st.builds(DistrictVersion, epoch=_counts, xmax=_counts, in_progress=_counts),
    district_read_at=_times,
    state_read_at=_times,
    first_decided_at=_times,
    sent_at=_times,
    requested_at=_maybe_times,
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


@st.composite
def updates(draw: st.DrawFn) -> Correction:
    """Of some fields, or none, of a row of any object."""
    object_type = CATALOG.objects[draw(st.sampled_from(OBJECTS))]
    row = st.fixed_dictionaries({field.name: _value(field) for field in object_type.owned})
    before, other = draw(row), draw(row)
    changed = draw(st.lists(st.sampled_from([*before]), max_size=3))
    made = draw(_corrections(object_type))
    return replace(made, op=Op.UPDATE, before=before, after={**before, **{name: other[name] for name in changed}})


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
        requested_at=_maybe_times,
        scan=st.none()
        | st.builds(
            Scan, after=_maybe_text, part=_counts, size=_counts, left=_counts, digest=_counts, by_rows=st.booleans()
        ),
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
        district_rows=_counts,
        state_rows=_counts,
        expected_differences=_counts,
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
