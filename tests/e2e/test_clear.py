"""Clearing the history of requests from the command line."""

import json
import os
import pty
import signal
import subprocess
import uuid

import pytest

from processor.adapters.kafka.history_scan import ScanReader
from processor.core import ids
from processor.service.history_ports import BatchLimits
from stack.layout import REPO
from stack.roles import console_script
from tests.e2e.commands import TIMEOUT_S, environment, run, submit
from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.deployment import Deployment
from tests.e2e.people import persons, rename
from tests.unit.cli.json_schema import problems

NOBODY = 900_000_001


def ended(deployment: Deployment, *keys: object) -> str:
    return submit(deployment, "--wait", *(keys or (NOBODY,))).stdout.strip()


def clear(deployment: Deployment, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run(deployment, "clear", *arguments)


def on_topic(deployment: Deployment, request_id: str) -> dict[str, bool]:
    """Keys of the request on the history topic, and whether the last record of each says anything."""
    scan = ScanReader({"bootstrap.servers": deployment.settings.bootstrap_servers}, deployment.topics.history)
    extents = scan.extents(range(scan.partitions))
    start = {p: extent.low for p, extent in extents.items()}
    end = {p: extent.stable for p, extent in extents.items()}
    records = [record for batch in scan.batches(start, end, BatchLimits()) for record in batch.records]
    return {
        record.key.decode(): record.value is not None
        for record in records
        if record.key is not None and record.key.startswith(request_id.encode())
    }


def await_burial(deployment: Deployment) -> None:
    query = "select from resync_store.burials"
    deployment.watcher.until(lambda: not deployment.rows("history", query), "the end of the burying")


def test_a_request_that_ended_is_cleared_and_every_command_says_so(running: Deployment) -> None:
    keys = running.take_keys(3)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys[:1])
    request_id, kept = ended(running, *keys, "x7"), ended(running)
    before = on_topic(running, request_id)
    assert ids.end_key(request_id) in before

    cleared = clear(running, request_id.upper(), "--yes")
    assert (cleared.returncode, cleared.stdout) == (0, ""), cleared.stderr
    assert "cleared 1 request" in cleared.stderr
    assert running.rows("history", "select from history.outcomes where request_id = %s", [request_id]) == []

    listed = json.loads(run(running, "history", "--output", "json").stdout)
    assert request_id not in [row["request_id"] for row in listed]
    assert kept in [row["request_id"] for row in listed]
    shown = run(running, "show", request_id)
    assert shown.returncode == 0
    assert "History cleared by " in shown.stdout
    document = json.loads(run(running, "show", request_id, "--output", "json").stdout)
    assert problems(document, "show.json") == []
    assert document["cleared"]["outcomes"] == 4
    told = f"cleared by {document['cleared']['cleared_by']} at {document['cleared']['cleared_at'][:10]}"
    reported = run(running, "report", request_id)
    assert (reported.returncode, reported.stdout) == (1, "")
    assert f"the history of {request_id} was {told}" in reported.stderr
    watched = run(running, "watch", request_id)
    assert watched.returncode == 1
    assert told in watched.stdout
    document = json.loads(run(running, "watch", request_id, "--output", "json").stdout)
    assert problems(document, "watch.json") == []
    assert document["requests"][0]["state"] == "CLEARED"

    await_burial(running)
    after = on_topic(running, request_id)
    assert after == {**dict.fromkeys(before, False), ids.cleared_key(request_id): True}
    for arguments in (["--verify"], [], ["--verify"]):
        replayed = run(running, "replay", *arguments)
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        assert "History cleared by " in run(running, "show", request_id).stdout
    assert run(running, "report", kept).returncode == 0


def test_a_request_that_runs_is_refused_and_nothing_with_it_is_cleared(running: Deployment) -> None:
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    rename(running, "NORTH", [key])
    done = ended(running)
    running.role("apply").signal(signal.SIGSTOP)
    try:
        open_request = submit(running, "--wait", "--timeout", 2, key).stdout.strip()
        refused = clear(running, open_request, done, "--yes")
    finally:
        running.role("apply").signal(signal.SIGCONT)
    assert refused.returncode == 1
    assert "not ended yet" in refused.stderr
    assert open_request in refused.stderr
    assert done not in refused.stderr
    assert run(running, "watch", open_request).returncode == 0
    assert "cleared" not in run(running, "show", done).stdout.lower()
    assert clear(running, open_request, done, "--yes").returncode == 0


def test_two_clears_at_once_are_both_told_that_it_is_cleared(running: Deployment) -> None:
    request_id = ended(running)
    command = [str(console_script()), "clear", request_id, "--yes"]
    both = [
        subprocess.Popen(command, env=environment(running), cwd=REPO, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=TIMEOUT_S)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert all("cleared" in text for text in told)
    await_burial(running)
    assert [key for key, says in on_topic(running, request_id).items() if says] == [ids.cleared_key(request_id)]


def test_what_is_unknown_or_cleared_already_is_told(running: Deployment) -> None:
    unknown, gone, there = uuid.uuid4(), ended(running), ended(running)
    assert clear(running, gone, "--yes").returncode == 0
    again = clear(running, gone, "--yes")
    assert again.returncode == 0
    assert f"{gone} was cleared by " in again.stderr
    mixed = clear(running, unknown, gone, there, "--yes")
    assert mixed.returncode == 1
    assert f"there is no history of {unknown}" in mixed.stderr
    assert f"{gone} was cleared by " in mixed.stderr
    assert "cleared 1 request" in mixed.stderr
    assert run(running, "report", there).returncode == 1


def test_all_of_a_district_that_are_old_enough(running: Deployment) -> None:
    def of_lake() -> str:
        return run(
            running, "submit", "--district", "LAKE", "--object", "PersonIdentity", "--wait", NOBODY
        ).stdout.strip()

    other, old = ended(running), [of_lake(), of_lake()]
    before = just_after(running, old)
    young = of_lake()
    nothing = clear(running, "--older-than", "1d", "--district", "LAKE", "--yes")
    assert (nothing.returncode, nothing.stderr) == (0, "nothing to clear\n")
    cleared = clear(running, "--older-than", before, "--district", "LAKE", "--yes")
    assert cleared.returncode == 0, cleared.stderr
    left = running.rows("history", "select request_id from history.requests where district_id = 'LAKE'")
    assert {*old}.isdisjoint(row[0] for row in left)
    assert (young,) in left
    scopes = running.rows("history", "select scope from history.clearings where request_id = any(%s)", [old])
    assert {scope[:10] for (scope,) in scopes} == {"older than"}
    assert run(running, "report", other).returncode == 0


def just_after(deployment: Deployment, request_ids: list[str]) -> str:
    query = "select max(last_decided_at) + interval '1 microsecond' from history.requests where request_id = any(%s)"
    [(moment,)] = deployment.rows("history", query, [request_ids])
    return str(moment.isoformat())


def test_it_asks_first_and_takes_no_silence_for_a_yes(running: Deployment) -> None:
    request_id = ended(running)
    unasked = clear(running, request_id)
    assert unasked.returncode == 2
    assert "1 request with 1 outcomes" in unasked.stderr
    assert "--yes" in unasked.stderr
    code, seen = answered(running, "n\n", "clear", request_id)
    assert code == 1
    assert "Clear the history of 1 request with 1 outcomes, for good? [y/N]" in seen
    assert run(running, "report", request_id).returncode == 0
    code, seen = answered(running, "y\n", "clear", request_id)
    assert code == 0, seen
    assert run(running, "report", request_id).returncode == 1


def answered(deployment: Deployment, answer: str, *arguments: str) -> tuple[int, str]:
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [console_script(), *arguments],
        env=environment(deployment, TERM="xterm", NO_COLOR="1"),
        cwd=REPO,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(master, answer.encode())
    _, seen = process.communicate(timeout=TIMEOUT_S)
    os.close(terminal)
    os.close(master)
    return process.returncode, seen


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [str(uuid.UUID(int=7)), "--older-than", "1d"],
        [str(uuid.UUID(int=7)), "--district", "NORTH"],
        ["--older-than", "long"],
        ["7"],
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(running: Deployment, arguments: list[str]) -> None:
    refused = clear(running, *arguments, "--yes")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("point", ["store.after_mark", "store.after_tombstones"])
def test_a_store_that_dies_while_it_clears_goes_on_when_it_is_back(running: Deployment, point: str) -> None:
    request_id = ended(running, *("x7", "x8"))
    assert running.role("store").stop() == 0
    dying = running.start("store", crash_at=point)
    command = [str(console_script()), "clear", request_id, "--yes"]
    waiting = subprocess.Popen(command, env=environment(running), cwd=REPO, stderr=subprocess.PIPE, text=True)
    assert dying.await_end() == -signal.SIGKILL
    running.start("store")
    told = waiting.communicate(timeout=TIMEOUT_S)[1]
    assert waiting.returncode == 0, told
    await_burial(running)
    assert [key for key, says in on_topic(running, request_id).items() if says] == [ids.cleared_key(request_id)]
    assert run(running, "replay", "--verify").returncode == 0


def test_an_empty_history_says_why(deploy: Deploy) -> None:
    deployment = deploy(settings=READ_SETTINGS)
    deployment.start_all()
    unused = run(deployment, "history", "--output", "json")
    assert (unused.returncode, unused.stdout) == (0, "[]\n")
    assert "never used" in unused.stderr
    request_id = ended(deployment)
    assert "no such requests" in run(deployment, "history", "--district", "LAKE").stderr
    assert clear(deployment, "--older-than", "0s", "--yes").returncode == 0
    cleared = run(deployment, "history")
    assert cleared.returncode == 0
    query = "select cleared_by from history.clearings where request_id = %s"
    [(who,)] = deployment.rows("history", query, [request_id])
    assert f"no requests: 1 request was cleared by {who} at " in cleared.stderr
    assert "never used" not in cleared.stderr
