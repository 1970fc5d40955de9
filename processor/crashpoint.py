"""Deterministic crashes for fault tests: the process kills itself where it is told to.

A crash point that no environment names costs one comparison and does nothing.
"""

import os
import signal


class CrashPoints:
    """Armed by `RESYNC_CRASH_AT=name` or `name:3` (the third time that the point is passed)."""

    def __init__(self, crash_at: str | None) -> None:
        name, _, count = (crash_at or "").partition(":")
        self._name = name
        self._left = int(count) if count else 1

    def __call__(self, name: str) -> None:
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
