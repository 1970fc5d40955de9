"""Listing requests page by page, what Complete opens, and all that is known of one record."""

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from processor.adapters.postgres.history_schema import script
from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import Cleared, HistoryRecord, RequestState, Status
from processor.core.request import Mode, Side
from tests.integration.history.told import Told
from tests.integration.store.records import DECIDED, outcome, request_status
from tests.people_of_policy import policy_of
from tests.unit.cli.json_schema import problems


def request_id(number: int) -> str:
    return f"0b9c4a3e-6f0d-4c57-9a55-{number:012}"


def asked(number: int, at: datetime = DECIDED, keys: int = 1, **changes: Any) -> HistoryRecord:
    status = request_status(request_id(number), keys, **changes)
    return type(status)(status.request, status.state, status.reason, status.detail, status.keys, at)


@pytest.fixture
def listed(told: Told) -> Told:
    """Seven requests a minute apart, but the last three at one moment."""
    for number in range(7):
        told.tell(
            asked(
                number,
                DECIDED + timedelta(minutes=min(number, 4)),
                district_id="RIVER" if number % 2 else "NORTH",
                requested_by=f"Clerk{number}",
                requested_from=Side.STATE if number == 3 else Side.DISTRICT,
                reason=f"ticket {number}",
            ),
            outcome(
                request_id(number),
                "1",
                Status.FAILED if number == 2 else Status.APPLIED,
                district_id="RIVER" if number % 2 else "NORTH",
            ),
        )
    return told


def numbers(documents: list[dict[str, Any]]) -> list[int]:
    return [int(document["request_id"][-12:]) for document in documents]


def test_pages_follow_each_other_and_none_is_missed_or_told_twice(listed: Told) -> None:
    found: list[int] = []
    more: list[str] = []
    while True:
        page = listed.run("history", "--limit", 2, "--output", "csv", *more)
        found += [int(line.split(",")[0][-12:]) for line in page.stdout.splitlines()[1:]]
        _, after, place = page.stderr.partition("--after ")
        if not after:
            break
        more = ["--after", place.strip()]
        # What a page ended with may be cleared before the next is read.
        listed.tell(Cleared(request_id(found[-1]), "NORTH", "PersonIdentity", "auditor", DECIDED, 1, "request"))
    assert found == [6, 5, 4, 3, 2, 1, 0]


def test_requests_that_come_between_two_pages_move_no_row(listed: Told) -> None:
    """Newer ones, and one at the very moment at which the page ended."""
    found: list[int] = []
    more: list[str] = []
    for inserted in range(100, 110):
        page = listed.run("history", "--limit", 2, "--output", "ndjson", *more)
        found += numbers([json.loads(line) for line in page.stdout.splitlines()])
        _, after, place = page.stderr.partition("--after ")
        if not after:
            break
        more = ["--after", place.strip()]
        at = datetime.fromisoformat(place.partition("/")[0])
        listed.tell(asked(inserted, DECIDED + timedelta(hours=inserted)), asked(inserted + 100, at))
    assert found == [6, 5, 4, 3, 2, 1, 0]
    assert numbers(listed.json("history"))[0] > 100


def test_an_event_says_when_who_from_where_what_and_what_came_of_it(listed: Told) -> None:
    documents = listed.json("history")
    assert problems(documents, "history.json") == []
    assert documents[3] | {"dependencies": "", "requested_at": ""} == {
        "request_id": request_id(3),
        "decided_at": "2026-08-01T12:03:00.123456+00:00",
        "requested_by": "Clerk3",
        "requested_from": "STATE",
        "district_id": "RIVER",
        "object": "PersonIdentity",
        "mode": "SYNC",
        "state": "COMPLETE",
        "reason": None,
        "keys": 1,
        "counts": [{"status": "APPLIED", "reason": None, "keys": 1}],
        "request_reason": "ticket 3",
        "outcomes": 1,
        "failed_outcomes": 0,
        "dependencies": "",
        "requested_at": "",
        "school_year": None,
        "run_id": None,
    }
    table = listed.run("history").stdout
    assert "APPLIED=1" in table
    assert "ticket 3" in table


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (["--district", "RIVER"], [5, 3, 1]),
        (["--object", "Enrollment"], []),
        (["--person", "cLERK2"], [2]),
        (["--since", "2026-08-01T12:03"], [6, 5, 4, 3]),
        (["--until", "2026-08-01T12:01:01"], [1, 0]),
        (["--since", "2026-08-01T12:01", "--until", "2026-08-01T12:03", "--district", "NORTH"], [2]),
        (["--status", "complete_with_failures"], [2]),
        (["--status", "complete", "--status", "held", "--district", "NORTH"], [6, 4, 0]),
    ],
)
def test_filters(listed: Told, filters: list[str], left: list[int]) -> None:
    assert numbers(listed.json("history", *filters)) == left


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        (["--person", "nobody"], "no such requests\n"),
        (["--person", "%"], "no such requests\n"),
        (["--since", "2100-01-01"], "no such requests\n"),
        (["--until", "2000-01-01", "--district", "NORTH"], "no such requests\n"),
        (["--object", "Enrollment"], "no such requests\n"),
        (["--district", "LAKE"], "no requests: 1 request was cleared by auditor at 2026-08-01 12:00:00Z\n"),
        (["--district", "LAKE", "--person", "x"], "no requests: 1 request was cleared by auditor at "),
        (["--district", "LAKE", "--object", "Enrollment"], "no such requests\n"),
    ],
)
def test_a_clearing_explains_an_empty_list_only_where_nothing_else_would_be_listed(
    listed: Told, filters: list[str], says: str
) -> None:
    listed.tell(Cleared(request_id(9), "LAKE", "PersonIdentity", "auditor", DECIDED, 1, "request"))
    ended = listed.run("history", *filters)
    assert ended.stderr.startswith(says), ended.stderr


def test_a_place_that_no_page_named_is_refused(told: Told) -> None:
    for place in ("x", request_id(1), f"2026-08-01T12:00/{request_id(1)}", "2026-08-01T12:00:00+00:00/7"):
        ended = told.run("history", "--after", place)
        assert (ended.returncode, ended.stdout) == (2, "")


def test_show_groups_failures_by_cause_with_what_mends_them(told: Told) -> None:
    failed: dict[str, Any] = {"object": "Enrollment", "status": Status.FAILED}

    def orphan(key: str, parent: str) -> HistoryRecord:
        detail = f"PersonIdentity {parent}"
        more: dict[str, Any] = {"parent": Parent("PersonIdentity", parent), "detail": detail}
        return outcome(request_id(1), key, reason=Reason.PARENT_MISSING, **failed, **more)

    def refused(key: str, constraint: str) -> HistoryRecord:
        return outcome(request_id(1), key, reason=Reason.REJECTED_BY_STATE, detail=constraint, **failed)

    told.tell(
        asked(1, keys=9, object="Enrollment", mode=Mode.FORCE, state=RequestState.ACCEPTED),
        *(orphan(str(10 + n), str(n % 2)) for n in range(4)),
        *(refused(str(20 + n), "grade_check") for n in range(2)),
        refused("30", "other_check"),
        outcome(request_id(1), "!0", Status.FAILED, object="Enrollment", asked_as="x 7", reason=Reason.INVALID_KEY),
        outcome(request_id(1), "40", object="Enrollment"),
        outcome(request_id(1), "50", reason=None, **failed),
    )
    document = told.json("show", request_id(1))
    assert problems(document, "show.json") == []
    causes = [(f["reason"], f["detail"], f["keys"], f["sample_keys"]) for f in document["failures"]]
    assert causes == [
        ("PARENT_MISSING", None, 4, ["10", "11", "12", "13"]),
        ("REJECTED_BY_STATE", "grade_check", 2, ["20", "21"]),
        ("INVALID_KEY", None, 1, ["x 7"]),
        ("REJECTED_BY_STATE", "other_check", 1, ["30"]),
    ]
    assert [f["command"] for f in document["failures"]] == [
        "resync submit --district NORTH --object PersonIdentity --dependencies all 0 1",
        "resync submit --district NORTH --object Enrollment --mode force 20 21",
        None,
        "resync submit --district NORTH --object Enrollment --mode force 30",
    ]
    [row] = csv.DictReader(io.StringIO(told.run("show", request_id(1), "--output", "csv").stdout))
    assert row["counts"] == (
        "APPLIED=1 FAILED=1 FAILED/INVALID_KEY=1 FAILED/PARENT_MISSING=4 FAILED/REJECTED_BY_STATE=3"
    )
    assert row["failures"] == (
        "4 of Enrollment PARENT_MISSING; 2 of Enrollment REJECTED_BY_STATE: grade_check; "
        "1 of Enrollment INVALID_KEY; 1 of Enrollment REJECTED_BY_STATE: other_check"
    )
    shown = told.run("show", request_id(1)).stdout
    assert "4 of Enrollment PARENT_MISSING" in shown
    assert "run      resync submit --district NORTH --object PersonIdentity --dependencies all 0 1\n" in shown
    assert "1 more failed for other causes" in shown


def test_as_csv_a_cleared_request_has_the_columns_of_any_and_says_who_cleared_it(told: Told) -> None:
    told.tell(asked(1), outcome(request_id(1), "1"))
    before = told.run("show", request_id(1), "--output", "csv").stdout
    told.tell(Cleared(request_id(1), "NORTH", "PersonIdentity", "auditor", DECIDED, 1, "request"))
    after = told.run("show", request_id(1), "--output", "csv").stdout
    assert after.splitlines()[0] == before.splitlines()[0]
    [row] = csv.DictReader(io.StringIO(after))
    assert {name: value for name, value in row.items() if value} == {
        "request_id": request_id(1),
        "district_id": "NORTH",
        "object": "PersonIdentity",
        "outcomes": "1",
        "cleared_by": "auditor",
        "cleared_at": "2026-08-01T12:00:00.123456+00:00",
        "scope": "request",
    }
    table = told.run("show", request_id(1)).stdout
    assert "History cleared by auditor at 2026-08-01 12:00:00Z (1 outcome; scope: request)" in table


def test_a_record_shows_every_request_that_touched_it(told: Told) -> None:
    for number, at in ((1, 3), (2, 9), (3, 6)):
        told.tell(
            asked(number, requested_by=f"Clerk{number}", reason=f"ticket {number}"),
            outcome(request_id(number), "7", Status.APPLIED, decided_at=DECIDED + timedelta(hours=at)),
            outcome(request_id(number), "8"),
            outcome(request_id(number), "7", object="Enrollment"),
        )
    told.tell(outcome(request_id(4), "7", district_id="RIVER"))
    documents = told.json("record", "NORTH", "PersonIdentity", "007")
    assert problems(documents, "record.json") == []
    assert numbers(documents) == [2, 3, 1]
    assert [(d["requested_by"], d["request_reason"], d["status"]) for d in documents] == [
        (f"Clerk{n}", f"ticket {n}", "APPLIED") for n in (2, 3, 1)
    ]
    first = told.run("record", "NORTH", "PersonIdentity", "7", "--limit", 2)
    place = first.stderr.partition("--after ")[2].strip()
    assert numbers(told.json("record", "NORTH", "PersonIdentity", "7", "--after", place)) == [1]
    unknown = told.run("record", "NORTH", "PersonIdentity", "9")
    assert unknown.returncode == 1
    assert "knows nothing" in unknown.stderr


def test_a_record_shows_which_of_its_children_missed_it_page_by_page(told: Told, tmp_path: Path) -> None:
    """One request has several of them at one moment; keys may hold any character."""
    missing: dict[str, Any] = {"object": "Enrollment", "status": Status.FAILED, "reason": Reason.PARENT_MISSING}
    children = ["11", "12/a b", "13"]
    told.tell(
        asked(1, keys=3, object="Enrollment"),
        *(outcome(request_id(1), key, parent=Parent("PersonIdentity", "7"), **missing) for key in children),
        outcome(request_id(1), "14", parent=Parent("PersonIdentity", "8"), **missing),
        outcome(request_id(1), "15", object="Enrollment", parent=Parent("PersonIdentity", "7")),
        outcome(request_id(1), "16", parent=Parent("PersonIdentity", "7"), **{**missing, "district_id": "RIVER"}),
        asked(2),
        outcome(request_id(2), "7", decided_at=DECIDED + timedelta(hours=1)),
    )
    record = ("record", "NORTH", "PersonIdentity", "7")
    documents = told.json(*record)
    assert problems(documents, "record.json") == []
    of = [(row["object"], row["key"], row["status"]) for row in documents]
    missed = [("Enrollment", key, "FAILED") for key in reversed(children)]
    assert of == [("PersonIdentity", "7", "APPLIED"), *missed]

    found: list[str] = []
    more: list[str] = []
    while True:
        page = told.run(*record, "--limit", 1, "--output", "ndjson", *more)
        found += [json.loads(line)["key"] for line in page.stdout.splitlines()]
        _, after, place = page.stderr.partition("--after ")
        if not after:
            break
        more = ["--after", place.strip()]
    assert found == [row["key"] for row in documents]
    assert told.run(*record, "--after", f"2026-08-01T12:00:00+00:00/{request_id(1)}").returncode == 2

    grant = {"sides": ["STATE"], "districts": "all", "objects": ["PersonIdentity"], "rights": ["R"]}
    settings = {"RESYNC_POLICY": str(policy_of({"clerk": grant}, tmp_path)), "RESYNC_TOKEN": "clerk"}
    seen = told.run(*record, "--output", "json", **settings)
    assert [row["object"] for row in json.loads(seen.stdout)] == ["PersonIdentity"]


def test_a_record_and_what_missed_it_are_found_by_indexes(told: Told) -> None:
    parameters = ("district_id", "object", "key", "seen_objects", "after_time", "after_id", "after_object", "after_key")
    given: dict[str, Any] = {
        **dict.fromkeys(parameters),
        "limit": 51,
        "district_id": "NORTH",
        "object": "X",
        "key": "7",
    }
    with psycopg.connect(told.dsn, autocommit=True) as connection:
        connection.execute("set enable_seqscan = off")
        lines = connection.execute(b"explain " + script("query_record.sql"), given).fetchall()
    plan = "\n".join(line for (line,) in lines)
    assert "outcomes_by_record" in plan
    assert "outcomes_by_missing_parent" in plan
