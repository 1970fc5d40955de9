"""What people see of requests: ids, progress, results, exit codes."""

import csv
import io
import json
import os
import pty
import select
import shlex
import signal
import subprocess
import uuid
from contextlib import suppress
from threading import Thread

import pytest

from stack.layout import REPO
from stack.roles import console_script
from tests.e2e.commands import TIMEOUT_S, environment, run, submit
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, at_state, enrollments, persons, rename
from tests.unit.cli.json_schema import problems

BY_TOPIC = {"RESYNC_HISTORY_DSN": None}
NOBODY = 900_000_001


@pytest.mark.parametrize("settings", [{}, BY_TOPIC], ids=["by the store", "by the topic"])
def test_waiting_for_what_is_synced(running: Deployment, settings: dict[str, str | None]) -> None:
    keys = running.take_keys(3)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys[:1])
    ended = submit(running, "--wait", *keys, NOBODY, settings=settings)
    assert ended.returncode == 0, ended.stderr
    assert str(uuid.UUID(ended.stdout.strip())) == ended.stdout.strip()
    assert "COMPLETE, 4 keys" in ended.stderr
    assert_same(running, "NORTH", keys)


@pytest.mark.parametrize("settings", [{}, BY_TOPIC], ids=["by the store", "by the topic"])
def test_waiting_for_failures(running: Deployment, settings: dict[str, str | None]) -> None:
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    ended = submit(running, "--wait", "--output", "json", key, "x7", settings=settings)
    assert ended.returncode == 1, ended.stderr
    document = json.loads(ended.stdout)
    assert problems(document, "submit.json") == []
    result = document["requests"][0]["result"]
    assert result["state"] == "COMPLETE_WITH_FAILURES"
    assert result["outcomes"][0] | {"key": ""} == {
        "object": "PersonIdentity",
        "key": "",
        "asked_as": "x7",
        "status": "FAILED",
        "reason": "INVALID_KEY",
        "detail": "the key is not an integer in ASCII digits",
        "changed_fields": [],
        "parent": None,
    }
    assert {(c["status"], c["keys"]) for c in result["counts"]} == {("FAILED", 1), ("IN_SYNC", 1)}
    told = submit(running, "--wait", "x7", settings=settings)
    assert told.returncode == 1
    assert "can be mended by: publisher" in told.stderr


@pytest.mark.parametrize("settings", [{}, BY_TOPIC], ids=["by the store", "by the topic"])
def test_verifying_finds_differences(running: Deployment, settings: dict[str, str | None]) -> None:
    keys = running.take_keys(2)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys[:1])
    ended = submit(running, "--wait", "--mode", "verify", *keys, "--output", "ndjson", settings=settings)
    assert ended.returncode == 3, ended.stderr
    [line] = map(json.loads, ended.stdout.splitlines())
    assert {c["status"]: c["keys"] for c in line["result"]["counts"]} == {"DIFFERS": 1, "IN_SYNC": 1}


@pytest.mark.parametrize("settings", [{}, BY_TOPIC], ids=["by the store", "by the topic"])
def test_a_rejected_request_is_warned_of_and_fails(running: Deployment, settings: dict[str, str | None]) -> None:
    ended = run(
        running, "submit", "--district", "ATLANTIS", "--object", "PersonIdentity", "--wait", 7, settings=settings
    )
    assert ended.returncode == 1
    assert "warning: the catalog has no such district" in ended.stderr
    assert "REJECTED" in ended.stderr
    assert "UNKNOWN_DISTRICT" in ended.stderr


@pytest.mark.parametrize("settings", [{}, BY_TOPIC], ids=["by the store", "by the topic"])
def test_the_same_request_again_tells_the_same_end(running: Deployment, settings: dict[str, str | None]) -> None:
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    rename(running, "NORTH", [key])
    request_id = str(uuid.uuid4())
    first, second = (
        submit(running, "--wait", "--request-id", request_id.upper(), key, settings=settings) for _ in range(2)
    )
    assert first.stdout == second.stdout == f"{request_id}\n"
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stderr == second.stderr
    assert "APPLIED" in second.stderr


def test_too_many_keys_for_one_request_go_as_several_of_one_run(running: Deployment) -> None:
    keys = [f"x{number:0>250}" for number in range(5_000)]
    ended = submit(running, "--wait", "--output", "json", "-", stdin="\n".join(keys))
    assert ended.returncode == 1, ended.stderr
    document = json.loads(ended.stdout)
    assert problems(document, "submit.json") == []
    assert sum(request["keys"] for request in document["requests"]) == 5_000
    assert len(document["requests"]) == 2
    assert document["run_id"] == document["requests"][0]["request_id"]
    counts = [count for request in document["requests"] for count in request["result"]["counts"]]
    assert sum(count["keys"] for count in counts) == 5_000
    rows = running.rows("history", "select count(*) from history.requests where run_id = %s", [document["run_id"]])
    assert rows == [(2,)]


@pytest.mark.parametrize("settings", [{}, BY_TOPIC], ids=["by the store", "by the topic"])
def test_time_runs_out_and_watch_goes_on(running: Deployment, settings: dict[str, str | None]) -> None:
    keys = running.take_keys(2)
    persons(running, "NORTH", keys)
    running.role("store").signal(signal.SIGSTOP)
    left = submit(running, "--wait", "--timeout", 0.3, *keys, settings=settings)
    running.role("store").signal(signal.SIGCONT)
    request_id = left.stdout.strip()
    assert left.returncode == 1
    assert f"resync watch {request_id}" in left.stderr
    watched = run(running, "watch", request_id, "--output", "json", settings=settings)
    assert watched.returncode == 0, watched.stderr
    document = json.loads(watched.stdout)
    assert problems(document, "watch.json") == []
    assert document["requests"][0]["keys"] == 2
    assert len(document["requests"][0]["outcomes"]) == 2


def test_a_dry_run_sends_nothing(running: Deployment) -> None:
    keys = running.take_keys(2)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys[:1], "Garcia")
    before, rows = running.ends([running.topics.requests]), at_state(running, "NORTH", keys)
    ended = submit(running, "--dry-run", *keys, NOBODY, "--output", "json")
    assert ended.returncode == 3, ended.stderr
    document = json.loads(ended.stdout)
    assert problems(document, "plan.json") == []
    assert {row["key"]: (row["status"], row["op"]) for row in document["keys"]} == {
        str(keys[0]): ("SENT", "update"),
        str(keys[1]): ("IN_SYNC", None),
        str(NOBODY): ("NOT_FOUND", None),
    }
    assert [row["changed_fields"] for row in document["keys"] if row["op"]] == [["lastName"]]
    assert "Garcia" not in ended.stdout
    assert running.ends([running.topics.requests]) == before
    assert at_state(running, "NORTH", keys) == rows


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
    assert len(report) == 4
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


def test_a_terminal_shows_progress_and_a_pipe_none(running: Deployment) -> None:
    keys = running.take_keys(20)
    persons(running, "NORTH", keys)
    command = [str(console_script()), "submit", "--district", "NORTH", "--object", "PersonIdentity", "--wait"]
    master, terminal = pty.openpty()
    ended = subprocess.run(
        [*command, *map(str, keys)],
        env=environment(running, TERM="xterm", NO_COLOR="1"),
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=terminal,
        check=False,
        timeout=TIMEOUT_S,
    )
    os.close(terminal)
    seen = os.read(master, 100_000).decode()
    os.close(master)
    assert ended.returncode == 0
    assert "20/20" in seen
    assert "\x1b[3" not in seen, "colour in spite of NO_COLOR"
    assert "20/20" not in submit(running, "--wait", *keys).stderr


def test_progress_is_true_in_a_second_terminal(running: Deployment) -> None:
    """The applier stands still, so that the state is not settled: nothing of it is remembered by the first watcher."""
    keys = running.take_keys(20)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys[:5])
    running.role("apply").signal(signal.SIGSTOP)
    request_id = submit(running, *keys).stdout.strip()
    for _ in range(2):
        shown, _ = watch_on_a_terminal(running, request_id, until="15/20")
        assert "15/20" in shown
    running.role("apply").signal(signal.SIGCONT)
    shown, code = watch_on_a_terminal(running, request_id, until=None)
    assert code == 0
    assert "COMPLETE, 20 keys" in shown


def watch_on_a_terminal(deployment: Deployment, request_id: str, until: str | None) -> tuple[str, int]:
    """What it shows, until it shows a text and is interrupted, or to its end; and its exit code."""
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(console_script()), "watch", request_id],
        env=environment(deployment, TERM="xterm", NO_COLOR="1", COLUMNS="120"),
        cwd=REPO,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    seen = ""
    while select.select([master], [], [], TIMEOUT_S)[0]:
        try:
            piece = os.read(master, 100_000).decode()
        except OSError:
            break
        seen += piece
        if not piece or (until is not None and until in seen):
            break
    if until is not None:
        process.send_signal(signal.SIGINT)
    drained = Thread(target=drain, args=(master,))  # what nobody reads would keep it from ending
    drained.start()
    code = process.wait(TIMEOUT_S)
    drained.join()
    os.close(master)
    return seen, code


def drain(terminal: int) -> None:
    with suppress(OSError):
        while os.read(terminal, 100_000):
            pass


def test_the_store_and_its_replay_agree(running: Deployment) -> None:
    verified = run(running, "replay", "--verify")
    assert verified.returncode == 0, verified.stderr + verified.stdout
    assert verified.stdout.startswith("compared ")
    rebuilt = run(running, "replay")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert rebuilt.stdout.startswith("rebuilt from ")
