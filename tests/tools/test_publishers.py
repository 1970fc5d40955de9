"""The publishers of docs/examples in other languages than Python, as they stand, on a real deployment."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from stack import download
from stack.artifacts import EXAMPLES_LOCK, Cache, read_lock
from stack.jvm import java
from stack.layout import REPO
from tests.e2e.commands import run_example
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.tools.conftest import Tool

EXAMPLES = REPO / "docs" / "examples"
RELEASE = "-17"
"""The oldest Java that the page promises."""


@pytest.fixture(scope="session")
def publish_java(tmp_path_factory: pytest.TempPathFactory) -> Sequence[object]:
    """The command of the compiled example. It may not give the compiler a reason for a warning."""
    lock, cache = read_lock(EXAMPLES_LOCK), Cache.choose(os.environ)
    [compiler] = lock["compiler"]
    download.fetch_missing([compiler], cache, os.environ, print)
    told = subprocess.run([sys.executable, "-m", "stack", "jars"], cwd=REPO, capture_output=True, text=True, check=True)
    jars, classes = told.stdout.strip(), str(tmp_path_factory.mktemp("classes"))
    options = [RELEASE, "-failOnWarning", "-classpath", jars, "-d", classes]
    done = subprocess.run(
        [java(), "-jar", cache.file(compiler), *options, EXAMPLES / "Publish.java"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return java(), "-cp", os.pathsep.join([classes, jars]), "Publish"


@pytest.fixture(scope="session")
def publish_kcat(tool: Tool) -> Sequence[object]:
    tool("kcat")
    return (EXAMPLES / "publish.sh",)


@pytest.fixture(params=["java", "kcat"])
def command(request: pytest.FixtureRequest) -> Sequence[object]:
    found: Sequence[object] = request.getfixturevalue(f"publish_{request.param}")
    return found


def test_a_publisher_sends_a_request_and_sees_its_end(running: Deployment, command: Sequence[object]) -> None:
    keys = running.take_keys(150)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys)
    ended = run_example(running, command, "NORTH", "PersonIdentity", *keys)
    assert ended.returncode == 0, ended.stderr
    request_id, state = ended.stdout.split()
    assert state == "COMPLETE"
    assert_same(running, "NORTH", keys)
    query = "select state, requested_by, reason from history.requests where request_id = %s"
    assert running.rows("history", query, [request_id]) == [("COMPLETE", "example", None)]


def test_it_sees_that_a_request_was_rejected(running: Deployment, command: Sequence[object]) -> None:
    ended = run_example(running, command, "ATLANTIS", "PersonIdentity", 1)
    assert ended.stdout.split()[1:] == ["REJECTED"], ended.stderr


def test_letters_beyond_ascii_are_counted_as_bytes(running: Deployment, command: Sequence[object]) -> None:
    """A key of 130 bytes in 65 letters is no integer, and fails alone; the one after it is read rightly."""
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    ended = run_example(running, command, "NORTH", "PersonIdentity", "é" * 65, key)
    request_id, state = ended.stdout.split()
    assert state == "COMPLETE_WITH_FAILURES", ended.stderr
    query = "select status, reason from history.outcomes where request_id = %s order by status"
    assert running.rows("history", query, [request_id]) == [("FAILED", "INVALID_KEY"), ("IN_SYNC", None)]
