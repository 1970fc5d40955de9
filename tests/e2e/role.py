"""One process of a role, as an orchestrator runs it: `resync <role>` and an environment."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import IO

from stack.layout import REPO
from stack.roles import console_script
from tests import forked
from tests.awaiting import await_

GRACE_S = 30.0


def started_anew(arguments: list[str], *, env: Mapping[str, str], out: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [console_script(), *arguments],
        env=env,
        cwd=REPO,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


class Role:
    """Started on creation; `started_at` is monotonic. `interpreter`: a new one, where that time matters."""

    def __init__(
        self, role: str, ordinal: int, directory: Path, env: Mapping[str, str], *, interpreter: bool = False
    ) -> None:
        self.name = f"{role}-{ordinal}"
        self.was_ended_by_test = False
        self.log = directory / f"{self.name}.log"
        self._ready = directory / f"{self.name}.ready"
        self._ready.unlink(missing_ok=True)
        place = {"RESYNC_ORDINAL": str(ordinal), "RESYNC_READY_FILE": str(self._ready)}
        with self.log.open("ab") as out:
            self.started_at = monotonic()
            start = started_anew if interpreter else forked.start
            self._process = start([role], env={**os.environ, **env, **place}, out=out)

    @property
    def pid(self) -> int:
        return self._process.pid

    def await_ready(self, timeout_s: float = 60.0) -> "Role":
        await_(lambda: self._ready.exists() or self._ended(), f"readiness of {self.name}", timeout_s)
        assert self._ready.exists(), f"{self.name} ended with {self._process.returncode}\n{self.tail()}"
        return self

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """As a machine that loses power."""
        self.was_ended_by_test = True
        self._process.kill()
        self._process.wait(GRACE_S)

    def stop(self) -> int:
        """As an orchestrator does it; returns the exit code."""
        self.was_ended_by_test = True
        self._process.terminate()
        self._process.send_signal(signal.SIGCONT)
        return self._process.wait(GRACE_S)

    def await_end(self, timeout_s: float = 30.0) -> int:
        """The exit code, negative for a signal."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {timeout_s:g} s\n{self.tail()}") from None

    def is_ready(self) -> bool:
        return self._ready.exists()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _ended(self) -> bool:
        return self._process.poll() is not None
