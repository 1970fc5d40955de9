"""Records as rows: as many values as columns, and texts that Postgres can hold."""

import json
from dataclasses import replace

import pytest

from processor.adapters.postgres import history_rows as rows
from processor.adapters.postgres.history_plans import plan_json, plan_of, status_of
from processor.core.correction import Op, Parent
from processor.core.history import Guard, PlanCounts, Planned, Sample, Status
from processor.core.request import All, Filter, Keys, Selection
from processor.service.history_changes import Changes, HeldChunk
from tests.unit.core.builders import chunk
from tests.unit.service.test_materialize_changes import CHUNK, CLEARED, STATUS, A, outcome


def test_each_column_has_a_value() -> None:
    assert len(rows.request_row(STATUS)) == len(rows.COLUMNS["requests"])
    assert len(rows.chunk_row(CHUNK)) == len(rows.COLUMNS["chunks"])
    assert len(rows.outcome_row(outcome(A, "1", Status.SENT))) == len(rows.COLUMNS["outcomes"])
    held = HeldChunk(chunk("1", "2"), b"record")
    assert dict(zip(rows.COLUMNS["parked"], rows.parked_row(held), strict=True))["keys"] == 2
    assert len(rows.clearing_row(CLEARED)) == len(rows.COLUMNS["clearings"])


def test_nul_and_length() -> None:
    dirty = replace(outcome(A, "1", Status.FAILED), detail="a\0b", asked_as="\0", parent=Parent("P\0", "\0"))
    row = dict(zip(rows.COLUMNS["outcomes"], rows.outcome_row(dirty), strict=True))
    assert (row["detail"], row["asked_as"], row["parent_object"], row["parent_key"]) == (
        "a\ufffdb",
        "\ufffd",
        "P\ufffd",
        "\ufffd",
    )
    long = replace(STATUS, request=replace(STATUS.request, district_id="D" * 1000))
    assert rows.request_row(long)[1] == "D" * rows.MAX_NAME_CHARS


def test_a_symbol_that_was_not_understood_is_told_as_unknown() -> None:
    later = replace(STATUS, request=replace(STATUS.request, not_understood=("mode", "requested_from")))
    row = dict(zip(rows.COLUMNS["requests"], rows.request_row(later), strict=True))
    assert (row["mode"], row["dependencies"], row["requested_from"]) == ("UNKNOWN", "NONE", "UNKNOWN")


PLAN = PlanCounts(
    (Planned("Person", Op.DELETE, None, 2), Planned("Person", Op.UPDATE, "lastName", 1)),
    (Sample("Person", Op.CREATE, "7"),),
)


def test_a_plan_comes_back_from_its_column() -> None:
    assert plan_of(json.loads(plan_json(PLAN) or "")) == PLAN
    assert (plan_json(None), plan_of(None)) == (None, None)
    dirty = PlanCounts(samples=(Sample("Person", Op.CREATE, "a\0b"),))
    assert json.loads(plan_json(dirty) or "")["samples"][0]["key"] == "a\ufffdb"


@pytest.mark.parametrize("selection", [All(), Filter("student.grade = 7"), Keys(())])
def test_a_status_comes_back_from_its_row(selection: Selection) -> None:
    """The store publishes it again with another state."""
    told = replace(
        STATUS,
        request=replace(STATUS.request, selection=selection, school_year="2026", reason="why", run_id="r", linked=True),
        guard=Guard(10, 2),
        planned=PLAN,
        decided_by="chief",
    )
    row = dict(zip(rows.COLUMNS["requests"], rows.request_row(told), strict=True))
    assert status_of({**row, "planned": json.loads(row["planned"])}) == told


def test_places_are_named_once_and_as_they_are_stored() -> None:
    """However many rows: the server is asked about few."""
    long = "NO\0RTH" + "x" * 300
    of_long = replace(outcome(A, "1", Status.FAILED), district_id=long)
    changes = Changes(
        outcomes={(A, "P", str(key)): of_long for key in range(3)} | {(A, "P", "gone"): None},
        chunks={(A, "0"): None, (A, "1"): CHUNK},
        requests={A: STATUS},
    )
    assert rows.places(changes) == {(A, long.replace("\0", "\ufffd")[: rows.MAX_NAME_CHARS]), (A, "NORTH")}
