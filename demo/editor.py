"""Somebody who edits the state's rows by hand at the worst moment: between comparing and applying.

The edit is held open in a transaction: comparing still sees the row as it was, and the applier has to wait for the
row's lock. Seen waiting, the editor commits, and the applier finds another row than was compared.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from threading import Event, Thread
from typing import TypeAlias, TypeVar

import psycopg

from demo.databases import connect

PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.01

T = TypeVar("T")
Transaction: TypeAlias = tuple[int, datetime]
"""A backend's pid and when its transaction began."""


class Editor(Thread):
    """Edits one person's telephone number, once for each value; `holds` is set once the first edit is open."""

    def __init__(self, state_dsn: str, district_id: str, key: str, values: Sequence[str]) -> None:
        super().__init__(name=f"editor of {district_id} {key}", daemon=True)
        self._dsn = state_dsn
        self._record = (district_id, key)
        self._values = values
        self.holds = Event()

    def run(self) -> None:
        with connect(self._dsn) as editing, connect(self._dsn) as watching:
            for value in self._values:
                with editing.transaction():
                    editing.execute(
                        "update state_person set phone_number = %s where district_id = %s and district_person_id = %s",
                        (value, *self._record),
                    )
                    self.holds.set()
                    waiting = _await(partial(_applier_waiting_for, watching, editing.info.backend_pid))
                if waiting is None:
                    return
                # Otherwise the applier could run into the next edit with the same correction.
                _await(partial(_has_ended, watching, waiting))


def _applier_waiting_for(watching: psycopg.Connection, pid: int) -> Transaction | None:
    """The applier's transaction that waits for the one of `pid`."""
    found: Transaction | None = watching.execute(
        "select pid, xact_start from pg_stat_activity"
        " where application_name like 'resync/apply/%%' and %s = any(pg_blocking_pids(pid))",
        (pid,),
    ).fetchone()
    return found


def _has_ended(watching: psycopg.Connection, transaction: Transaction) -> bool:
    return (
        watching.execute("select from pg_stat_activity where pid = %s and xact_start = %s", transaction).fetchone()
        is None
    )


def _await(look: Callable[[], T | None]) -> T | None:
    """Blocks until `look` finds something; None if it found nothing in time."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(_LOOK_EVERY_S)
    return None
