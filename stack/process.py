"""Processes that outlive the command that started them, known by a pid file."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stack.errors import ServiceFailedError, StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stack.layout import Stack

LOG_TAIL_LINES = 20
POLL_S = 0.05

_interrupted = threading.Event()


def heed_interrupts() -> None:
    """From now on ^C also ends what other threads wait for, which the main one would wait for in turn."""

    def interrupt(_signal: int, _frame: object) -> None:
        _interrupted.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)


class Account(NamedTuple):
    uid: int
    gid: int


def find(stack: Stack, name: str) -> int | None:
    """The pid of the running process `name`, else None.

    A pid file is believed only if its process began when ours did, so a pid that was given to another program since
    is not ours.
    """
    try:
        pid = int(stack.pid_file(name).read_text())
        began = int(stack.began_file(name).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _began(pid) == began else None


def _began(pid: int) -> int | None:
    """When the process was forked, in clock ticks since boot; None if it has ended, reaped or not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses and may hold anything; see proc(5).
    state, *fields = status.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])


def names(stack: Stack) -> list[str]:
    """All names that have a pid file, whether or not they run."""
    return sorted(path.stem for path in stack.run_dir.glob("*.pid"))


def spawn(
    stack: Stack,
    name: str,
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    account: Account | None = None,
) -> int:
    """Starts `argv` in its own session, its output appended to the log; returns the pid once it was executed.

    ^C is heard only once the pid is written down: in a thread, since the main one is where it interrupts.
    """
    stack.run_dir.mkdir(parents=True, exist_ok=True)
    order = {
        "argv": [str(part) for part in argv],
        "env": dict(env),
        "cwd": str(cwd),
        "log": str(stack.log_file(name)),
        "account": account,
    }
    with ThreadPoolExecutor(1, "spawn") as thread:
        return thread.submit(_spawn, stack, name, order).result()


def _spawn(stack: Stack, name: str, order: Mapping[str, object]) -> int:
    spawner = Path(__file__).with_name("spawn.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", spawner],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # ^C would end it between starting the program and telling its pid
    )
    if done.returncode:
        raise StackError(f"{name} could not be started: {done.stderr.strip().splitlines()[-1]}")
    pid = int(done.stdout)
    stack.began_file(name).write_text(f"{_began(pid) or 0}\n")
    stack.pid_file(name).write_text(f"{pid}\n")
    return pid


def await_exit(pid: int, timeout_s: float) -> bool:
    """Blocks until the process has ended, at most `timeout_s`; says whether it has."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, timeout_s))
        return bool(ready)
    finally:
        os.close(descriptor)


def await_ready(stack: Stack, name: str, is_ready: Callable[[], bool], deadline_s: float) -> None:
    """Asks `is_ready` until it is true; raises with the tail of the log if the process ends or the deadline passes."""
    deadline = time.monotonic() + deadline_s
    while True:
        pid = find(stack, name)
        if pid is None:
            raise ServiceFailedError(f"{name} ended while starting\n{log_tail(stack, name)}")
        if is_ready():
            return
        if _interrupted.is_set():
            raise StackError(f"interrupted while {name} was starting")
        if time.monotonic() > deadline:
            raise ServiceFailedError(f"{name} was not ready after {deadline_s:.0f} s\n{log_tail(stack, name)}")
        await_exit(pid, POLL_S)


def stop(stack: Stack, name: str, *, how: signal.Signals = signal.SIGTERM, grace_s: float = 15) -> bool:
    """Signals the process, waits for its end and kills what is left after `grace_s`; says whether it was running."""
    pid = find(stack, name)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, how)
            os.kill(pid, signal.SIGCONT)  # a frozen process could not act on the signal
        if not await_exit(pid, grace_s):
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            await_exit(pid, grace_s)
    stack.pid_file(name).unlink(missing_ok=True)
    stack.began_file(name).unlink(missing_ok=True)
    return pid is not None


def log_tail(stack: Stack, name: str) -> str:
    log = stack.log_file(name)
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    shown = "\n".join(f"  {line}" for line in lines[-LOG_TAIL_LINES:])
    return f"the end of {log}:\n{shown}"
