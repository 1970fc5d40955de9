"""A role process's life as its surroundings see it: told to stop by a signal, tells by a file that it is ready."""

import signal
from pathlib import Path
from types import FrameType


class Lifecycle:
    """SIGTERM and SIGINT ask for a stop, which the role honours between two transactions."""

    def __init__(self, ready_file: Path | None) -> None:
        self._ready_file = ready_file
        self._stop = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._asked)

    def stopping(self) -> bool:
        return self._stop

    def ready(self) -> None:
        if self._ready_file is not None:
            self._ready_file.touch()

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = True
