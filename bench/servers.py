"""What the servers themselves tell of the roles: statements, rows, connections, scans of whole tables.

Counted by `pg_stat_statements`, `pg_stat_activity` and `pg_stat_user_tables`, and asked in the database `postgres`,
which no role knows.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from bench.world import DISTRICT, Run
from stack import config, postgres, registry, services
from stack.layout import Stack

SERVERS = (DISTRICT, "state")
LOOK_EVERY_S = 0.01
STATEMENTS = """
select
    d.datname, s.query ~* '^\\s*(select|insert|update|delete|merge|with|copy|explain)\\M',
    sum(s.calls)::bigint, sum(s.rows)::bigint
from pg_stat_statements s join pg_database d on d.oid = s.dbid group by 1, 2
"""
CONNECTIONS = """
select datname, application_name, count(*) from pg_stat_activity
where backend_type = 'client backend' and application_name like 'resync/%' group by 1, 2
"""
SCANS = "select coalesce(sum(seq_scan), 0)::bigint from pg_stat_user_tables where relname = %s"


@dataclass(slots=True)
class Touched:
    """Statements that read or write rows, the rows of these, and all other statements (`begin`, `set`, `commit`)."""

    calls: int = 0
    rows: int = 0
    others: int = 0

    def a_key(self, keys: int) -> dict[str, float]:
        """To three digits."""
        counts = {"calls": self.calls, "rows": self.rows, "others": self.others}
        return {name: float(f"{count / keys:.3g}") for name, count in counts.items()}


def count_statements(stack: Stack) -> None:
    """Restarts the servers with what counts statements."""
    for server in SERVERS:
        dsn = postgres.dsn(stack, server, "postgres")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("alter system set shared_preload_libraries = 'pg_stat_statements'")
        services.restart(stack, config.district_server(server))
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("create extension if not exists pg_stat_statements")
    # It keeps connections to a server that has gone.
    services.restart(stack, registry.NAME)


def forget_statements(run: Run) -> None:
    with _servers(run.world.stack) as servers:
        for server in servers:
            server.execute("select pg_stat_statements_reset()")


def statements(run: Run) -> dict[str, Touched]:
    """By kind of database, since they were forgotten."""
    found: dict[str, Touched] = {}
    with _servers(run.world.stack) as servers:
        for server in servers:
            for database, of_rows, calls, rows in server.execute(STATEMENTS):
                if (kind := _kinds(run).get(database)) is not None:
                    add(found.setdefault(kind, Touched()), calls, rows, of_rows=of_rows)
    return found


def add(touched: Touched, calls: int, rows: int, *, of_rows: bool) -> None:
    if of_rows:
        touched.calls += calls
        touched.rows += rows
    else:
        touched.others += calls


@contextmanager
def most_connections(run: Run) -> Iterator[Mapping[str, int]]:
    """By kind of database and by application, the most that were there at one look; a look every 10 ms."""
    most: dict[str, int] = {}
    over = threading.Event()

    def look() -> None:
        kinds = _kinds(run)
        with _servers(run.world.stack) as servers:
            while not over.wait(LOOK_EVERY_S):
                for server in servers:
                    seen = {
                        f"{kinds.get(database, database)}: {application}": count
                        for database, application, count in server.execute(CONNECTIONS)
                    }
                    most.update({name: count for name, count in seen.items() if count > most.get(name, 0)})

    thread = threading.Thread(target=look, name="connections")
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def whole_scans(run: Run) -> dict[str, int]:
    """How often the objects' tables have been read from end to end; what open sessions did is not yet counted."""
    tables = {
        "bench_person": run.env[f"RESYNC_DISTRICT_DSN_{DISTRICT}"],
        "bench_state_person": run.env["RESYNC_STATE_DSN"],
    }
    found = {}
    for table, dsn in tables.items():
        with psycopg.connect(dsn) as connection:
            found[table] = int((connection.execute(SCANS, (table,)).fetchone() or [0])[0])
    return found


def _kinds(run: Run) -> Mapping[str, str]:
    """What the databases are for, by their names."""
    return {DISTRICT.lower(): "district", "state": "state", run.name: "history"}


@contextmanager
def _servers(stack: Stack) -> Iterator[list[Connection[TupleRow]]]:
    with ExitStack() as open_ones:
        dsns = [postgres.dsn(stack, server, "postgres") for server in SERVERS]
        yield [open_ones.enter_context(psycopg.connect(dsn, autocommit=True)) for dsn in dsns]
