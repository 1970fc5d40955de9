"""A role process's life as its surroundings see it: told to stop by a signal; tells whether it lives and is ready."""

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TypeVar

log = logging.getLogger(__name__)

MAX_BACKOFF_S = 5.0
ANEW_AFTER_S = 1.0
"""Two processes that were given one identity by mistake shut each other out no faster than this."""
YOUNG_OBJECTS = 200_000
"""What a batch keeps alive at most stays below it, so that the collector of cycles does not walk through batches."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a role needs before it is ready; `detail` is for people."""

    ok: bool
    detail: str


def _not_yet() -> Check:
    return Check(ok=False, detail="not yet")


class Lifecycle:
    """SIGTERM and SIGINT ask for a stop, which the role honours between two transactions.

    The role's loop asks `stopping` each time it comes round, so being asked is its heartbeat. Checks are looked at
    from other threads.
    """

    def __init__(self, ready_file: Path | None, checks: Iterable[str] = ()) -> None:
        self._ready_file = ready_file
        self._stop = Event()
        self._beat = time.monotonic()
        self._checks: dict[str, Callable[[], Check]] = dict.fromkeys(checks, _not_yet)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._asked)

    def stopping(self) -> bool:
        self._beat = time.monotonic()
        return self._stop.is_set()

    def go_on(self) -> None:
        """Asks in the middle of something long, where nothing is in hand: a stop asked for ends the process.

        Also in a Kafka client's callback: that does not hand on what `sys.exit` raises, which is no object yet.
        """
        if self.stopping():
            raise SystemExit(0)

    def beat_age_s(self) -> float:
        return time.monotonic() - self._beat

    def check(self, name: str, look: Callable[[], Check]) -> None:
        """From now on `look` says whether this is as it should be."""
        self._checks[name] = look

    def passed(self, name: str, detail: str) -> None:
        check = Check(ok=True, detail=detail)
        self.check(name, lambda: check)

    def checks(self) -> Mapping[str, Check]:
        return {name: look() for name, look in self._checks.items()}

    def ready(self) -> None:
        if self._ready_file is not None:
            self._ready_file.touch()

    def when_available(self, call: Callable[[], T], away: type[Exception]) -> T:
        """What `call` gives; tried again while it raises `away`. A stop asked for meanwhile ends the process."""
        backoff_s = 0.1
        while True:
            self._beat = time.monotonic()
            try:
                return call()
            except away as fault:
                log.warning("%s; trying again in %.1f s", fault, backoff_s)
            if self._stop.wait(backoff_s):
                sys.exit(0)
            backoff_s = min(MAX_BACKOFF_S, 2 * backoff_s)

    def run(self, loop: Callable[[], None], broken: type[Exception]) -> None:
        """Runs a role's loop. Where it raises `broken`, this process begins anew: same id, same environment.

        Nothing is closed before, because what is broken may not let itself be closed. A stop asked for ends it.
        """
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, 10, 10)
        try:
            loop()
        except broken as fault:
            log.error("%s; beginning anew", fault)  # noqa: TRY400  (its words say all)
            if self._stop.wait(ANEW_AFTER_S):
                os._exit(0)
            sys.stderr.flush()
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  (itself, as it was started)

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()
