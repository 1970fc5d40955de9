"""Submits planted requests through the real command line, several at a time, and waits for their ends."""

import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from demo.databases import RESYNC
from demo.planted import Request

SUCCEEDED, SOME_FAILED, DIFFERENCES = 0, 1, 3
TIMEOUT_S = 120
AT_A_TIME = 4
_BY_ARGUMENT = 50


@dataclass(frozen=True, slots=True)
class Submitted:
    """How one `resync submit` ended."""

    request: Request
    exit_code: int
    seconds: float
    said: str

    def was_refused(self) -> bool:
        """Whether the command did not even ask: it was misused, or found no service."""
        return self.exit_code not in (SUCCEEDED, SOME_FAILED, DIFFERENCES)

    def complaint(self) -> str | None:
        """Why the exit code is not the one that the planted outcomes ask for."""
        due = exit_codes(self.request)
        if self.exit_code in due:
            return None
        wanted = " or ".join(map(str, sorted(due)))
        return f"resync submit of {self.request.request_id} exited {self.exit_code}, not {wanted}: {self.said}"


def exit_codes(request: Request) -> frozenset[int]:
    """The exit codes that are honest about what was planted."""
    statuses = {e.status for e in request.expected}
    if "FAILED" in statuses:
        return frozenset({SOME_FAILED})
    if statuses & {"DIFFERS", "MISSING_AT_STATE", "MISSING_AT_DISTRICT", "DUPLICATE_KEY"}:
        return frozenset({DIFFERENCES})
    return frozenset({SUCCEEDED, DIFFERENCES} if "STATE_ONLY" in statuses else {SUCCEEDED})


class Submitter:
    """Runs `resync submit` for requests; `on_end` is told of each that ended."""

    def __init__(self, environment: Mapping[str, str], on_end: Callable[[Submitted], None]) -> None:
        self._environment = dict(environment)
        self._on_end = on_end
        self._pool = ThreadPoolExecutor(AT_A_TIME)
        self._aside = ThreadPoolExecutor()

    def submit(self, requests: Iterable[Request]) -> list[Future[Submitted]]:
        """As many at a time as are good for the machine."""
        return [self._pool.submit(self._run, request) for request in requests]

    def submit_aside(self, requests: Iterable[Request]) -> list[Future[Submitted]]:
        """All at once, because they take long for reasons of their own."""
        return [self._aside.submit(self._run, request) for request in requests]

    def submit_in_order(self, requests: Iterable[Request]) -> list[Future[Submitted]]:
        """One after another, none waiting for the end of the one before it."""
        return [self._aside.submit(lambda: [self._run(r, wait=False) for r in requests][-1])]

    def _run(self, request: Request, *, wait: bool = True) -> Submitted:
        started = time.monotonic()
        by_argument = len(request.keys) <= _BY_ARGUMENT
        done = subprocess.run(
            command(request, wait=wait) + (["--", *request.keys] if by_argument else ["-"]),
            input=None if by_argument else "\n".join(request.keys) + "\n",
            env=self._environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        submitted = Submitted(request, done.returncode, time.monotonic() - started, done.stderr.strip())
        if wait or submitted.was_refused():
            self._on_end(submitted)
        return submitted


def command(request: Request, *, wait: bool) -> list[str]:
    ask = request.ask
    line = [RESYNC, "submit", "--district", request.district_id, "--object", request.object]
    line += ["--request-id", request.request_id, "--reason", "demo"]
    for option, value, default in (
        ("--mode", ask.mode, "SYNC"),
        ("--dependencies", ask.dependencies, "NONE"),
        ("--on-state-only", ask.on_state_only, "REPORT"),
    ):
        if value != default:
            line += [option, value.lower()]
    return [*line, "--wait", "--timeout", str(TIMEOUT_S)] if wait else line
