"""The decision table of DESIGN §4, row by row, for one key without dependencies."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from processor.core.catalog import Catalog, KeyType
from processor.core.chunk import Ask, Cause
from processor.core.compare import MAX_ROW_BYTES
from processor.core.correction import Correction, Op, Source
from processor.core.decide import decide
from processor.core.errors import Reason
from processor.core.history import KeyOutcome, Status
from processor.core.ids import correction_id
from processor.core.outcome import source_outcome
from processor.core.plan import Plan
from processor.core.request import Mode, OnStateOnly
from processor.core.snapshot import Row, Snapshot
from tests.unit.core.builders import (
    CATALOG,
    NOW,
    PERSON,
    READ_AT,
    REQUEST_ID,
    VERSION,
    Place,
    World,
    catalog,
    chunk,
    only_outcome,
    ours,
    outcomes,
    theirs,
)

OWNED = tuple(f.name for f in PERSON.owned)
FORCE = {"mode": Mode.FORCE}
VERIFY = {"mode": Mode.VERIFY}
DELETE = {"on_state_only": OnStateOnly.DELETE}
UNANSWERED = {"cause": Cause.NO_ANSWER, "attempt": 2}
MAY_DELETE = catalog(allow_delete=True)
HUGE = "x" * (MAX_ROW_BYTES // 2)
OURS_NEVER, THEIRS_NEVER, BORN = ours(birthDate="infinity"), theirs(birthDate="infinity"), ("birthDate",)
NAME = ("lastName",)
CERTIFIED, EXPECTED = theirs(certification="x"), ("certification",)


def person(district: list[Row], state: list[Row], known: Catalog = CATALOG) -> World:
    """A district and a state that hold these rows of person 7."""
    sides = [{("Person", "7"): tuple(rows)} if rows else {} for rows in (district, state)]
    return World(*sides, known=known)


def of(world: World, **asked: Any) -> Plan:
    return world.decide(chunk("7", **asked))


class Case(NamedTuple):
    """What is asked, what both sides hold; then the outcome, the fields that it names, and what is sent."""

    asked: dict[str, Any]
    district: list[Row]
    state: list[Row]
    status: Status
    reason: Reason | None
    named: tuple[str, ...]
    sent: Op | None


TABLE = [
    Case({}, [], [], Status.NOT_FOUND, None, (), None),
    Case({}, [ours()], [theirs()], Status.IN_SYNC, None, (), None),
    Case({}, [ours()], [CERTIFIED], Status.IN_SYNC, Reason.EXPECTED_DIFFERENCE, EXPECTED, None),
    Case({}, [ours(lastName="A")], [theirs()], Status.SENT, None, NAME, Op.UPDATE),
    Case({}, [ours(lastName="A")], [CERTIFIED], Status.SENT, None, NAME, Op.UPDATE),
    Case({}, [ours()], [], Status.SENT, None, OWNED, Op.CREATE),
    Case({}, [], [theirs()], Status.STATE_ONLY, None, (), None),
    Case(DELETE, [], [theirs()], Status.SENT, None, OWNED, Op.DELETE),
    Case({}, [ours()] * 2, [], Status.FAILED, Reason.DUPLICATE_KEY, (), None),
    Case({}, [ours()], [theirs()] * 2, Status.FAILED, Reason.DUPLICATE_KEY, (), None),
    Case({}, [ours()] * 2, [theirs()] * 3, Status.FAILED, Reason.DUPLICATE_KEY, (), None),
    Case({}, [], [theirs()] * 2, Status.FAILED, Reason.DUPLICATE_KEY, (), None),
    Case(DELETE, [], [theirs()] * 2, Status.FAILED, Reason.DUPLICATE_KEY, (), None),
    Case({}, [OURS_NEVER], [theirs()], Status.FAILED, Reason.UNREPRESENTABLE, BORN, None),
    Case({}, [ours(birthDate="0044-03-15 BC")], [], Status.FAILED, Reason.UNREPRESENTABLE, BORN, None),
    Case({}, [ours()], [THEIRS_NEVER], Status.FAILED, Reason.UNREPRESENTABLE, BORN, None),
    Case({}, [ours(ratio="NaN")], [theirs()], Status.FAILED, Reason.UNREPRESENTABLE, ("ratio",), None),
    Case({}, [ours(income="NaN")], [theirs()], Status.SENT, None, ("income",), Op.UPDATE),
    Case({}, [ours(gender="?")], [theirs()], Status.FAILED, Reason.UNMAPPED_VALUE, ("gender",), None),
    Case({}, [OURS_NEVER], [THEIRS_NEVER], Status.IN_SYNC, None, (), None),
    Case({}, [ours(lastName=HUGE)], [theirs(lastName=HUGE + "!")], Status.FAILED, Reason.UNREPRESENTABLE, NAME, None),
    Case({}, [ours(lastName=HUGE * 2)], [], Status.FAILED, Reason.UNREPRESENTABLE, NAME, None),
    Case(DELETE, [], [theirs(lastName=HUGE * 2)], Status.FAILED, Reason.UNREPRESENTABLE, NAME, None),
    Case({}, [ours(lastName=HUGE * 2)], [theirs(lastName=HUGE * 2)], Status.IN_SYNC, None, (), None),
    Case({}, [ours(lastName=HUGE)], [theirs(lastName="A")], Status.SENT, None, NAME, Op.UPDATE),
    Case(FORCE, [ours()], [theirs()], Status.SENT, Reason.FORCED, (), Op.UPDATE),
    Case(FORCE, [ours()], [CERTIFIED], Status.SENT, Reason.FORCED, (), Op.UPDATE),
    Case(FORCE, [ours(lastName="A")], [theirs()], Status.SENT, None, NAME, Op.UPDATE),
    Case(FORCE, [ours()], [], Status.SENT, None, OWNED, Op.CREATE),
    Case(FORCE, [], [], Status.NOT_FOUND, None, (), None),
    Case(FORCE, [], [theirs()], Status.STATE_ONLY, None, (), None),
    Case(FORCE, [OURS_NEVER], [THEIRS_NEVER], Status.FAILED, Reason.UNREPRESENTABLE, BORN, None),
    Case(VERIFY, [], [], Status.NOT_FOUND, None, (), None),
    Case(VERIFY, [ours()], [theirs()], Status.IN_SYNC, None, (), None),
    Case(VERIFY, [ours()], [CERTIFIED], Status.IN_SYNC, Reason.EXPECTED_DIFFERENCE, EXPECTED, None),
    Case(VERIFY, [ours(lastName="A")], [theirs()], Status.DIFFERS, None, NAME, None),
    Case(VERIFY, [ours()], [], Status.MISSING_AT_STATE, None, (), None),
    Case(VERIFY, [], [theirs()], Status.MISSING_AT_DISTRICT, None, (), None),
    Case({**VERIFY, **DELETE}, [], [theirs()], Status.MISSING_AT_DISTRICT, None, (), None),
    Case(VERIFY, [ours()] * 2, [theirs()], Status.DUPLICATE_KEY, Reason.DUPLICATE_KEY, (), None),
    Case(VERIFY, [OURS_NEVER], [theirs()], Status.DIFFERS, Reason.UNREPRESENTABLE, BORN, None),
    Case(VERIFY, [ours(gender="?")], [theirs()], Status.DIFFERS, Reason.UNMAPPED_VALUE, ("gender",), None),
    Case(UNANSWERED, [ours()], [theirs()], Status.APPLIED, Reason.SEEN_EQUAL, (), None),
    Case(UNANSWERED, [ours()], [CERTIFIED], Status.APPLIED, Reason.SEEN_EQUAL, (), None),
    Case({**UNANSWERED, **FORCE}, [ours()], [theirs()], Status.APPLIED, Reason.SEEN_EQUAL, (), None),
    Case(UNANSWERED, [ours(lastName="A")], [theirs()], Status.SENT, None, NAME, Op.UPDATE),
    Case({**UNANSWERED, **DELETE}, [], [], Status.APPLIED, Reason.SEEN_EQUAL, (), None),
    Case(UNANSWERED, [], [], Status.NOT_FOUND, None, (), None),
    Case({**UNANSWERED, **DELETE}, [], [theirs()], Status.FAILED, Reason.NO_ANSWER, (), None),
    Case(UNANSWERED, [], [theirs()], Status.STATE_ONLY, None, (), None),
    Case({**UNANSWERED, "attempt": 5}, [ours()], [], Status.SENT, None, OWNED, Op.CREATE),
    Case({**UNANSWERED, "attempt": 6}, [ours()], [], Status.FAILED, Reason.NO_ANSWER, OWNED, None),
    Case({**UNANSWERED, "attempt": 6}, [ours()], [theirs()], Status.APPLIED, Reason.SEEN_EQUAL, (), None),
    Case({"cause": Cause.CONFLICT, "attempt": 2}, [ours()], [theirs()], Status.IN_SYNC, None, (), None),
]  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_what_becomes_of_a_key(case: Case) -> None:
    plan = of(person(case.district, case.state, MAY_DELETE), **case.asked)
    outcome = only_outcome(plan)
    assert (outcome.status, outcome.reason, outcome.changed_fields) == (case.status, case.reason, case.named)
    assert [correction.op for correction in plan.corrections] == ([] if case.sent is None else [case.sent])
    assert (plan.chunks, plan.retries) == ([], [])


def test_what_was_not_answered_says_why_it_is_not_deleted() -> None:
    outcome = only_outcome(of(person([], [theirs()], MAY_DELETE), **UNANSWERED, **DELETE))
    assert outcome.detail == "only the state has it; what was not answered is never sent again as a deletion"


def test_a_duplicate_says_how_many_and_where() -> None:
    outcome = only_outcome(of(person([ours()], [theirs()] * 2)))
    assert outcome.detail == "1 row at the district, 2 at the state"


@pytest.mark.parametrize(
    ("ours_held", "theirs_held", "side"), [(OURS_NEVER, theirs(), "district"), (ours(), THEIRS_NEVER, "state")]
)
def test_a_value_that_cannot_be_carried_says_where_it_stands(ours_held: Row, theirs_held: Row, side: str) -> None:
    outcome = only_outcome(of(person([ours_held], [theirs_held])))
    assert outcome.detail == f"birthDate: the {side}'s value is not a date"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({}, Reason.DELETE_NOT_ALLOWED), ({"allow_delete": True, "max_deletes": 0}, Reason.MAX_DELETES)],
)
def test_deleting_needs_the_setting_that_allows_it(limits: dict[str, Any], reason: Reason) -> None:
    plan = of(person([], [theirs()], catalog(**limits)), **DELETE)
    assert (only_outcome(plan).status, only_outcome(plan).reason) == (Status.STATE_ONLY, reason)
    assert not plan.corrections


def test_a_key_that_the_district_may_spell_otherwise_is_not_deleted() -> None:
    known = catalog(allow_delete=True)
    kind = known.objects["Person"]
    spelled = replace(kind, district=replace(kind.district, key_type=KeyType.TEXT))
    plan = of(person([], [theirs()], replace(known, objects={**known.objects, "Person": spelled})), **DELETE)
    assert (only_outcome(plan).status, only_outcome(plan).reason) == (Status.STATE_ONLY, Reason.DELETE_NOT_ALLOWED)
    assert not plan.corrections


@pytest.mark.parametrize(("state_only", "deleted"), [(2, 2), (3, 0)])
def test_more_deletions_than_a_request_may_cause_cause_none(state_only: int, deleted: int) -> None:
    keys = [str(number) for number in range(1, 6)]
    world = World(
        district={("Person", key): (ours(),) for key in keys[state_only:]},
        state={("Person", key): (theirs(),) for key in keys[:4]},
        known=catalog(allow_delete=True, max_deletes=2),
    )
    plan = world.decide(chunk(*keys, **DELETE))
    assert [c.source.key for c in plan.corrections if c.op is Op.DELETE] == keys[:deleted]
    by_key = {o.key: o for o in outcomes(plan)}
    assert by_key["4"].status is Status.IN_SYNC, "other keys go on"
    assert by_key["5"].status is Status.SENT
    if not deleted:
        assert {by_key[key].detail for key in keys[:3]} == {"3 records would be deleted; at most 2 may"}


def test_an_update_carries_both_rows_whole() -> None:
    (correction,) = of(person([ours(lastName="A", gender="M")], [theirs()])).corrections
    assert correction.source.changed_fields == ("lastName", "gender")
    assert correction.before is not None
    assert correction.after is not None
    assert (correction.before["lastName"], correction.after["lastName"]) == ("Núñez", "A")
    assert (correction.before["gender"], correction.after["gender"]) == ("2", "1")
    assert tuple(correction.before) == tuple(correction.after) == OWNED, "what the state owns is never carried"


def test_where_a_correction_comes_from() -> None:
    times: dict[str, Any] = {"first_decided_at": READ_AT, "requested_at": READ_AT}
    asked = chunk("7", chunk="0.3", asks=(Ask("7", "007"),), attempt=3, cause=Cause.CONFLICT, **times)
    (correction,) = person([ours()], []).decide(asked).corrections
    assert correction == Correction(
        Op.CREATE,
        None,
        correction.after,
        None,
        Source(
            request_id=REQUEST_ID,
            chunk="0.3",
            correction_id=correction_id(REQUEST_ID, "NORTH", "Person", "7", 3),
            district_id="NORTH",
            object="Person",
            key="7",
            asked_as="007",
            attempt=3,
            cause=Cause.CONFLICT,
            mode=asked.mode,
            dependencies=asked.dependencies,
            on_state_only=asked.on_state_only,
            changed_fields=OWNED,
            parent=None,
            district_version=VERSION,
            district_read_at=READ_AT,
            state_read_at=READ_AT,
            first_decided_at=READ_AT,
            sent_at=NOW,
            requested_at=READ_AT,
        ),
    )


def test_an_outcome_that_sends_nothing_keeps_when_its_key_was_first_decided() -> None:
    outcome = only_outcome(of(person([], []), first_decided_at=READ_AT))
    assert outcome == KeyOutcome(
        request_id=REQUEST_ID,
        district_id="NORTH",
        object="Person",
        key="7",
        asked_as="7",
        status=Status.NOT_FOUND,
        reason=None,
        detail=None,
        changed_fields=(),
        parent=None,
        correction_id=None,
        attempt=1,
        first_decided_at=READ_AT,
        sent_at=None,
        answered_at=None,
        decided_at=NOW,
    )


def test_one_bad_key_stops_only_itself() -> None:
    world = World(
        district={
            ("Person", "1"): (ours(birthDate="infinity"),),
            ("Person", "2"): (ours(),),
            ("Person", "3"): (ours(),),
        },
        state={("Person", "3"): (theirs(lastName="A"),)},
    )
    plan = world.decide(chunk("1", "2", "3", "4"))
    expected = [Status.FAILED, Status.SENT, Status.SENT, Status.NOT_FOUND]
    assert [o.status for o in outcomes(plan)] == expected


def test_no_outcome_holds_a_value() -> None:
    secret = {f.name: "S3CR3T" for f in PERSON.compared}
    rows: list[tuple[list[Row], list[Row]]] = [
        ([ours(**secret)], [theirs()]),
        ([ours()], [theirs(**secret)]),
        ([ours(gender="S3CR3T")], []),
        ([ours(lastName="S3CR3T")], [theirs()]),
        ([ours(lastName="S3CR3T" * MAX_ROW_BYTES)], []),
    ]
    for district, state in rows:
        for asked in ({}, FORCE, VERIFY):
            assert "S3CR3T" not in repr(of(person(district, state), **asked).history)


def test_a_key_that_was_not_read_is_a_fault_of_the_caller() -> None:
    with pytest.raises(LookupError, match=f"Person of chunk {REQUEST_ID}/0 was not read"):
        decide(chunk("7"), CATALOG, Snapshot("NORTH"), NOW)


def test_each_outcome_of_what_was_sent_is_that_of_its_own_correction() -> None:
    """By force a row that is equal is sent too, and says why."""
    held = {"1": ours(lastName="A"), "2": ours(), "3": ours(gender="M")}
    district: dict[Place, tuple[Row, ...]] = {("Person", key): (row,) for key, row in held.items()}
    world = World(district, dict.fromkeys(district, (theirs(),)))
    plan = world.decide(chunk(*held, mode=Mode.FORCE))
    by_key = {correction.source.key: correction.source for correction in plan.corrections}
    assert by_key.keys() == held.keys()
    told = {outcome.key: outcome for outcome in plan.outcomes()}
    assert told == {
        key: source_outcome(source, Status.SENT, source.sent_at, reason=Reason.FORCED if key == "2" else None)
        for key, source in by_key.items()
    }


def test_what_was_sent_is_told_in_the_order_of_its_corrections() -> None:
    """By force a record that is equal is sent for another reason than one that is missing, and they may take turns."""
    held: dict[Place, tuple[Row, ...]] = {("Person", key): (ours(),) for key in ("1", "3", "2", "4")}
    state: dict[Place, tuple[Row, ...]] = {place: (theirs(),) for place in held if place[1] != "3"}
    plan = World(held, state).decide(chunk("1", "3", "2", "4", mode=Mode.FORCE))
    told = [(outcome.key, outcome.reason) for outcome in plan.outcomes()]
    assert told == [("1", Reason.FORCED), ("3", None), ("2", Reason.FORCED), ("4", Reason.FORCED)]
    assert [key for key, _ in told] == [correction.source.key for correction in plan.corrections]
