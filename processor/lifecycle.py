"""A role process's life as its surroundings see it: told to stop by a signal, tells by a file that it is ready."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TypeVar

log = logging.getLogger(__name__)

MAX_BACKOFF_S = 5.0
ANEW_AFTER_S = 1.0
"""Two processes that were given one identity by mistake shut each other out no faster than this."""

T = TypeVar("T")


class Lifecycle:
    """SIGTERM and SIGINT ask for a stop, which the role honours between two transactions."""

    def __init__(self, ready_file: Path | None) -> None:
        self._ready_file = ready_file
        self._stop = Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._asked)

    def stopping(self) -> bool:
        return self._stop.is_set()

    def ready(self) -> None:
        if self._ready_file is not None:
            self._ready_file.touch()

    def when_available(self, call: Callable[[], T], away: type[Exception]) -> T:
        """What `call` gives; tried again while it raises `away`. A stop asked for meanwhile ends the process."""
        backoff_s = 0.1
        while True:
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
