"""The project's own processes: one console script, one command a role."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stack import config, environment, process
from stack.errors import StackError
from stack.layout import REPO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stack.layout import Stack

DEFAULT = ("process", "apply", "store")
READY_DEADLINE_S = 60
GRACE_S = 30


def name_of(role: str, ordinal: int) -> str:
    return f"{role}-{ordinal}"


def console_script() -> Path:
    return Path(sys.executable).with_name("resync")


def environ_of(stack: Stack, role: str, ordinal: int) -> dict[str, str]:
    """The caller's environment, stack.env, and what tells one process of a role from another.

    A role touches the file RESYNC_READY_FILE when it is ready for work.
    """
    return {
        "MALLOC_ARENA_MAX": "2",  # as the image sets it
        **os.environ,
        **environment.read(stack),
        "RESYNC_ORDINAL": str(ordinal),
        "RESYNC_READY_FILE": str(stack.ready_file(name_of(role, ordinal))),
        "RESYNC_HTTP_HOST": "127.0.0.1",
        "RESYNC_HTTP_PORT": str(config.role_port(config.existing(stack), role, ordinal)),
    }


def prepare(stack: Stack) -> None:
    """What the first role needs: topics, and the tables of the catalog; harmless when repeated."""
    commands: tuple[tuple[str | Path, ...], ...] = (
        (console_script(), "topics", "create"),
        (sys.executable, "-m", "demo.schema"),
    )
    environ = {**os.environ, **environment.read(stack), "STACK_DIR": str(stack.dir)}
    for command in commands:
        done = subprocess.run(command, env=environ, cwd=REPO, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}".rstrip())


def start(stack: Stack, role: str, ordinal: int = 0, env: Mapping[str, str] | None = None) -> int:
    """Starts the role unless it runs, without waiting for readiness; `env` outranks the stack's. Returns the pid."""
    name = name_of(role, ordinal)
    if (pid := process.find(stack, name)) is not None:
        return pid
    stack.ready_file(name).unlink(missing_ok=True)
    return process.spawn(
        stack, name, [console_script(), role], env=environ_of(stack, role, ordinal) | dict(env or {}), cwd=REPO
    )


def wait_ready(stack: Stack, role: str, ordinal: int = 0, deadline_s: float = READY_DEADLINE_S) -> None:
    """Raises with the tail of the role's log if it ends or is late."""
    name = name_of(role, ordinal)
    process.await_ready(stack, name, stack.ready_file(name).exists, deadline_s)


def send(stack: Stack, role: str, ordinal: int, how: signal.Signals) -> None:
    """For SIGSTOP and SIGCONT; does not wait."""
    os.kill(_pid(stack, role, ordinal), how)


def kill(stack: Stack, role: str, ordinal: int = 0, how: signal.Signals = signal.SIGKILL) -> None:
    """Sends a signal that ends the process and waits for its end."""
    pid = _pid(stack, role, ordinal)
    os.kill(pid, how)
    if not process.await_exit(pid, GRACE_S):
        raise StackError(f"{name_of(role, ordinal)} (pid {pid}) still runs {GRACE_S} s after {how.name}")


def stop(stack: Stack, role: str, ordinal: int = 0) -> bool:
    """SIGTERM, then SIGKILL after the grace period; says whether it was running."""
    return process.stop(stack, name_of(role, ordinal), grace_s=GRACE_S)


def is_running(stack: Stack, role: str, ordinal: int = 0) -> bool:
    return process.find(stack, name_of(role, ordinal)) is not None


def start_all(stack: Stack, wanted: Mapping[str, int], say: Callable[[str], None]) -> None:
    """Prepares, then starts so many processes of each role as are wanted and waits until they are ready."""
    missing = [
        (role, ordinal)
        for role, count in wanted.items()
        for ordinal in range(count)
        if not is_running(stack, role, ordinal)
    ]
    if missing:
        prepare(stack)
    for role, ordinal in missing:
        start(stack, role, ordinal)
    for role, ordinal in missing:
        wait_ready(stack, role, ordinal)
        say(f"  {name_of(role, ordinal):<16} ready")


def parse(text: str) -> dict[str, int]:
    """`process:2,apply` → two processes of the one, one of the other."""
    wanted: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        role, colon, count = part.partition(":")
        if colon and not count.isdecimal():
            raise StackError(f"--roles: {part!r} is not ROLE or ROLE:COUNT")
        wanted[role] = int(count) if colon else 1
    return wanted


def _pid(stack: Stack, role: str, ordinal: int) -> int:
    pid = process.find(stack, name_of(role, ordinal))
    if pid is None:
        raise StackError(f"{name_of(role, ordinal)} is not running")
    return pid
