"""Reads the district's and the state's rows of many keys, all databases at the same time.

Each database has one connection, so its reads are serial; or as many as the catalog says, which share out the keys
(ADR 0222).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
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
LEAST_SHARE = 100
"""Keys of which a share is worth a statement of its own."""

Target: TypeAlias = tuple[str, str]
Share: TypeAlias = tuple[Target, int]
"""Of the keys of a target: one reader's at the district, and one's at the state."""
Shares: TypeAlias = Mapping[Share, Sequence[str]]
Reading: TypeAlias = "list[tuple[Database, Shares, Future[dict[Share, _Read]]]]"


class PostgresSnapshots:
    """The `Snapshots` port on Postgres."""

    def __init__(self, catalog: Catalog, state_dsn: str, options: ReaderOptions, *, are_many: bool = False) -> None:
        """`are_many`: each database has as many readers as the catalog says, not one."""

        def readers(name: str, dsn: str, number: int, side: str) -> list[Database]:
            return [Database(name, dsn, options, side) for _ in range(number if are_many else 1)]

        self._districts = {
            d.district_id: readers(f"district {d.district_id}", d.dsn, d.readers, "district")
            for d in catalog.districts.values()
        }
        self._epochs = {d.district_id: d.epoch for d in catalog.districts.values()}
        self._state = readers("state", state_dsn, catalog.limits.readers, "state")
        self._readers = [*chain.from_iterable(self._districts.values()), *self._state]
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
        self._threads = ThreadPoolExecutor(min(MAX_THREADS, len(self._readers)), "snapshot")

    def read(self, wanted: Wanted) -> dict[Target, list[BothSides] | SnapshotUnavailable]:
        """See the port."""
        shares = {
            (target, turn): keys
            for target, asked in wanted.items()
            for turn, keys in enumerate(_shared_out(asked, len(self._districts[target[0]])))
        }
        reading_theirs = self._begin(shares, self._theirs, lambda _: self._state)
        reading_ours = self._begin(shares, self._ours, lambda district_id: self._districts[district_id])
        theirs, ours = self._end(reading_theirs), self._end(reading_ours)
        found: dict[Target, list[BothSides]] = {target: [] for target in wanted}
        faults: dict[Target, SnapshotUnavailable] = {}
        for share, keys in shares.items():
            target, _ = share
            both = self._both(target[0], keys, ours[share], theirs[share])
            if isinstance(both, SnapshotUnavailable):
                faults.setdefault(target, both)
            else:
                found[target].append(both)
        return {**found, **faults}

    def children(self, district_id: str, object_name: str, parent_keys: Sequence[str], limit: int) -> list[str]:
        """See the port."""
        parameters = {"district_id": district_id, "limit": limit}
        ours, theirs = self._below[object_name]
        sides = ((self._districts[district_id][0], ours), (self._state[0], theirs))
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
        """The first reader of each."""
        return {district_id: readers[0] for district_id, readers in self._districts.items()}

    def readers(self, district_id: str) -> tuple[Sequence[Database], Sequence[Database]]:
        """The district's, and the state's."""
        return self._districts[district_id], self._state

    @property
    def state(self) -> Database:
        return self._state[0]

    @property
    def patience_s(self) -> float:
        return self._patience_s

    def disconnect(self) -> None:
        """While nobody reads; whoever does then connects again."""
        for database in self._readers:
            database.disconnect()

    def abandon(self) -> None:
        """Breaks all reads; nothing more is to be read."""
        for database in self._readers:
            database.abandon()

    def close(self) -> None:
        self.abandon()
        self._threads.shutdown()
        for database in self._readers:
            database.close()

    def _begin(
        self, shares: Shares, questions: "Mapping[str, Question]", readers_of: Callable[[str], Sequence[Database]]
    ) -> Reading:
        """Each reader of a side has its shares, one after the other."""
        jobs: dict[Database, dict[Share, Sequence[str]]] = {}
        for share, keys in shares.items():
            (district_id, _), turn = share
            readers = readers_of(district_id)
            jobs.setdefault(readers[turn % len(readers)], {})[share] = keys
        return [(db, own, self._threads.submit(_read_shares, db, questions, own)) for db, own in jobs.items()]

    def _end(self, reading: Reading) -> "dict[Share, _Read]":
        reads: dict[Share, _Read] = {}
        for database, own, future in reading:
            try:
                given = answer(database, future, self._patience_s)
            except SnapshotUnavailable as fault:
                given = dict.fromkeys(own, fault)
            reads |= given
        return reads

    def _both(
        self, district_id: str, keys: Sequence[str], ours: "_Read", theirs: "_Read"
    ) -> BothSides | SnapshotUnavailable:
        if isinstance(ours, SnapshotUnavailable):
            return ours
        if isinstance(theirs, SnapshotUnavailable):
            return theirs
        version = DistrictVersion(self._epochs[district_id], ours.rows[0][0], ours.rows[0][1])
        return BothSides(
            keys,
            DistrictRead(rows_by_key(ours.rows), ours.read_at, version, faults=ours.faults),
            SideRead(rows_by_key(theirs.rows), theirs.read_at, faults=theirs.faults),
        )


_Read: TypeAlias = Given | SnapshotUnavailable


def _shared_out(keys: Sequence[str], readers: int) -> Iterator[Sequence[str]]:
    size = max(LEAST_SHARE, -(-len(keys) // readers))
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _read_shares(database: Database, questions: "Mapping[str, Question]", shares: Shares) -> "dict[Share, _Read]":
    reads: dict[Share, _Read] = {}
    for share, keys in shares.items():
        (district_id, object_name), _ = share
        question = questions[object_name]
        try:
            reads[share] = question.put(database, district_id, keys)
        except SnapshotImpossible as fault:
            reads[share] = SnapshotImpossible(f"{fault} (table {question.table})")
        except SnapshotUnavailable as fault:
            reads[share] = fault
    return reads


def rows_by_key(rows: list[TupleRow]) -> dict[str, tuple[Row, ...]]:
    """In time that grows with the rows, though one key may have very many of them."""
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        if row[2] is not None:
            by_key.setdefault(row[2], []).append(row[3:])
    return {key: tuple(found) for key, found in by_key.items()}
