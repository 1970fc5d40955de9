"""The demo passes, passes again, and its proof can fail."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from stack import environment
from stack.layout import REPO, Stack
from stack.testing import temporary_stack

PERSONS = "6000"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with temporary_stack() as running:
        yield running


def python(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a module against the stack; nothing else that the caller's environment says of one counts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RESYNC_")}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env=kept | {"STACK_DIR": str(stack.dir)}, cwd=REPO, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.timeout(400)
def test_demo_proves_itself_twice_and_sees_tampering(stack: Stack) -> None:
    for _ in range(2):
        demo = python(stack, "demo", "--persons", PERSONS)
        assert demo.returncode == 0, demo.stdout + demo.stderr
    self_test = python(stack, "demo.prove", "--self-test")
    assert self_test.returncode == 0, self_test.stdout + self_test.stderr
    with psycopg.connect(environment.read(stack)["RESYNC_STATE_DSN"]) as state:
        state.execute("update state_enrollment set funded_share = 0.1 where district_enrollment_id = 1001")
    tampered = python(stack, "demo.prove")
    assert tampered.returncode == 1
    assert "state_enrollment" in tampered.stderr or "Enrollment 1001" in tampered.stderr
