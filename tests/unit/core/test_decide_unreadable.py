"""Keys that a side cannot be asked for, and rows that it cannot give: each ends by itself."""

from typing import Any

import pytest

from processor.core.decide import count_state_only, decide
from processor.core.errors import Reason
from processor.core.history import Status
from processor.core.plan import Plan
from processor.core.request import Dependencies, Mode, OnStateOnly
from processor.core.snapshot import DistrictRead, KeyFault, Row, SideRead, Snapshot
from tests.unit.core.builders import (
    ENROLLMENT,
    NOW,
    READ_AT,
    VERSION,
    catalog,
    chunk,
    ours,
    outcomes,
    row,
    theirs,
)

NO_KEY = KeyFault(Reason.INVALID_KEY, "state has no such key")
NO_TEXT = KeyFault(Reason.UNREPRESENTABLE, "nickname: no text", "nickname")
KNOWN = catalog(allow_delete=True)


def read(snapshot: Snapshot, name: str, key: str, here: Row | None, there: Row | None, **faults: KeyFault) -> None:
    def rows(held: Row | None) -> dict[str, tuple[Row, ...]]:
        return {} if held is None else {key: (held,)}

    def at(side: str) -> dict[str, KeyFault]:
        return {key: faults[side]} if side in faults else {}

    snapshot.add(
        name,
        [key],
        DistrictRead(rows(here), READ_AT, VERSION, faults=at("district")),
        SideRead(rows(there), READ_AT, faults=at("state")),
    )


@pytest.mark.parametrize(
    ("asked", "fault", "told"),
    [
        ({}, NO_KEY, (Status.FAILED, Reason.INVALID_KEY, ())),
        ({"mode": Mode.VERIFY}, NO_KEY, (Status.FAILED, Reason.INVALID_KEY, ())),
        ({"on_state_only": OnStateOnly.DELETE}, NO_KEY, (Status.FAILED, Reason.INVALID_KEY, ())),
        ({}, NO_TEXT, (Status.FAILED, Reason.UNREPRESENTABLE, ("nickname",))),
        ({"mode": Mode.VERIFY}, NO_TEXT, (Status.DIFFERS, Reason.UNREPRESENTABLE, ("nickname",))),
    ],
)
@pytest.mark.parametrize("side", ["district", "state"])
def test_it_ends_by_itself_and_nothing_is_sent(
    asked: dict[str, Any], fault: KeyFault, told: tuple[object, ...], side: str
) -> None:
    snapshot = Snapshot("NORTH")
    held: list[Row | None] = [None, theirs()] if side == "district" else [ours(), None]
    read(snapshot, "Person", "7", held[0], held[1], **{side: fault})
    read(snapshot, "Person", "8", ours(lastName="New"), theirs())
    both = chunk("7", "8", **asked)
    assert count_state_only(both, snapshot) == 0
    plan = decide(both, KNOWN, snapshot, NOW)
    first, second = outcomes(plan)
    assert (first.status, first.reason, first.changed_fields) == told
    assert first.detail == fault.detail
    assert second.status in {Status.SENT, Status.DIFFERS}
    assert {correction.source.key for correction in plan.corrections} <= {"8"}


def below(dependencies: Dependencies, fault: KeyFault, side: str) -> Plan:
    """An enrollment that only the district has, of a person who cannot be read."""
    snapshot = Snapshot("NORTH")
    read(snapshot, "Enrollment", "2", row(ENROLLMENT, personID="1", grade="9"), None)
    read(snapshot, "Person", "1", ours() if side == "state" else None, None, **{side: fault})
    return decide(chunk("2", object_name="Enrollment", dependencies=dependencies), KNOWN, snapshot, NOW)


@pytest.mark.parametrize("dependencies", [Dependencies.NONE, Dependencies.PARENTS])
def test_a_parent_whose_key_a_side_cannot_hold_is_missing_there(dependencies: Dependencies) -> None:
    plan = below(dependencies, NO_KEY, "state")
    assert [(o.status, o.reason) for o in outcomes(plan)] == [(Status.FAILED, Reason.PARENT_MISSING)]


@pytest.mark.parametrize("dependencies", [Dependencies.NONE, Dependencies.PARENTS])
def test_a_parent_whose_row_cannot_be_read_is_there(dependencies: Dependencies) -> None:
    plan = below(dependencies, NO_TEXT, "state")
    assert [(o.status, o.object) for o in outcomes(plan)] == [(Status.SENT, "Enrollment")]
