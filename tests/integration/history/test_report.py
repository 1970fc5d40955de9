"""All forms of a report hold the same keys, and its keys can be handed to the next command."""

import csv
import io
import json
import os
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from processor.core.accept import accept
from processor.core.catalog import District
from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import HistoryRecord, RequestState, RequestStatus, Status
from processor.core.request import Dependencies, Keys, Request
from processor.service.submit import split
from tests.integration.history.told import Told
from tests.integration.store.records import DECIDED, outcome, request_status
from tests.people_of_policy import policy_of
from tests.reading import sheets
from tests.unit.cli.json_schema import problems
from tests.unit.codec.catalogs import OBJECTS, catalog_of

REQUEST_ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
ODD = ["=1+1", "+3", "-5", "@x", "plain", "with blank", 'quo"te', "a,b;c", "Zürich", "x" * 255]
KEYS = [*ODD, *(f"key{number}" for number in range(1_990))]
ORPHANS = {"key7": "3", "key8": "4", "key9": "3"}


@pytest.fixture
def reported(told: Told) -> Told:
    records: list[HistoryRecord] = [request_status(REQUEST_ID, len(KEYS), reason="=1+1")]
    for key in KEYS:
        parent = Parent("PersonIdentity", ORPHANS[key]) if key in ORPHANS else None
        status = Status.FAILED if parent else Status.APPLIED
        reason = Reason.PARENT_MISSING if parent else None
        records.append(outcome(REQUEST_ID, key, status, reason=reason, parent=parent))
    told.tell(*records)
    return told


def keys_of(told: Told, form: str, path: Path) -> list[str]:
    """In the order of the report."""
    ended = told.run("report", REQUEST_ID, "--output", form, "--to", path)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    match form:
        case "json":
            document = json.loads(path.read_text())
            assert problems(document, "report.json") == []
            return [row["key"] for row in document["keys"]]
        case "ndjson":
            return [json.loads(line)["key"] for line in path.read_text().splitlines()]
        case "csv":
            read = csv.DictReader(io.StringIO(path.read_text()))
            return [row["key"][1:] if row["key"][:2] in {"'=", "'+", "'-", "'@"} else row["key"] for row in read]
        case "xlsx":
            return [row["key"] for row in sheets(path)["Keys"]]
        case "table":
            lines = path.read_text().partition("\n\n")[0].splitlines()[1:]
            return [next(key for key in sorted(KEYS, key=len, reverse=True) if f" {key} " in line) for line in lines]
        case _:
            text = "".join(page.extract_text() for page in PdfReader(path).pages)
            flat = text.replace("\n", "")
            assert "left out" not in text
            return [key for key in KEYS if key in flat]


def test_all_forms_of_a_report_hold_the_same_keys(reported: Told, tmp_path: Path) -> None:
    forms = ("json", "ndjson", "csv", "xlsx", "table", "pdf")
    found = {form: keys_of(reported, form, tmp_path / f"report.{form}") for form in forms}
    for form in forms:
        assert sorted(found[form]) == sorted(KEYS), form
    in_order = sorted(KEYS, key=str.encode)
    assert [form for form in forms if found[form] == in_order] == ["json", "ndjson", "csv", "xlsx", "table"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"report.{form}" for form in forms)


def test_stdout_and_a_file_are_the_same(reported: Told, tmp_path: Path) -> None:
    for form in ("table", "json", "ndjson", "csv"):
        path = tmp_path / form
        reported.run("report", REQUEST_ID, "--output", form, "--to", path)
        assert reported.run("report", REQUEST_ID, "--output", form).stdout == path.read_text()


def test_a_report_takes_memory_that_does_not_grow_with_the_number_of_keys(
    told: Told, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """More by the environment: a million were measured for ADR 0066. What is compared with fills pages of each kind.

    A row that is kept is 500 bytes and more: of 16,000 that is 8 MiB.
    """
    small, large = 4_000, int(os.environ.get("RESYNC_TEST_OUTCOMES", "20000"))
    small_id = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c12"
    for request_id, keys in ((small_id, small), (REQUEST_ID, large)):
        told.tell(request_status(request_id, keys))
        for first in range(0, keys, 5_000):
            told.tell(*(outcome(request_id, f"{n:07}") for n in range(first, min(first + 5_000, keys))))
    for form in ("json", "ndjson", "csv", "table", "xlsx"):
        to_file = ("--output", form, "--to", tmp_path / f"report.{form}")
        before, after = (told.peak_mib("report", request_id, *to_file) for request_id in (small_id, REQUEST_ID))
        record_property(f"{form}_mib", round(after))
        assert after - before < 3.4, f"{form}: {before:.0f} MiB of {small} keys, {after:.0f} MiB of {large}"
    before, after = (told.peak_mib("report", request_id, "--keys-only") for request_id in (small_id, REQUEST_ID))
    assert after - before < 4, "keys alone"


def test_totals_are_told_of_the_keys_listed(reported: Told) -> None:
    succeeded, failed = len(KEYS) - len(ORPHANS), len(ORPHANS)
    document = reported.json("report", REQUEST_ID)
    assert {name: value for name, value in document.items() if name not in {"keys", "totals"}} == {
        "request_id": REQUEST_ID,
        "state": "COMPLETE_WITH_FAILURES",
        "in_sync_not_itemised": 0,
    }
    totals = {"keys": len(KEYS), "succeeded": succeeded, "failed": failed, "different": 0, "open": 0, "cancelled": 0}
    why = {"status": "FAILED", "reason": "PARENT_MISSING", "keys": failed}
    counts = [{"status": "APPLIED", "reason": None, "keys": succeeded}, why]
    assert document["totals"] == {**totals, "counts": counts}
    of_failed = reported.json("report", REQUEST_ID, "--status", "failed")["totals"]
    assert of_failed == {**totals, "keys": failed, "succeeded": 0, "counts": [why]}
    table = reported.run("report", REQUEST_ID).stdout
    assert f"\n\n{len(KEYS)} keys: {succeeded} succeeded, {failed} failed\n" in table
    assert table.splitlines()[-1].split() == ["FAILED", "PARENT_MISSING", str(failed)]
    none = reported.run("report", REQUEST_ID, "--status", "deferred")
    assert "\n0 keys: 0 succeeded, 0 failed\n" in none.stdout
    assert reported.json("report", REQUEST_ID, "--status", "deferred")["keys"] == []


def test_a_workbook_and_a_document_need_a_file(reported: Told) -> None:
    for form in ("xlsx", "pdf"):
        ended = reported.run("report", REQUEST_ID, "--output", form)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "--to FILE" in ended.stderr


def test_keys_and_parents_can_be_handed_on(reported: Told) -> None:
    failed = reported.run("report", REQUEST_ID, "--status", "failed", "--keys-only").stdout
    assert failed.splitlines() == sorted(ORPHANS)
    by_reason = reported.run("report", REQUEST_ID, "--reason", "parent_missing", "--keys-only").stdout
    assert by_reason == failed
    assert reported.run("report", REQUEST_ID, "--object", "Enrollment", "--keys-only").stdout == ""
    assert reported.run("report", REQUEST_ID, "--parents", "PersonIdentity").stdout == "3\n4\n"
    assert reported.run("report", REQUEST_ID, "--parents", "Enrollment").stdout == ""


def test_what_is_printed_to_mend_more_missing_parents_than_one_request_takes_is_accepted(told: Told) -> None:
    catalog = catalog_of(*OBJECTS)
    keys = [str(number) for number in range(catalog.limits.max_keys + 1)]
    orphan: dict[str, Any] = {"object": "Enrollment", "status": Status.FAILED, "reason": Reason.PARENT_MISSING}
    told.tell(
        request_status(REQUEST_ID, len(keys), object="Enrollment"),
        *(outcome(REQUEST_ID, key, parent=Parent("PersonIdentity", f"9{key}"), **orphan) for key in keys),
    )
    [failure] = told.json("show", REQUEST_ID)["failures"]
    report, submit = (shlex.split(command) for command in failure["command"].split(" | "))
    handed_on = told.run(*report[1:]).stdout.splitlines()
    assert sorted(handed_on) == sorted(keys)
    asked = dict(zip(submit[2:-1:2], submit[3:-1:2], strict=True))
    assert asked == {"--district": "NORTH", "--object": "Enrollment", "--dependencies": "parents"}
    request = Request(
        REQUEST_ID, "NORTH", "Enrollment", Keys(tuple(handed_on)), "clerk", dependencies=Dependencies.PARENTS
    )
    districts = {"NORTH": District("NORTH", "Northfield", "")}
    for part in split(request, catalog.limits.max_keys):
        plan, _ = accept(part, replace(catalog, districts=districts), DECIDED)
        assert [r.state for r in plan.history if isinstance(r, RequestStatus)] == [RequestState.ACCEPTED]


def test_failures_are_told_apart_by_what_the_state_named(told: Told) -> None:
    """The parent of a refused record says nothing about why it was refused."""
    parent = Parent("PersonIdentity", "7")
    refused = {"1": "dates", "2": "school", "3": "dates"}
    why: dict[str, Any] = {"status": Status.FAILED, "reason": Reason.REJECTED_BY_STATE, "parent": parent}
    told.tell(
        request_status(REQUEST_ID, 3, object="Enrollment"),
        *(replace(outcome(REQUEST_ID, key, **why), object="Enrollment", detail=name) for key, name in refused.items()),
    )
    causes = told.json("show", REQUEST_ID)["failures"]
    assert [(cause["keys"], cause["detail"], cause["parent_object"]) for cause in causes] == [
        (2, "dates", None),
        (1, "school", None),
    ]


def test_an_id_that_nobody_knows_is_not_said_to_go_on(told: Told) -> None:
    ended = told.run("watch", REQUEST_ID, "--timeout", "1")
    assert ended.returncode == 1
    assert "nothing is known of it" in ended.stderr
    told.tell(request_status(REQUEST_ID, 3))
    assert "the request goes on" in told.run("watch", REQUEST_ID, "--timeout", "1").stderr


def test_a_report_of_a_request_that_is_not_there_leaves_no_file(told: Told, tmp_path: Path) -> None:
    ended = told.run("report", REQUEST_ID, "--output", "xlsx", "--to", tmp_path / "r.xlsx")
    assert ended.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_keys_of_an_object_that_a_person_may_not_see_are_not_told(told: Told, tmp_path: Path) -> None:
    """Dependencies brought them along with a request that may be seen."""
    brought: dict[str, Any] = {"asked_as": None, "object": "Enrollment", "reason": Reason.PARENT_MISSING}
    told.tell(
        request_status(REQUEST_ID, 1),
        outcome(REQUEST_ID, "1"),
        outcome(REQUEST_ID, "2", Status.FAILED, parent=Parent("PersonIdentity", "9"), **brought),
    )
    grant = {"sides": ["STATE"], "districts": "all", "objects": ["PersonIdentity"], "rights": ["R"]}
    people = {"clerk": grant, "auditor": {**grant, "objects": "all"}}
    policy = policy_of(people, tmp_path)

    def told_to(who: str, *arguments: str) -> str:
        ended = told.run(*arguments, RESYNC_POLICY=str(policy), RESYNC_TOKEN=who)
        assert ended.returncode == 0, ended.stderr
        return str(ended.stdout)

    report = ("report", REQUEST_ID, "--output", "json")
    seen = {who: json.loads(told_to(who, *report)) for who in people}
    assert [row["object"] for row in seen["auditor"]["keys"]] == ["Enrollment", "PersonIdentity"]
    assert [row["object"] for row in seen["clerk"]["keys"]] == ["PersonIdentity"]
    assert (seen["auditor"]["totals"]["failed"], seen["clerk"]["totals"]["failed"]) == (1, 0)
    show = ("show", REQUEST_ID, "--output", "json")
    assert [each["object"] for each in json.loads(told_to("auditor", *show))["failures"]] == ["Enrollment"]
    assert json.loads(told_to("clerk", *show))["failures"] == []
    one = [{"status": "APPLIED", "reason": None, "keys": 1}]
    for who, outcomes, failed in (("auditor", 2, 1), ("clerk", 1, 0)):
        [listed] = json.loads(told_to(who, "history", "--output", "json"))
        for row in (listed, json.loads(told_to(who, *show))):
            assert (row["outcomes"], row["failed_outcomes"]) == (outcomes, failed)
            assert (row["counts"] == one) == (who == "clerk")
    watch = ("watch", REQUEST_ID, "--output", "json")
    watched = told.run(*watch, RESYNC_POLICY=str(policy), RESYNC_TOKEN="clerk")  # noqa: S106
    assert [each["object"] for each in json.loads(watched.stdout)["requests"][0]["outcomes"]] == ["PersonIdentity"]
    assert json.loads(watched.stdout)["requests"][0]["counts"] == one
