"""Records that a filter chooses, through the real service: verified, mended, asked for again, and run as one."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from processor.core.errors import Reason
from processor.core.history import Order, OrderAction, RequestState
from processor.core.request import Filter, Mode, Report
from processor.core.run import Step, step_id
from tests.e2e.commands import run
from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, enrollments, persons, rename
from tests.e2e.promises import prove
from tests.unit.cli.json_schema import problems

ROWS = 400
DRIFTED, GONE_THERE, GONE_HERE = range(100, 130), range(200, 210), range(300, 305)
BY_KEY = "key >= 120 and key < 302"
"""Some of all of them."""


@pytest.fixture
def made(deploy: Deploy) -> Deployment:
    deployment = deploy(settings=READ_SETTINGS, limits={"chunk_target_s": 0.001, "hold_changes": 25})
    persons(deployment, "NORTH", range(ROWS))
    rename(deployment, "NORTH", DRIFTED)
    deployment.rows("NORTH", "delete from identity where person_id = any(%s)", [list(GONE_HERE)])
    with deployment.connection("state").transaction():
        deployment.rows("state", "set local session_replication_role = replica")
        deployment.rows("state", "delete from state_person where district_person_id = any(%s)", [list(GONE_THERE)])
    enrollments(deployment, "NORTH", range(1_000, 1_000 + 100), range(100))
    deployment.rows("NORTH", "update enrollment set grade = '06' where enrollment_id < 1010")
    deployment.start_all()
    return deployment


def verified(made: Deployment, *arguments: object, of: str = "PersonIdentity") -> dict[str, Any]:
    told = run(made, "verify", "--district", "NORTH", "--object", of, *arguments, "--output", "json")
    assert told.returncode in {0, 3}, told.stderr
    summary: dict[str, Any] = json.loads(told.stdout)
    assert problems(summary, "verify.json") == []
    return summary


def numbers(summary: dict[str, Any]) -> tuple[int, ...]:
    names = ("in_sync", "differing", "missing_at_state", "missing_at_district", "not_verified")
    return tuple(summary[name] for name in names)


def test_what_matches_at_either_side_is_verified_and_nothing_else(made: Deployment) -> None:
    by_key = verified(made, "--where", BY_KEY)
    assert numbers(by_key) == (182 - 10 - 10 - 2, 10, 10, 2, 0)
    assert by_key["filter"] == BY_KEY
    assert by_key["fields"] == {"lastName": 10}
    # Only the district's row matches: what the state's holds instead makes no difference.
    assert numbers(verified(made, "--where", "lastName = 'Drifted'")) == (0, len(DRIFTED), 0, 0, 0)
    # The state keeps what its own is, so it alone has these rows.
    assert numbers(verified(made, "--where", "lastName = 'Last301' or lastName = 'Last399'")) == (1, 0, 0, 1, 0)
    hostile = verified(made, "--where", "lastName = '''; drop table identity; -- %s %(after)s'")
    assert (numbers(hostile), hostile["district_rows"]) == ((0, 0, 0, 0, 0), 0)
    everything = verified(made, "--where", "key is null or key is not null")
    assert numbers(everything) == numbers(verified(made))


def test_fields_of_records_above_and_school_years_choose_too(made: Deployment) -> None:
    of = "Enrollment"
    assert numbers(verified(made, "--where", "student.lastName = 'Last7' or student.personID = 99", of=of)) == (
        1, 1, 0, 0, 0,
    )  # fmt: skip
    year = verified(made, "--school-year", "2026", of=of)
    assert (numbers(year), year["school_year"]) == ((90, 10, 0, 0, 0), "2026")
    assert numbers(verified(made, "--school-year", "2027", of=of)) == (0, 0, 0, 0, 0)
    within = verified(made, "--school-year", "2026", "--where", "grade = '6'", of=of)
    assert numbers(within) == (0, 10, 0, 0, 0)


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("", "filter, position 1: it is empty"),
        ("lastName = 'a' and", "filter, position 19: the name of a field"),
        ("lastName = 1", "filter, position 12: lastName needs a text in single quotes, not a number"),
    ],
)
def test_a_filter_that_means_nothing_is_refused_with_its_place(
    running: Deployment, expression: str, detail: str
) -> None:
    wanted: dict[str, Any] = {"selection": Filter(expression), "mode": Mode.VERIFY, "report": Report.CHANGES}
    story = running.watcher.story(running.submit("LAKE", "PersonIdentity", (), **wanted))
    running.watcher.until(story.has_ended, "the end")
    assert story.status is not None
    assert (story.status.state, story.status.reason) == (RequestState.REJECTED, Reason.INVALID_REQUEST)
    assert (story.status.detail or "").startswith(detail)


def test_what_a_filter_chooses_is_mended_and_what_was_left_is_asked_for_again(made: Deployment) -> None:
    sync = run(made, "submit", "--district", "NORTH", "--object", "PersonIdentity", "--where", BY_KEY, "--wait")
    assert sync.returncode == 3, sync.stderr  # what only the state has was left
    assert_same(made, "NORTH", range(120, 300))
    left = verified(made)
    assert numbers(left)[1:] == (20, 0, 5, 0)
    again = run(made, "submit", "--from-request", left["request_id"], "--wait", "--output", "json")
    assert again.returncode == 0, again.stderr
    document = json.loads(again.stdout)
    assert problems(document, "submit.json") == []
    assert [each["keys"] for each in document["requests"]] == [20]
    assert_same(made, "NORTH", set(range(ROWS)) - {*GONE_HERE})
    prove(made, [sync.stdout.strip(), document["requests"][0]["request_id"]])


def test_what_hangs_below_what_a_filter_chooses_comes_along(made: Deployment) -> None:
    arguments = ("--district", "NORTH", "--object", "PersonIdentity", "--where", "lastName = 'Last3' or personID = 7")
    sync = run(made, "submit", *arguments, "--dependencies", "children", "--wait", "--output", "json")
    assert sync.returncode == 0, sync.stderr
    result = json.loads(sync.stdout)["requests"][0]["result"]
    assert [(each["object"], each["key"], each["status"]) for each in result["outcomes"]] == [
        ("Enrollment", "1003", "APPLIED"),
        ("Enrollment", "1007", "APPLIED"),
    ]
    grades = "select district_enrollment_id from state_enrollment where grade_level = '6' order by 1"
    assert made.rows("state", grades) == [(1003,), (1007,)]


def run_of(made: Deployment, run_id: str, *arguments: object) -> tuple[int, dict[str, Any], str]:
    options = ("--run-id", run_id, "--output", "json", "--where", "key < 300")
    told = run(made, "run", "--district", "NORTH", "--object", "PersonIdentity", *options, *arguments)
    document: dict[str, Any] = json.loads(told.stdout)
    assert problems(document, "run.json") == []
    return told.returncode, document, told.stderr


def test_a_run_is_held_released_and_told_before_and_after(made: Deployment) -> None:
    run_id = str(uuid.uuid4())
    code, held, said = run_of(made, run_id)
    resync_id = step_id(run_id, Step.RESYNC)
    assert (code, held["state"], held["after"]) == (1, "HELD", None)
    assert [(step["step"], step["state"]) for step in held["steps"]] == [("verify", "COMPLETE"), ("resync", "HELD")]
    assert f"resync release {resync_id}" in said
    assert f"--run-id {run_id}" in said
    order = Order(resync_id, OrderAction.RELEASE, "state@office", datetime.now(UTC))
    control = made.topics.control
    made.put(control, made.codec.encode(control, order), resync_id.encode(), 0)
    made.flush()
    made.watcher.until(made.watcher.story(step_id(run_id, Step.VERIFY_AGAIN)).has_ended, "the end", 60)
    code, whole, _ = run_of(made, run_id)
    assert (code, whole["state"]) == (0, "COMPLETE")
    assert [step["step"] for step in whole["steps"]] == list(Step)
    assert numbers(whole["before"]) == (260, 30, 10, 0, 0)
    assert numbers(whole["after"]) == (300, 0, 0, 0, 0)
    counts = {each["status"]: each["keys"] for each in whole["steps"][1]["counts"]}
    assert counts == {"APPLIED": 40, "IN_SYNC": 260}
    requests = made.rows("history", "select count(*) from history.requests where run_id = %s", [run_id])
    assert requests == [(3,)]
    prove(made, [step["request_id"] for step in whole["steps"]])


def test_a_run_that_finds_nothing_to_mend_ends_with_its_first_step(made: Deployment) -> None:
    run_id = str(uuid.uuid4())
    arguments = ("run", "--district", "NORTH", "--object", "PersonIdentity", "--run-id", run_id)
    told = run(made, *arguments, "--where", "key > 310")
    assert told.returncode == 0, told.stderr
    assert f"COMPLETE (run {run_id})" in told.stdout
    assert "nothing was found that a resync would mend" in told.stderr
    other = run(made, *arguments, "--where", "key > 311")
    assert other.returncode == 2
    assert "that run is about something else" in other.stderr
