"""One record of each type, with every field set."""

from dataclasses import replace
from datetime import UTC, datetime

from processor.codec import Record
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

PLANNED = PlanCounts(
    (Planned("Enrollment", Op.UPDATE, None, 2), Planned("Enrollment", Op.UPDATE, "grade", 2)),
    (Sample("Enrollment", Op.UPDATE, "7"),),
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
    "Chunk-sent": Chunk(
        REQUEST_ID,
        "r1",
        "NORTH",
        "Enrollment",
        (Ask("7", "007"),),
        correction_id=SOURCE.correction_id,
        sent_at=at(4),
        requested_at=at(0),
    ),
    "Correction": CORRECTION,
    "Correction-asked": replace(CORRECTION, source=replace(SOURCE, requested_at=at(0))),
    "Correction-create": replace(CORRECTION, op=Op.CREATE, before=None, source=replace(SOURCE, parent=None)),
    "Correction-delete": replace(CORRECTION, op=Op.DELETE, after=None, parent=None),
    "Answer": Answer(SOURCE, Result.REJECTED_BY_STATE, "state_enrollment_dates", at(5)),
    "Answer-asked": Answer(replace(SOURCE, requested_at=at(0)), Result.APPLIED, None, at(5)),
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
    "RequestStatus-held": RequestStatus(
        replace(REQUEST, selection=All(), linked=True),
        RequestState.HELD,
        Reason.MASS_CHANGE,
        None,
        0,
        at(1),
        Guard(1_000, 0),
        PLANNED,
        "state@example",
    ),
    "ChunkStatus-planned": ChunkStatus(
        REQUEST_ID, "NORTH", "Enrollment", "0.1.2", ChunkState.DONE, 3, 2, at(1), planned=PLANNED, guard=Guard(5, 0)
    ),
    "Parked": Parked(
        Chunk(REQUEST_ID, "0.1.2.1", "NORTH", "Enrollment", (Ask("7", "007"),), stage=Stage.RELEASED, rank=99)
    ),
    "Chunk-scan": Chunk(
        REQUEST_ID,
        "0.3",
        "NORTH",
        "PersonIdentity",
        (),
        cause=Cause.SCAN,
        stage=Stage.PLAN,
        scan=Scan("7", 3, 500, 70, 400, True, "lastName = 'Lee'", "2026", ("Enrollment",)),
    ),
    "Chunk-below": Chunk(
        REQUEST_ID,
        "1.0",
        "NORTH",
        "Enrollment",
        (),
        cause=Cause.SCAN,
        scan=Scan(None, 0, 1_000, 0, where="lastName = 'Lee'", of="Person"),
    ),
    "Order": Order(REQUEST_ID, OrderAction.RELEASE, "state@example", at(2)),
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
