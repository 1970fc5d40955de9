"""What people see who submit a request: ids, results, exit codes."""

import json
import signal
import uuid

import pytest

from tests.e2e.commands import run, submit
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, at_state, persons, rename
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
def test_a_rejected_request_fails(running: Deployment, settings: dict[str, str | None]) -> None:
    """Where the command has a catalog it refuses to send it."""
    asked = ("submit", "--district", "ATLANTIS", "--object", "PersonIdentity", "--wait", 7)
    refused = run(running, *asked, settings=settings)
    assert refused.returncode == 2
    assert "the catalog has no district ATLANTIS; it has " in refused.stderr
    ended = run(running, *asked, settings={**settings, "RESYNC_CATALOG": "none.yaml"})
    assert ended.returncode == 1
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
