"""How each district's objects are hashed now: asked of both servers, and asked again after a while."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from psycopg.rows import TupleRow

from processor.adapters.postgres.database import Database, Unreadable
from processor.adapters.postgres.digest_sql import SAMPLE, Column, RowDigests, digest_lines, types_statement
from processor.core.catalog import Catalog, Table
from processor.service.ports import SnapshotImpossible

TRUSTED_S = 10.0
"""How long columns are taken to have the types that they had: somebody may change one at any time."""


class AskBoth(Protocol):
    def __call__(self, district_id: str, object_name: str, read: Callable[[Database, Table], Any]) -> Sequence[Any]:
        """What an object's sides give, the district's first. Raises SnapshotUnavailable."""
        ...


class KnownDigests:
    """What the servers said last, by district and object."""

    def __init__(self, catalog: Catalog, ask: AskBoth, clock: Callable[[], float] = time.monotonic) -> None:
        self._kinds = catalog.objects
        self._ask = ask
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, RowDigests | None]] = {}

    def of(self, district_id: str, object_name: str, *, anew: bool = False) -> RowDigests | None:
        """None where digests cannot tell, or the servers do not agree about them. Raises SnapshotUnavailable."""
        place, now = (district_id, object_name), self._clock()
        asked_at, known = self._known.get(place, (-math.inf, None))
        if anew or now >= asked_at + TRUSTED_S:
            known = self._asked(district_id, object_name)
            self._known[place] = (now, known)
        return known

    def _asked(self, district_id: str, object_name: str) -> RowDigests | None:
        ours, theirs = self._ask(district_id, object_name, _described)
        (sample, our_columns), (other, their_columns) = ours, theirs
        if sample != other or not sample[0]:
            return None
        return digest_lines(self._kinds[object_name], (our_columns, their_columns))


def _described(database: Database, table: Table) -> tuple[TupleRow, dict[str, Column]]:
    """What a server makes of the sample, and the table's columns; an encoding may lack the sample's letters.

    A server older than Postgres 14 lacks the function. Where rights are lacking, reading the columns says so.
    """
    try:
        sample = database.rows(SAMPLE, {})[0]
        columns = database.rows(types_statement(table), {})
    except (Unreadable, SnapshotImpossible):
        return (False,), {}
    return sample, {name: Column(*of_column) for name, *of_column in columns}
