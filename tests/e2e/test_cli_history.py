"""What people see of requests that have ended: lists, details, reports, the history of a record; and replay agrees."""

import csv
import io
import json
import shlex
import uuid

from tests.e2e.commands import run, submit
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, enrollments, persons, rename
from tests.unit.cli.json_schema import problems

NOBODY = 900_000_001


def test_what_was_asked_can_be_listed_shown_and_reported(running: Deployment) -> None:
    keys = running.take_keys(3)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys[:1])
    reason = "=1+1 \x1b[31m"
    request_id = submit(running, "--wait", "--reason", reason, *keys, "=x").stdout.strip()

    listed = json.loads(run(running, "history", "--district", "NORTH", "--output", "json").stdout)
    assert problems(listed, "history.json") == []
    assert listed[0]["request_id"] == request_id
    assert listed[0]["failed_outcomes"] == 1

    shown = run(running, "show", request_id)
    assert "\x1b" not in shown.stdout
    document = json.loads(run(running, "show", request_id, "--output", "json").stdout)
    assert problems(document, "show.json") == []
    assert document["request_reason"] == reason

    report = json.loads(run(running, "report", request_id, "--output", "json").stdout)
    assert problems(report, "report.json") == []
    assert len(report["keys"]) == 4
    assert report["totals"] | {"counts": []} == {
        "keys": 4, "succeeded": 3, "failed": 1, "different": 0, "open": 0, "cancelled": 0, "counts": [],
    }  # fmt: skip
    failed = run(running, "report", request_id, "--status", "failed", "--output", "csv")
    [row] = csv.DictReader(io.StringIO(failed.stdout))
    assert row["asked_as"] == "'=x"
    assert row["reason"] == "INVALID_KEY"
    table = run(running, "report", request_id)
    assert [str(key) for key in keys if f" {key} " not in table.stdout] == []


def test_requests_are_listed_by_pages_and_filters(running: Deployment) -> None:
    made = [submit(running, "--wait", NOBODY).stdout.strip() for _ in range(3)]
    first = run(running, "history", "--limit", 2, "--output", "ndjson")
    ids = [json.loads(line)["request_id"] for line in first.stdout.splitlines()]
    assert ids == made[:0:-1]
    place = first.stderr.partition("--after ")[2].strip()
    second = run(running, "history", "--limit", 1, "--after", place, "--output", "ndjson")
    assert json.loads(second.stdout)["request_id"] == made[0]
    for nothing in (["--district", "LAKES"], ["--person", "nobody-of-this-name"], ["--status", "held"]):
        assert run(running, "history", *nothing, "--output", "json").stdout == "[]\n"
    assert len(json.loads(run(running, "history", "--since", "1h", "--output", "json").stdout)) >= 3


def test_all_of_a_record_and_of_its_failures_is_told(running: Deployment) -> None:
    """What `show` prints to mend a failure is run as it stands."""
    [person, enrollment] = running.take_keys(2)
    persons(running, "NORTH", [person], there=False)
    enrollments(running, "NORTH", [enrollment], [person], there=False)
    asked = ["submit", "--district", "NORTH", "--object", "Enrollment", "--wait", enrollment]
    failed = run(running, *asked)
    assert failed.returncode == 1, failed.stderr
    request_id = failed.stdout.strip()
    document = json.loads(run(running, "show", request_id, "--output", "json").stdout)
    assert problems(document, "show.json") == []
    [failure] = document["failures"]
    assert failure["command"] == (f"resync submit --district NORTH --object PersonIdentity --dependencies all {person}")
    mended = run(running, *shlex.split(failure["command"])[1:], "--wait")
    assert mended.returncode == 0, mended.stderr
    assert_same(running, "NORTH", [person])
    touched = json.loads(run(running, "record", "NORTH", "Enrollment", f"0{enrollment}", "--output", "json").stdout)
    assert problems(touched, "record.json") == []
    assert [(row["status"], row["reason"]) for row in touched][-1] == ("FAILED", "PARENT_MISSING")
    assert touched[0]["status"] == "APPLIED"
    assert touched[-1]["request_id"] == request_id


def test_what_is_not_there_is_told(running: Deployment) -> None:
    unknown = uuid.uuid4()
    for command in ("show", "report"):
        ended = run(running, command, unknown)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert f"there is no history of {unknown}" in ended.stderr


def test_the_store_and_its_replay_agree(running: Deployment) -> None:
    verified = run(running, "replay", "--verify")
    assert verified.returncode == 0, verified.stderr + verified.stdout
    assert verified.stdout.startswith("compared ")

    [key] = running.take_keys(1)
    running.watcher.until_ended([asked := running.submit("NORTH", "PersonIdentity", [key])])
    by_hand = "update resync_store.outcomes set attempt = 9 where request_id = %s returning key"
    running.watcher.until(lambda: running.rows("history", by_hand, [asked]), "the row in the store")
    differs = run(running, "replay", "--verify")
    assert differs.returncode == 3, differs.stderr
    assert "1 row differs; the first: outcomes" in differs.stdout
    assert asked in differs.stdout

    rebuilt = run(running, "replay")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert rebuilt.stdout.startswith("rebuilt from ")
    assert run(running, "replay", "--verify").returncode == 0
