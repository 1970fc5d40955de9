"""One database as a reader sees it: a connection that is made when needed, and a gate while it is away."""

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

import psycopg
from psycopg import Connection, Cursor, sql
from psycopg.rows import TupleRow

from processor import metrics
from processor.adapters.postgres.raised import is_of_a_row
from processor.service.ports import ReadTimedOut, SnapshotImpossible, SnapshotUnavailable

MIN_WAIT_S = 1.0
MAX_WAIT_S = 60.0
FETCHED_AT_ONCE = 500
"""Rows that become Python's without other threads having their turn in between."""
_PING = sql.SQL("select 1").format()
_OF_THE_CATALOG = ("42", "3F")
"""Classes of errors by which a statement does not fit the database: names, types, rights. Ours name no value."""


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """How a reader connects. `application_name` is what the database's owner sees."""

    application_name: str
    statement_timeout_s: float
    connect_timeout_s: int
    rests_after_timeout: bool = True
    """Leaves a database alone for a while that is there and ended a statement: others wait for each that it ends."""


class Unreadable(Exception):
    """A key, or a value of a row, that this database or its encoding cannot hold or give; the connection is well."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(sqlstate or "no text")
        self.sqlstate = sqlstate


class Gate:
    """Keeps a database that failed from being asked again at once.

    A failure closes the gate for ten times as long as the failure took, at least a second and at most a minute: a
    slow database costs its neighbours a tenth of the time at most.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._closed_until = 0.0

    def is_closed(self) -> bool:
        return self._clock() < self._closed_until

    def failed(self, took_s: float) -> None:
        self._closed_until = self._clock() + min(MAX_WAIT_S, max(MIN_WAIT_S, 10 * took_s))

    def succeeded(self) -> None:
        self._closed_until = 0.0


class Database:
    """A read-only connection to one database. A second thread waits; `abandon` and `is_up` do not.

    `side` is the metrics' name for the kind of database.
    """

    def __init__(self, name: str, dsn: str, options: ReaderOptions, side: str = "district") -> None:
        self.name = name
        self.is_up: bool | None = None
        """Whether it answered when last asked; None where nobody asked yet."""
        self.asked_at = float("-inf")
        """On the monotonic clock."""
        self._side = side
        self._lock = Lock()
        self._dsn = dsn
        self._options = options
        self._gate = Gate()
        self.active_at = 0.0
        """On the monotonic clock: when the last statement began."""
        self._connection: Connection[TupleRow] | None = None

    def rows(
        self,
        statement: sql.Composed,
        parameters: Mapping[str, Any],
        settings: sql.SQL | None = None,
        *,
        binary: bool = False,
    ) -> list[TupleRow]:
        """All rows of a statement, under settings of its own. Raises SnapshotUnavailable, which names the fault.

        No message holds a value. Raises ReadTimedOut where the server ended the statement, and Unreadable.
        """
        with self._lock:
            started = self.active_at = time.monotonic()
            try:
                rows = self._rows(statement, parameters, settings, binary=binary)
            except SnapshotUnavailable:
                metrics.SNAPSHOT_FAILURES.labels(self._side).inc()
                raise
            metrics.SNAPSHOT_READ.labels(self._side).observe(time.monotonic() - started)
            return rows

    def ping(self) -> None:
        """Finds out whether the database is there, unless it is being read or left alone just now."""
        self.asked_at = time.monotonic()
        if not self._lock.acquire(blocking=False):
            return
        try:
            if not self._gate.is_closed():
                with suppress(SnapshotUnavailable):
                    self._rows(_PING, {})
        finally:
            self._lock.release()

    def _rows(
        self,
        statement: sql.Composed,
        parameters: Mapping[str, Any],
        settings: sql.SQL | None = None,
        *,
        binary: bool = False,
    ) -> list[TupleRow]:
        if self._gate.is_closed():
            raise SnapshotUnavailable(f"{self.name}: away; waiting before it is asked again")
        started = self.asked_at = time.monotonic()
        try:
            rows = self._executed(statement, parameters, settings, binary=binary)
        except UnicodeError as error:
            self._answered()
            raise Unreadable(None) from error
        except psycopg.Error as error:
            if not is_of_a_row(error):
                raise self._away(error, started) from error
            self._answered()
            raise Unreadable(error.sqlstate) from error
        self._answered()
        return rows

    def _answered(self) -> None:
        self.is_up = True
        self._gate.succeeded()

    def _away(self, error: psycopg.Error, started: float) -> SnapshotUnavailable:
        """The connection is closed, and the database left alone for a while where it does not answer."""
        self.close()
        if isinstance(error, psycopg.OperationalError):
            self.is_up = False
            is_there = isinstance(error, psycopg.errors.QueryCanceled)
            if not is_there or self._options.rests_after_timeout:
                self._gate.failed(time.monotonic() - started)
            fault = ReadTimedOut if is_there else SnapshotUnavailable
            return fault(f"{self.name}: {_fault(error)}")
        lasting = (error.sqlstate or "").startswith(_OF_THE_CATALOG)
        kind = SnapshotImpossible if lasting else SnapshotUnavailable
        return kind(f"{self.name}: {_fault(error)}; check the catalog against the database")

    def _executed(
        self, statement: sql.Composed, parameters: Mapping[str, Any], settings: sql.SQL | None, *, binary: bool
    ) -> list[TupleRow]:
        connection = self._connected()
        if settings is None:
            return _fetched(connection.execute(statement, parameters, binary=binary))
        with connection.transaction():
            connection.execute(settings)
            return _fetched(connection.execute(statement, parameters, binary=binary))

    def abandon(self) -> None:
        """Breaks a read that does not end; its thread then sees a lost connection."""
        connection = self._connection
        if connection is not None and not connection.closed:
            # The server, or the thread that reads, may have gone first.
            gone = suppress(OSError, psycopg.Error)
            with gone, socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as wire:
                wire.shutdown(socket.SHUT_RDWR)

    def disconnect(self) -> None:
        """Waits for a read to end."""
        with self._lock:
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection[TupleRow]:
        if self._connection is None or self._connection.closed:
            milliseconds = int(self._options.statement_timeout_s * 1000)
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                application_name=self._options.application_name,
                # Whatever the database's encoding: keys of any characters can be asked for, and all texts compare.
                client_encoding="utf8",
                connect_timeout=self._options.connect_timeout_s,
                tcp_user_timeout=milliseconds,
                keepalives_idle=10,
                options=(
                    f"-c statement_timeout={milliseconds} -c default_transaction_read_only=on"
                    " -c TimeZone=UTC -c DateStyle=ISO,YMD -c extra_float_digits=1 -c jit=off"
                    " -c log_parameter_max_length_on_error=0"
                ),
            )
            standby = self._connection.execute("SELECT pg_is_in_recovery()").fetchone()
            if standby is None or standby[0]:
                self.close()
                self.is_up = False
                raise SnapshotUnavailable(f"{self.name}: is a standby; snapshots are ordered at the primary only")
        return self._connection


def _fetched(cursor: Cursor[TupleRow]) -> list[TupleRow]:
    rows: list[TupleRow] = []
    while some := cursor.fetchmany(FETCHED_AT_ONCE):
        rows += some
    return rows


def _fault(error: psycopg.Error) -> str:
    """The kind of fault, by SQLSTATE where the server gave one; a server's message may hold values.

    Not where our statement does not fit the database: then it holds names of the catalog.
    """
    if error.sqlstate is not None:
        what = f": {error.diag.message_primary}" if error.sqlstate.startswith(_OF_THE_CATALOG) else ""
        return f"{type(error).__name__} ({error.sqlstate}){what}"
    return "cannot be reached"
