"""The demo passes, passes again, and its proof can fail."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from stack import environment
from stack.artifacts import Cache
from stack.layout import REPO, Stack
from stack.testing import folder_in_memory, unstarted_stack

PERSONS = "6000"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with unstarted_stack(folder_in_memory()) as made:
        yield made


def python(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a module for the stack: no Java, Docker or Postgres on PATH, nothing in HOME but what was downloaded before.

    Nothing else that the caller's environment says of a stack counts.
    """
    empty = stack.dir / "empty"
    empty.mkdir(exist_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("RESYNC_", "XDG_"))}
    env |= {"STACK_DIR": str(stack.dir), "PATH": str(empty), "HOME": str(empty)}
    env["RESYNC_CACHE"] = str(Cache.choose(os.environ).dir)
    return subprocess.run(
        [sys.executable, "-m", *arguments], env=env, cwd=REPO, capture_output=True, text=True, check=False
    )


@pytest.mark.timeout(400)
def test_demo_proves_itself_twice_and_sees_tampering(stack: Stack) -> None:
    for _ in range(2):
        demo = python(stack, "demo", "--persons", PERSONS)
        assert demo.returncode == 0, demo.stdout + demo.stderr
    self_test = python(stack, "demo.prove", "--self-test")
    assert self_test.returncode == 0, self_test.stdout + self_test.stderr
    settings = environment.read(stack)
    with psycopg.connect(settings["RESYNC_HISTORY_DSN"]) as history:
        history.execute("update resync_store.outcomes set reason = 'CONFLICT' where reason = 'NO_ANSWER'")
    misnamed = python(stack, "demo.prove", "--show", "9")
    assert misnamed.returncode == 1
    assert misnamed.stderr.count("planted to be FAILED NO_ANSWER, history says FAILED CONFLICT") == 2
    with psycopg.connect(settings["RESYNC_HISTORY_DSN"]) as history:
        history.execute(
            "update resync_store.outcomes set reason = 'NO_ANSWER' where attempt = 3 and reason = 'CONFLICT'"
        )
    with psycopg.connect(settings["RESYNC_STATE_DSN"]) as state:
        state.execute("update state_enrollment set funded_share = 0.1 where district_enrollment_id = 1001")
    tampered = python(stack, "demo.prove")
    assert tampered.returncode == 1
    assert "state_enrollment" in tampered.stderr or "Enrollment 1001" in tampered.stderr
    refused = python(stack, "demo.prove", "--self-test")
    assert refused.returncode == 1, refused.stdout
    assert "disproved already" in refused.stderr
    assert not list((stack.dir / "empty").iterdir()), "nothing is left in HOME"
