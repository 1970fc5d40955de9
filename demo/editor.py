"""Somebody who edits the state's rows by hand at the worst moment: between comparing and applying.

The edit is held open in a transaction: comparing still sees the row as it was, and the applier has to wait for the
row's lock. Seen waiting, the editor commits, and the applier finds another row than was compared.
"""

import time
from collections.abc import Sequence
from threading import Event, Thread

import psycopg

from demo.databases import connect

PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.01


class Editor(Thread):
    """Edits one person's telephone number, once for each value; `holds` is set once the first edit is open."""

    def __init__(self, state_dsn: str, district_id: str, key: str, values: Sequence[str]) -> None:
        super().__init__(name=f"editor of {district_id} {key}", daemon=True)
        self._dsn = state_dsn
        self._record = (district_id, key)
        self._values = values
        self.holds = Event()
        self.edits_met = 0
        """Edits that the applier was seen to wait for."""

    def run(self) -> None:
        with connect(self._dsn) as editing, connect(self._dsn) as watching:
            for value in self._values:
                with editing.transaction():
                    editing.execute(
                        "update state_person set phone_number = %s where district_id = %s and district_person_id = %s",
                        (value, *self._record),
                    )
                    self.holds.set()
                    if not _applier_waits_for(watching, editing.info.backend_pid):
                        return
                self.edits_met += 1


def _applier_waits_for(watching: psycopg.Connection, pid: int) -> bool:
    """Blocks until an applier waits for the transaction of `pid`; False if none came in time."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = watching.execute(
            "select from pg_stat_activity"
            " where application_name like 'resync/apply/%%' and %s = any(pg_blocking_pids(pid))",
            (pid,),
        ).fetchone()
        if found is not None:
            return True
        time.sleep(_LOOK_EVERY_S)
    return False
