"""One connection for all that a test asks of a database: each new one costs the server a process and its caches."""

from collections.abc import Mapping, Sequence
from select import select
from typing import Any

import psycopg
from psycopg.pq import ExecStatus


class KeptConnection:
    """Made when it is first used, and again where the server has ended it meanwhile. Commits each statement."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._made: psycopg.Connection[tuple[Any, ...]] | None = None

    def rows(self, query: bytes, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """None of a statement that gives none."""
        cursor = self.get().execute(query, parameters)
        gave = cursor.pgresult
        return cursor.fetchall() if gave is not None and gave.status == ExecStatus.TUPLES_OK else []

    def get(self) -> "psycopg.Connection[tuple[Any, ...]]":
        if self._made is not None and _was_ended(self._made):
            self._made.close()
        if self._made is None or self._made.closed:
            self._made = psycopg.connect(self._dsn, autocommit=True, application_name="test")
        return self._made

    def close(self) -> None:
        if self._made is not None:
            self._made.close()


def _was_ended(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Whether the server has ended an idle connection: it may have been restarted, or told to."""
    return not connection.closed and bool(select([connection], [], [], 0)[0])
