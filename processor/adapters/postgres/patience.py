"""Waiting for what another thread reads from a database."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillReading
from time import monotonic
from typing import TypeVar

from processor.adapters.postgres.database import Database
from processor.service.ports import SnapshotUnavailable

Read = TypeVar("Read")


def answer(database: Database, reading: "Future[Read]", patience_s: float) -> Read:
    """What `reading` gives. Raises SnapshotUnavailable, also where the database gives no answer at all.

    A server that is frozen keeps no statement timeout, so the client has a deadline of its own. It counts from the
    database's last statement, be it another thread's: reading may take many, or have to wait for its turn.
    """
    since = monotonic()
    while True:
        try:
            return reading.result(max(0.0, max(since, database.active_at) + patience_s - monotonic()))
        except StillReading:
            if not reading.running():
                since = monotonic()
            elif max(since, database.active_at) + patience_s <= monotonic():
                break
    database.abandon()
    raise SnapshotUnavailable(f"{database.name}: no answer within {patience_s:g} s")
