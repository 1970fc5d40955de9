"""Tables filled anew from the topic, beside the live ones: to be swapped in, or to be compared with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any, Self

import psycopg
from psycopg import sql

from processor.adapters.postgres.history_connection import LIVE_SCHEMA, connect, faults_as_unavailable
from processor.adapters.postgres.history_indexes import drop_indexes
from processor.adapters.postgres.history_rows import COLUMNS, PRIMARY_KEY, TALLY
from processor.adapters.postgres.history_schema import create_tables, migrate, replace_views, schema_version, script
from processor.adapters.postgres.history_tables import PostgresTables, PostgresTransaction, stored_offsets
from processor.service.history_ports import StoredOffset, StoreUnavailable
from processor.service.verify_replay import Row, TablePair

NEXT_SCHEMA = "resync_store_next"
OLD_SCHEMA = "resync_store_old"
VERIFY_SCHEMA = "resync_store_verify"

REBUILD_LOCK = 0x5E1EC75B
"""Key of the advisory lock that the one rebuild of a database holds."""

SWAP_TRIES = 20
SWAP_LOCK_TIMEOUT = "3s"
PAGE = 5_000

COUNTED = """
select request_id, district_id, object, status, coalesce(reason, '') as reason, count(*), count(asked_as)
from outcomes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
"""
"""What the tallies have to be: counted from the very outcomes that were compared with the topic."""

DIGESTS = {"record": sql.SQL("sha256(record)")}
"""What columns are compared by that are so large that a page of rows would not fit into the memory."""


class RebuildRunning(Exception):
    """Another replay or verification is going on in this database."""


class _Rebuild:
    """A context manager: leaves nothing of its own behind, except tables that were swapped in."""

    schema: str

    def __init__(self, dsn: str, application_name: str) -> None:
        self._dsn = dsn
        self._application_name = application_name
        self._tables = PostgresTables(dsn, application_name, self.schema)
        self._opened = ExitStack()
        self._indexes: Sequence[str] = ()
        self._guard: psycopg.Connection

    def __enter__(self) -> Self:
        with faults_as_unavailable("beginning a rebuild"), ExitStack() as opened:
            self._guard = self._connect(LIVE_SCHEMA, opened)
            migrate(self._guard)
            row = self._guard.execute("select pg_try_advisory_lock(%s)", (REBUILD_LOCK,)).fetchone()
            if row is None or not row[0]:
                raise RebuildRunning(
                    "another `resync replay` is going on in this database: let it end, or stop it, and try again"
                )
            # Not left to the end of the connection, which the server may notice later than the next rebuild begins.
            opened.callback(self._guard.execute, "select pg_advisory_unlock(%s)", (REBUILD_LOCK,))
            self._drop_leftovers()
            opened.callback(self._drop_leftovers)
            opened.callback(self._tables.disconnect)
            self._open_more(opened)
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with faults_as_unavailable("ending a rebuild"):
            self._opened.close()

    def begin(self, offsets: Mapping[int, int], topic_id: str) -> None:
        with faults_as_unavailable("making empty tables"), self._guard.transaction():
            create_tables(self._guard, self.schema)
            self._indexes = drop_indexes(self._guard, self.schema)
        self._tables.offsets(offsets, topic_id)

    def transaction(self) -> AbstractContextManager[PostgresTransaction]:
        return self._tables.transaction()

    def complete(self) -> None:
        with faults_as_unavailable("making indexes and statistics"):
            self._make_indexes()
            for table in (*COLUMNS, "tallies"):
                self._guard.execute(sql.SQL("analyze {}").format(sql.Identifier(self.schema, table)))

    def cancel(self) -> None:
        with faults_as_unavailable("cancelling what is made"):
            self._guard.cancel_safe()

    def _make_indexes(self) -> None:
        for definition in self._indexes:
            self._guard.execute(definition.encode())

    def _open_more(self, opened: ExitStack) -> None:
        """What else a rebuild needs; closed before its tables are dropped."""

    def _connect(self, schema: str, opened: ExitStack) -> psycopg.Connection:
        connection = connect(self._dsn, self._application_name, schema, statement_timeout_s=0)
        opened.callback(connection.close)
        return connection

    def _drop_leftovers(self) -> None:
        for schema in (self.schema, OLD_SCHEMA):
            self._guard.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


class PostgresSwap(_Rebuild):
    """Replaces the live tables. Readers of the views wait only for the moment of the swap itself."""

    schema = NEXT_SCHEMA

    def live_offsets(self) -> Mapping[int, StoredOffset]:
        with faults_as_unavailable("reading the offsets"):
            return stored_offsets(self._guard)

    def swap(self) -> None:
        """Tried again while a long query holds a view or a table. The old tables are dropped afterwards."""
        self._tables.disconnect()
        with faults_as_unavailable("swapping the tables: queries on the views may be holding them"):
            for _ in range(SWAP_TRIES - 1):
                with suppress(psycopg.errors.LockNotAvailable):
                    return self._swap_once()
            return self._swap_once()

    def _swap_once(self) -> None:
        guard = self._guard
        with guard.transaction():
            guard.execute("select set_config('lock_timeout', %s, true)", (SWAP_LOCK_TIMEOUT,))
            guard.execute("lock table resync_store.offsets in access exclusive mode")
            if schema_version(guard, LIVE_SCHEMA) != schema_version(guard, NEXT_SCHEMA):
                raise StoreUnavailable("the live tables were migrated during the replay: run it again")
            guard.execute(script("history_swap.sql"))
            replace_views(guard)


class PostgresVerify(_Rebuild):
    """Holds a snapshot of the live tables from the first look at their offsets until the end."""

    schema = VERIFY_SCHEMA

    _snapshot: psycopg.Connection
    _side: psycopg.Connection

    def _open_more(self, opened: ExitStack) -> None:
        self._snapshot = self._connect(LIVE_SCHEMA, opened)
        self._side = self._connect(VERIFY_SCHEMA, opened)
        for connection in (self._snapshot, self._side):
            connection.execute("set idle_in_transaction_session_timeout = 0")

    def live_offsets(self) -> Mapping[int, StoredOffset]:
        with faults_as_unavailable("holding a snapshot"):
            self._snapshot.execute("begin isolation level repeatable read, read only")
            return stored_offsets(self._snapshot)

    def begin(self, offsets: Mapping[int, int], topic_id: str) -> None:
        super().begin(offsets, topic_id)
        self._side.execute('create table newer (record_key text collate "C" primary key)')

    def _make_indexes(self) -> None:
        """None: rows are compared in the order of their primary keys."""

    def note_newer(self, record_keys: Iterable[str]) -> None:
        with faults_as_unavailable("noting newer records"):
            self._side.execute(
                "insert into newer select unnest(%s::text[]) on conflict do nothing", (list(record_keys),)
            )

    def is_newer(self, record_key: str) -> bool:
        query = "select exists (select from newer where record_key = %s)"
        with faults_as_unavailable("looking up newer records"):
            row = self._side.execute(query, (record_key,)).fetchone()
        return bool(row and row[0])

    def pairs(self) -> Iterator[TablePair]:
        self._tables.disconnect()
        for table, columns in COLUMNS.items():
            query = _all_of(table, columns)
            with (
                self._rows(self._snapshot, table, query) as live,
                self._rows(self._side, table, query) as rebuilt,
            ):
                yield TablePair(table, columns, live, rebuilt)
        with (
            self._rows(self._snapshot, "tallies", _all_of("tallies", TALLY)) as live,
            self._rows(self._snapshot, "tallies", sql.SQL(COUNTED)) as counted,
        ):
            yield TablePair("tallies", TALLY, live, counted)

    @contextmanager
    def _rows(
        self, connection: psycopg.Connection, table: str, query: sql.SQL | sql.Composed
    ) -> Iterator[Iterator[Row]]:
        if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            connection.execute("begin")
        name = f"all_{table}_{id(query)}"
        with faults_as_unavailable("comparing rows"), connection.cursor(name, withhold=False) as cursor:
            cursor.itersize = PAGE
            yield (_row(values, PRIMARY_KEY[table]) for values in cursor.execute(query))


def _all_of(table: str, columns: Sequence[str]) -> sql.Composed:
    names = sql.SQL(", ").join(DIGESTS.get(column, sql.Identifier(column)) for column in columns)
    order = sql.SQL(", ").join(map(sql.Identifier, columns[: PRIMARY_KEY[table]]))
    return sql.SQL("select {} from {} order by {}").format(names, sql.Identifier(table), order)


def _row(values: tuple[Any, ...], size: int) -> Row:
    return Row(values[:size], values)
