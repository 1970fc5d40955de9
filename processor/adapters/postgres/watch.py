"""Whether the databases that a processor reads are there, also while nobody asks for their records.

What was not asked for `every_s` is asked `select 1` on the reader's own connection, so an idle district costs one
small statement in that time and no connection more. Districts take their turns spread over the time.
"""

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Thread

from processor.adapters.postgres.database import Database
from processor.lifecycle import Check

AT_ONCE = 8
"""Databases that may hang without keeping the others from their turn."""
MAX_PAUSE_S = 0.5


class DatabaseWatch:
    """`own` says which districts are this process's; others are neither asked nor told of."""

    def __init__(
        self, districts: Mapping[str, Database], state: Database, *, every_s: float, patience_s: float
    ) -> None:
        self._districts = districts
        self._state = state
        self._every_s = every_s
        self._patience_s = patience_s
        self._owned: Collection[str] = ()
        self._stop = Event()
        self._threads = ThreadPoolExecutor(AT_ONCE, "ping")
        self._asked: dict[Database, tuple[Future[None], float]] = {}
        self._thread = Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def own(self, belongs: Callable[[str], bool]) -> None:
        """Takes on the districts that belong here from now on, and lets go of all others."""
        self._owned = frozenset(district_id for district_id in self._districts if belongs(district_id))

    def ups(self) -> Mapping[str, bool]:
        """Of owned districts that were asked."""
        found = {district_id: self._districts[district_id].is_up for district_id in self._owned}
        return {district_id: is_up for district_id, is_up in found.items() if is_up is not None}

    def state_is_up(self) -> bool | None:
        return self._state.is_up

    def check(self) -> Check:
        """Districts that are away keep nobody from being ready."""
        ups = self.ups()
        up, owned = sum(ups.values()), len(self._owned)
        detail = f"state {_word(self._state.is_up)}; {up} of {owned} districts up"
        return Check(self._state.is_up is True, detail)

    def close(self) -> None:
        """Before the databases are closed."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for database, (future, _) in self._asked.items():
            if not future.done():
                database.abandon()
        self._threads.shutdown()

    def _run(self) -> None:
        while not self._stop.wait(self._pause_s()):
            now = time.monotonic()
            self._let_go(now)
            due = [d for d in (self._state, *self._of_owned()) if d.asked_at + self._every_s <= now]
            due = [d for d in due if d not in self._asked]
            for database in sorted(due, key=lambda d: d.asked_at)[: AT_ONCE - len(self._asked)]:
                self._asked[database] = (self._threads.submit(database.ping), now + self._patience_s)

    def _of_owned(self) -> list[Database]:
        return [self._districts[district_id] for district_id in self._owned]

    def _pause_s(self) -> float:
        """So short that, `AT_ONCE` a time, each owned district has its turn in half of `every_s`."""
        return min(MAX_PAUSE_S, self._every_s * AT_ONCE / (2 * (len(self._owned) + 1)))

    def _let_go(self, now: float) -> None:
        """A server that is frozen does not end a statement; the client's deadline does."""
        for database, (future, deadline) in list(self._asked.items()):
            if future.done():
                del self._asked[database]
            elif now > deadline:
                database.abandon()


def _word(is_up: bool | None) -> str:  # noqa: FBT001
    return "not asked yet" if is_up is None else "up" if is_up else "away"
