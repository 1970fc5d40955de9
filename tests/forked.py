"""Processes of `resync` for tests, forked from one that has imported it: `tests/fork_server.py`, one for each worker.

What is about starting itself starts a new interpreter instead: recovery, memory, terminals, the console script's tests.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import IO, Any

from stack.layout import REPO
from stack.roles import console_script

READY_S = 60.0
TIMEOUT_S = 60.0
READ_AT_START = ("PYTHON", "LANG", "LC_", "TZ", "LD_", "MALLOC_", "GLIBC_")
"""Variables that begin so are read before an interpreter runs anything; a fork has them from its server."""


class Forked:
    """A process of `resync` in a session of its own, with what `subprocess.Popen` has of the same names."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: IO[Any],
        stdout: IO[Any],
        stderr: IO[Any],
        module: str | None = None,
    ) -> None:
        """`env` is its whole environment. `module`: its `main` runs, with the arguments in `sys.argv`."""
        self.args = [module or str(console_script()), *arguments]
        order = {"argv": self.args, "env": dict(env), "cwd": str(REPO), "module": module}
        self.pid = _server().start(order, [stream.fileno() for stream in (stdin, stdout, stderr)])
        self.returncode: int | None = None
        self._end = os.pidfd_open(self.pid)
        self._reaping = Lock()
        weakref.finalize(self, os.close, self._end)

    def poll(self) -> int | None:
        return self._code(0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        code = self._code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def _code(self, timeout_s: float | None) -> int | None:
        """For any thread: one may wait while another looks."""
        if self.returncode is None and self._has_ended(timeout_s):
            with self._reaping:
                if self.returncode is None:
                    self.returncode = _server().exit_code(self.pid)
        return self.returncode

    def _has_ended(self, timeout_s: float | None) -> bool:
        ending = select.poll()
        ending.register(self._end, select.POLLIN)
        return bool(ending.poll(None if timeout_s is None else timeout_s * 1000))

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(arguments: Sequence[str], *, env: Mapping[str, str], out: IO[bytes]) -> Forked:
    """With output and errors in one file, and no input."""
    with Path(os.devnull).open("rb") as nothing:
        return Forked(arguments, env=env, stdin=nothing, stdout=out, stderr=out)


def start_module(module: str, arguments: Sequence[str]) -> Forked:
    """With this process's environment and streams, and no input."""
    with (
        Path(os.devnull).open("rb") as nothing,
        open(1, "wb", closefd=False) as out,
        open(2, "wb", closefd=False) as err,
    ):
        return Forked(arguments, env=os.environ, stdin=nothing, stdout=out, stderr=err, module=module)


def run(
    arguments: Sequence[str], *, env: Mapping[str, str], stdin: str = "", timeout_s: float = TIMEOUT_S
) -> "subprocess.CompletedProcess[str]":
    """To its end. Raises subprocess.TimeoutExpired, after having killed it."""
    file = partial(tempfile.TemporaryFile, "w+")
    with file() as given, file() as out, file() as err:
        given.write(stdin)
        given.seek(0)
        process = Forked(arguments, env=env, stdin=given, stdout=out, stderr=err)
        try:
            code = process.wait(timeout_s)
        except BaseException:
            process.kill()
            process.wait()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(process.args, code, out.read(), err.read())


class _Server:
    def __init__(self) -> None:
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("RESYNC_")}
        self._channel, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = Lock()
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(its.fileno())],
                env=self._env,
                cwd=REPO,
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._channel.settimeout(READY_S)
        self._answer()

    def start(self, order: Mapping[str, Any], streams: Sequence[int]) -> int:
        """Returns the pid."""
        fixed, given = (
            {name: value for name, value in env.items() if name.startswith(READ_AT_START)}
            for env in (self._env, order["env"])
        )
        assert fixed == given, f"only a new interpreter reads {sorted({*fixed.items()} ^ {*given.items()})}"
        with tempfile.TemporaryFile("w+") as file:
            json.dump(order, file)
            file.flush()
            with self._lock:
                socket.send_fds(self._channel, [b"start"], [file.fileno(), *streams])
                return int(self._answer())

    def exit_code(self, pid: int) -> int:
        """Of a process that has ended; negative for a signal."""
        with self._lock:
            self._channel.sendall(b"end %d" % pid)
            return int(self._answer())

    def _answer(self) -> bytes:
        answer = self._channel.recv(64)
        assert answer, "the fork server has ended"
        return answer

    def close(self) -> None:
        self._channel.close()
        self._process.wait(READY_S)


@cache
def _server() -> _Server:
    started = _Server()
    atexit.register(started.close)
    return started
