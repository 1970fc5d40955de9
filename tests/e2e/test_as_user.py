"""The local stack as a user who is not root: HOME is empty, and neither Java nor Docker nor Postgres is on PATH."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import environment, process
from tests.e2e.user import User, plain_user


@pytest.fixture
def user() -> Iterator[User]:
    with plain_user() as made:
        yield made
        if running(made):
            made.run("make", "down")


def make(user: User, *arguments: str) -> str:
    done = user.run("make", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def running(user: User) -> dict[str, int]:
    """Pids by name."""
    found = {name: process.find(user.stack, name) for name in process.names(user.stack)}
    return {name: pid for name, pid in found.items() if pid is not None}


def test_a_user_starts_the_stack_asks_for_a_key_and_stops_it(user: User) -> None:
    said = make(user, "up", "ROLES=process,apply,store")
    assert "up in " in said
    pids = running(user)
    assert {"kafka", "registry", "postgres-state", "postgres-NORTH", "process-0", "apply-0", "store-0"} <= pids.keys()
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in pids.values()} == {user.uid}

    resync = user.checkout / ".venv" / "bin" / "resync"
    asked = ("submit", "--district", "NORTH", "--object", "PersonIdentity", "--wait", "--timeout", "30", "1")
    told = user.run(resync, *asked, env=environment.read(user.stack))
    assert told.returncode == 0, told.stderr
    assert "NOT_FOUND" in told.stderr

    make(user, "down")
    assert not running(user)
    assert {entry.name for entry in user.home.iterdir()} <= {".cache"}
