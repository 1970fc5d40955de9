"""Reads the district's and the state's rows of many keys, all databases at the same time.

Each database has one connection, so its reads are serial; or as many as the catalog says, which share out the keys
(ADR 0222).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from processor.adapters.postgres.database import Database, ReaderOptions
from processor.adapters.postgres.known_digests import KnownDigests
from processor.adapters.postgres.patience import answer
from processor.adapters.postgres.same_rows import SameRows
from processor.adapters.postgres.shares import Both, Readers
from processor.adapters.postgres.snapshot_question import Given, Question, rows_below
from processor.adapters.postgres.snapshot_sql import (
    district_children_statement,
    district_statement,
    packed_district_statement,
    packed_state_statement,
    state_children_statement,
    state_statement,
)
from processor.core.catalog import Catalog, Table
from processor.core.snapshot import DistrictRead, DistrictVersion, SameRead, SideRead
from processor.service.ports import NONE_WANTED, BothSides, SnapshotUnavailable, Target, Wanted

MAX_THREADS = 32
A = TypeVar("A")
G = TypeVar("G")


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
        self._kinds = catalog.objects
        self._epochs = {d.district_id: d.epoch for d in catalog.districts.values()}
        self._state = readers("state", state_dsn, catalog.limits.readers, "state")
        self._readers = [*chain.from_iterable(self._districts.values()), *self._state]
        self._ours = {
            name: Question(kind, kind.district.name, district_statement, packed_district_statement)
            for name, kind in catalog.objects.items()
        }
        self._theirs = {
            name: Question(kind, kind.state.name, state_statement, packed_state_statement)
            for name, kind in catalog.objects.items()
        }
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
        self._shared = Readers(self._districts, self._state, self._threads, self._patience_s)
        self._same_rows = SameRows(catalog, self._shared, KnownDigests(catalog, self.asked_of_both))

    def read(
        self, wanted: Wanted, by_rows: Wanted = NONE_WANTED
    ) -> dict[Target, list[BothSides | SameRead] | SnapshotUnavailable]:
        """See the port."""
        glance = self._same_rows.of(wanted, by_rows)
        found: dict[Target, list[BothSides | SameRead]] = {target: [*glance.same.get(target, ())] for target in wanted}
        faults = glance.faults
        for read in self._shared.both(
            glance.left, lambda target: self._ours[target[1]], lambda target: self._theirs[target[1]]
        ):
            if isinstance(read, Both):
                found[read.target] += self._told(read, by_rows.get(read.target, ()))
            else:
                faults.setdefault(read.target, read.fault)
        return {**found, **faults}

    def children(self, district_id: str, object_name: str, parent_keys: Sequence[str], limit: int) -> list[str]:
        """See the port."""
        parameters = {"district_id": district_id, "limit": limit}
        read = partial(rows_below, parameters=parameters, keys=list(parent_keys))
        found = self._of_both(district_id, read, *self._below[object_name])
        return list(dict.fromkeys(row[0] for rows in found for row in rows))

    def asked_of_both(self, district_id: str, object_name: str, read: Callable[[Database, Table], Any]) -> list[Any]:
        """What each side gives, the district first. Raises SnapshotUnavailable."""
        kind = self._kinds[object_name]
        return self._of_both(district_id, read, kind.district, kind.state)

    def _of_both(self, district_id: str, read: Callable[[Database, A], G], ours: A, theirs: A) -> list[G]:
        """Both sides at the same time, each by what it is asked with."""
        places = ((self._districts[district_id][0], ours), (self._state[0], theirs))
        asked = [(database, self._threads.submit(read, database, given)) for database, given in places]
        return [answer(database, future, self._patience_s) for database, future in asked]

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

    def _told(self, read: Both[Given], needed: Sequence[str]) -> Iterator[BothSides | SameRead]:
        """What both sides hold; but for the `needed` ones, keys with the same text on both apart."""
        (district_id, name), keys, ours, theirs = read
        version = DistrictVersion(self._epochs[district_id], ours.xmax, ours.in_progress)
        if ours.texts and theirs.texts and not self._kinds[name].ambiguous:
            held, apart = theirs.texts, set(needed)
            same = [key for key, text in ours.texts.items() if held.get(key) == text and key not in apart]
            if same:
                yield SameRead(same, version, ours.read_at, theirs.read_at)
                among = set(same)
                keys = [key for key in keys if key not in among]
        if keys:
            yield BothSides(
                keys,
                DistrictRead(ours.rows(keys), ours.read_at, version, faults=ours.faults),
                SideRead(theirs.rows(keys), theirs.read_at, faults=theirs.faults),
            )
