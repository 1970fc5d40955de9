"""Another connection that keeps changing one person of a district while requests name it."""

from threading import Event, Thread
from types import TracebackType
from typing import Self

import psycopg

PAUSE_S = 0.005


class Editor:
    """Counts a person's last name up: `Edit000001` and on, from entering to leaving the context."""

    def __init__(self, dsn: str, key: int) -> None:
        self.edits = 0
        self._dsn, self._key = dsn, key
        self._stop = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while not self._stop.wait(PAUSE_S):
                self.edits += 1
                connection.execute(
                    "update identity set last_name = %s where person_id = %s", [f"Edit{self.edits:06d}", self._key]
                )
