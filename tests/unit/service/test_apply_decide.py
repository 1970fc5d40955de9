import pytest

from processor.core import values
from processor.core.correction import Correction
from processor.core.snapshot import DistrictVersion
from processor.service.apply_decide import Turn, decide, unusable, written_fields
from processor.service.apply_state import UNREADABLE, Found, StateRow
from processor.service.refusal_text import NO_SUCH_TIME_SQLSTATE, NUL_SQLSTATE, refusal_text
from tests.integration.applier.catalog import CATALOG, ENROLLMENT, PERSON
from tests.integration.applier.world import complete, create, delete, force, update, version, with_source

A = {"lastName": "A"}
B = {"lastName": "B"}
YEAR_ONE = {"localAt": "0001-01-01T00:00:00.000000Z"}
"""Not in the state's zone, where it is still the year before."""


def row(**held: str | None) -> StateRow:
    return StateRow((), complete("Person", held))


def found(*rows: StateRow, recorded: DistrictVersion | None = None) -> Found:
    return Found(rows, recorded)


CREATE = create("Person", "7", B)
UPDATE = update("Person", "7", A, B)
DELETE = delete("Person", "7", A)
FORCE = force("Person", "7", A)


@pytest.mark.parametrize(
    ("correction", "state", "turn", "detail"),
    [
        (CREATE, found(), Turn.WRITE, None),
        (CREATE, found(row(**B)), Turn.ALREADY_EQUAL, None),
        (CREATE, found(row(**A)), Turn.CONFLICT, "exists"),
        (UPDATE, found(), Turn.CONFLICT, "missing"),
        (UPDATE, found(row(**A)), Turn.WRITE, None),
        (UPDATE, found(row(**B)), Turn.ALREADY_EQUAL, None),
        (UPDATE, found(row(**B, code="x")), Turn.ALREADY_EQUAL, None),
        (UPDATE, found(row(**A, code="x", visits="1")), Turn.CONFLICT, "code,visits"),
        (UPDATE, found(row(lastName="A ")), Turn.CONFLICT, "lastName"),
        (UPDATE, found(row(**A, born=UNREADABLE)), Turn.CONFLICT, "born"),
        (DELETE, found(), Turn.ALREADY_EQUAL, None),
        (DELETE, found(row(**A)), Turn.WRITE, None),
        (DELETE, found(row(**B)), Turn.CONFLICT, "lastName"),
        (FORCE, found(row(**A)), Turn.WRITE, None),
        (FORCE, found(row(**B)), Turn.CONFLICT, "lastName"),
        (CREATE, found(row(**B), row(**B)), Turn.CONFLICT, "DUPLICATE"),
        (CREATE, found(recorded=version(101)), Turn.CONFLICT, "version"),
        (UPDATE, found(row(**A), recorded=version(101)), Turn.CONFLICT, "version"),
        (UPDATE, found(row(**B), recorded=version(101)), Turn.ALREADY_EQUAL, None),
        (DELETE, found(row(**A), recorded=version(99, epoch=2)), Turn.CONFLICT, "version"),
        (UPDATE, found(row(**A), recorded=version(100)), Turn.WRITE, None),
        (UPDATE, found(row(**A), recorded=version(100, in_progress=1)), Turn.WRITE, None),
    ],
)
def test_every_state_of_a_row(correction: Correction, state: Found, turn: Turn, detail: str | None) -> None:
    decision = decide(PERSON, correction, state)

    assert (decision.turn, decision.detail) == (turn, detail)
    assert decision.row is (state.rows[0] if turn is Turn.WRITE and state.rows else None)


@pytest.mark.parametrize(("was", "turn"), [(None, Turn.WRITE), ("8", Turn.CONFLICT)])
def test_a_dangling_reference_was_null_on_the_wire(was: str | None, turn: Turn) -> None:
    held = StateRow((), complete("Enrollment", {"personID": "7", "mentorID": values.DANGLING}))
    correction = update("Enrollment", "1", {"personID": "7", "mentorID": was}, {"grade": "5"})

    assert decide(ENROLLMENT, correction, found(held)).turn is turn


def test_written_fields() -> None:
    assert written_fields(PERSON, CREATE) == PERSON.owned
    assert written_fields(PERSON, FORCE) == PERSON.owned
    assert [field.name for field in written_fields(PERSON, UPDATE)] == ["lastName"]
    assert written_fields(PERSON, DELETE) == ()


@pytest.mark.parametrize(
    ("correction", "fault"),
    [
        (UPDATE, None),
        (with_source(UPDATE, object="Nothing"), "object not in the catalog"),
        (with_source(UPDATE, correction_id="7"), "correction_id is not a uuid"),
        (with_source(UPDATE, key="007"), "key is not canonical"),
        (with_source(UPDATE, key="x"), "key is not canonical"),
        (with_source(UPDATE, district_id="N\x00"), "key is not canonical"),
        (with_source(UPDATE, changed_fields=()), "no field changed"),
        (with_source(UPDATE, changed_fields=("funding",)), "not owned by the district: funding"),
        (Correction(CREATE.op, A, B, None, CREATE.source), "before does not fit op"),
        (Correction(DELETE.op, A, B, None, DELETE.source), "after does not fit op"),
        (Correction(UPDATE.op, None, B, None, UPDATE.source), "before does not fit op"),
        (
            update("Person", "7", A, {"lastName": "\x00", "code": "\x00"}),
            refusal_text(NUL_SQLSTATE, "code,lastName"),
        ),
        (update("Person", "7", A, YEAR_ONE), refusal_text(NO_SUCH_TIME_SQLSTATE, "localAt")),
        (update("Person", "7", {**A, **YEAR_ONE}, B), None),
    ],
)
def test_unusable(correction: Correction, fault: str | None) -> None:
    assert unusable(correction, CATALOG) == fault
