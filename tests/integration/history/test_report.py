"""All forms of a report hold the same keys, and its keys can be handed to the next command."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import HistoryRecord, Status
from tests.integration.history.told import Told
from tests.integration.store.records import outcome, request_status
from tests.people_of_policy import policy_of
from tests.reading import sheets
from tests.unit.cli.json_schema import problems

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
            return [row["key"] for row in document]
        case "ndjson":
            return [json.loads(line)["key"] for line in path.read_text().splitlines()]
        case "csv":
            read = csv.DictReader(io.StringIO(path.read_text()))
            return [row["key"][1:] if row["key"][:2] in {"'=", "'+", "'-", "'@"} else row["key"] for row in read]
        case "xlsx":
            return [row["key"] for row in sheets(path)["Keys"]]
        case "table":
            lines = path.read_text().splitlines()[1:]
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
    assert [row["object"] for row in json.loads(told_to("auditor", *report))] == ["Enrollment", "PersonIdentity"]
    assert [row["object"] for row in json.loads(told_to("clerk", *report))] == ["PersonIdentity"]
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
