"""`docs/examples/publish.py`, as it stands."""

import sys

from stack.layout import REPO
from tests.e2e.commands import run_example
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, persons, rename

SCRIPT = REPO / "docs" / "examples" / "publish.py"
COMMAND = (sys.executable, SCRIPT)


def test_a_publisher_of_twenty_lines_sends_a_request_and_sees_its_end(running: Deployment) -> None:
    keys = running.take_keys(2)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys)
    ended = run_example(running, COMMAND, "NORTH", "PersonIdentity", *keys)
    assert ended.returncode == 0, ended.stderr
    request_id, state = ended.stdout.split()
    assert state == "COMPLETE"
    assert_same(running, "NORTH", keys)
    query = "select state, requested_by from history.requests where request_id = %s"
    assert running.rows("history", query, [request_id]) == [("COMPLETE", "example")]


def test_it_sees_that_a_request_was_rejected(running: Deployment) -> None:
    ended = run_example(running, COMMAND, "ATLANTIS", "PersonIdentity", 1)
    assert ended.stdout.split()[1:] == ["REJECTED"], ended.stderr
