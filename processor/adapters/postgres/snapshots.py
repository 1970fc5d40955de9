"""Reads the district's and the state's rows of many keys, all databases at the same time.

Each database has one connection, so reads of one district are serial.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

from psycopg.rows import TupleRow

from processor.adapters.postgres.database import Database, ReaderOptions
from processor.adapters.postgres.patience import answer
from processor.adapters.postgres.snapshot_question import Given, Question, rows_below
from processor.adapters.postgres.snapshot_sql import (
    district_children_statement,
    district_statement,
    state_children_statement,
    state_statement,
)
from processor.core.catalog import Catalog
from processor.core.snapshot import DistrictRead, DistrictVersion, Row, SideRead
from processor.service.ports import BothSides, SnapshotImpossible, SnapshotUnavailable, Wanted

MAX_THREADS = 32

Target: TypeAlias = tuple[str, str]


class PostgresSnapshots:
    """The `Snapshots` port on Postgres."""

    def __init__(self, catalog: Catalog, state_dsn: str, options: ReaderOptions) -> None:
        self._districts = {
            d.district_id: Database(f"district {d.district_id}", d.dsn, options) for d in catalog.districts.values()
        }
        self._epochs = {d.district_id: d.epoch for d in catalog.districts.values()}
        self._state = Database("state", state_dsn, options, "state")
        self._ours = {name: Question(k, district_statement, k.district.name) for name, k in catalog.objects.items()}
        self._theirs = {name: Question(k, state_statement, k.state.name) for name, k in catalog.objects.items()}
        self._below = {
            name: (
                district_children_statement(kind, catalog.objects[kind.parent.object]),
                state_children_statement(kind, catalog.objects[kind.parent.object]),
            )
            for name, kind in catalog.objects.items()
            if kind.parent is not None
        }
        self._patience_s = options.statement_timeout_s + options.connect_timeout_s + 1
        self._threads = ThreadPoolExecutor(min(MAX_THREADS, len(self._districts) + 1), "snapshot")

    def read(self, wanted: Wanted) -> dict[Target, BothSides | SnapshotUnavailable]:
        """See the port."""
        state = self._threads.submit(self._read_side, self._state, self._theirs, list(wanted), wanted)
        districts: list[tuple[Database, Future[dict[Target, _Read]]]] = []
        for district_id in dict.fromkeys(district_id for district_id, _ in wanted):
            database = self._districts[district_id]
            targets = [target for target in wanted if target[0] == district_id]
            districts.append((database, self._threads.submit(self._read_side, database, self._ours, targets, wanted)))
        theirs = self._wait(self._state, state, wanted)
        ours: dict[Target, _Read] = {}
        for database, future in districts:
            ours |= self._wait(database, future, (t for t in wanted if self._districts[t[0]] is database))
        return {target: self._both(target, ours[target], theirs[target]) for target in wanted}

    def children(self, district_id: str, object_name: str, parent_keys: Sequence[str], limit: int) -> list[str]:
        """See the port."""
        parameters = {"district_id": district_id, "limit": limit}
        ours, theirs = self._below[object_name]
        sides = ((self._districts[district_id], ours), (self._state, theirs))
        asked = [
            (db, self._threads.submit(rows_below, db, statement, parameters, list(parent_keys)))
            for db, statement in sides
        ]
        keys: dict[str, None] = {}
        for database, future in asked:
            keys.update((row[0], None) for row in answer(database, future, self._patience_s))
        return list(keys)

    @property
    def districts(self) -> Mapping[str, Database]:
        """To be watched, not to be read."""
        return self._districts

    @property
    def state(self) -> Database:
        return self._state

    @property
    def patience_s(self) -> float:
        return self._patience_s

    def disconnect(self) -> None:
        """While nobody reads; whoever does then connects again."""
        for database in (*self._districts.values(), self._state):
            database.disconnect()

    def abandon(self) -> None:
        """Breaks all reads; nothing more is to be read."""
        for database in (*self._districts.values(), self._state):
            database.abandon()

    def close(self) -> None:
        self.abandon()
        self._threads.shutdown()
        for database in (*self._districts.values(), self._state):
            database.close()

    def _wait(
        self, database: Database, future: "Future[dict[Target, _Read]]", targets: Iterable[Target]
    ) -> "dict[Target, _Read]":
        try:
            return answer(database, future, self._patience_s)
        except SnapshotUnavailable as fault:
            return dict.fromkeys(targets, fault)

    def _read_side(
        self, database: Database, questions: "dict[str, Question]", targets: list[Target], wanted: Wanted
    ) -> "dict[Target, _Read]":
        reads: dict[Target, _Read] = {}
        for target in targets:
            district_id, object_name = target
            question = questions[object_name]
            try:
                reads[target] = question.put(database, district_id, list(wanted[target]))
            except SnapshotImpossible as fault:
                reads[target] = SnapshotImpossible(f"{fault} (table {question.table})")
            except SnapshotUnavailable as fault:
                reads[target] = fault
        return reads

    def _both(self, target: Target, ours: "_Read", theirs: "_Read") -> BothSides | SnapshotUnavailable:
        if isinstance(ours, SnapshotUnavailable):
            return ours
        if isinstance(theirs, SnapshotUnavailable):
            return theirs
        version = DistrictVersion(self._epochs[target[0]], ours.rows[0][0], ours.rows[0][1])
        return BothSides(
            DistrictRead(rows_by_key(ours.rows), ours.read_at, version, faults=ours.faults),
            SideRead(rows_by_key(theirs.rows), theirs.read_at, faults=theirs.faults),
        )


_Read: TypeAlias = Given | SnapshotUnavailable


def rows_by_key(rows: list[TupleRow]) -> dict[str, tuple[Row, ...]]:
    """In time that grows with the rows, though one key may have very many of them."""
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        if row[2] is not None:
            by_key.setdefault(row[2], []).append(row[3:])
    return {key: tuple(found) for key, found in by_key.items()}
