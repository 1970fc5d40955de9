"""What the demo waits for, seen in the public views of history."""

import time
from collections.abc import Callable, Collection

import psycopg

from demo.databases import connect

PATIENCE_S = 120.0
_LOOK_EVERY_S = 0.1


class Waited(Exception):
    """Something that the demo waits for did not come."""


class History:
    """Waits for states of requests; every wait looks at the views until it is so, or raises Waited.

    `hopeless` says why waiting on makes no sense, if it makes none.
    """

    def __init__(self, dsn: str, hopeless: Callable[[], str | None]) -> None:
        self._connection = connect(dsn)
        self._hopeless = hopeless

    def wait_until_quiet(self) -> None:
        """Until no request of an earlier run is open, since it would write into the new data."""
        self._wait("an earlier request is still open", lambda: self._count_open() == 0)

    def wait_for_ends(self, request_ids: Collection[str]) -> None:
        self._wait("not every request has ended", lambda: self._is_past(request_ids, ["ACCEPTED", "HELD"]))

    def wait_until_held_or_ended(self, request_ids: Collection[str]) -> None:
        self._wait("not every request is held or has ended", lambda: self._is_past(request_ids, ["ACCEPTED"]))

    def _is_past(self, request_ids: Collection[str], states: list[str]) -> bool:
        """Whether history knows all requests, and none of them in one of these states."""
        query = "select count(*) from history.requests where request_id = any(%s) and state <> all(%s)"
        row = self._connection.execute(query, (list(request_ids), states)).fetchone()
        return row == (len(request_ids),)

    def wait_until_deferred(self, request_ids: Collection[str], keys: int) -> None:
        def deferred() -> bool:
            return keys == self._count(
                "select count(*) from history.outcomes where request_id = any(%s) and status = 'DEFERRED'", request_ids
            )

        self._wait(f"not all {keys} keys of the stopped database are DEFERRED", deferred)

    def ends(self, request_ids: Collection[str]) -> dict[str, tuple[str, str | None]]:
        rows = self._connection.execute(
            "select request_id, state, reason from history.requests where request_id = any(%s)", (list(request_ids),)
        )
        return {request_id: (state, reason) for request_id, state, reason in rows}

    def has_open(self) -> bool:
        return self._count_open() > 0

    def _count_open(self) -> int:
        try:
            return self._count("select count(*) from history.requests where state = 'ACCEPTED'")
        except psycopg.errors.UndefinedTable:
            return 0

    def _count(self, sql: str, request_ids: Collection[str] | None = None) -> int:
        row = self._connection.execute(sql.encode(), None if request_ids is None else (list(request_ids),)).fetchone()
        return int(row[0]) if row else 0

    def _wait(self, otherwise: str, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            if why := self._hopeless():
                raise Waited(why)
            if time.monotonic() > deadline:
                raise Waited(f"{otherwise} after {PATIENCE_S:.0f} s: see `resync history` and the roles' logs")
            time.sleep(_LOOK_EVERY_S)
