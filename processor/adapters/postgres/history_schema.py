"""Makes and changes the store's tables: numbered SQL files, each carried out once a schema (ADR 0032)."""

import hashlib
from importlib.resources import files

import psycopg
from psycopg import sql

from processor.adapters.postgres.history_connection import LIVE_SCHEMA

MIGRATION_LOCK = 0x5E1EC75A
"""Key of the advisory lock under which one process at a time makes tables."""

_SQL = files("processor.adapters.postgres") / "sql"


class SchemaTooNew(Exception):
    """The tables were made by a newer release than this one."""


def script(name: str) -> bytes:
    """Text of a file in sql/, as psycopg takes it."""
    return (_SQL / name).read_bytes()


def migrations() -> list[tuple[int, str]]:
    """Number and path of each migration, in order."""
    names = sorted(entry.name for entry in (_SQL / "history").iterdir() if entry.name.endswith(".sql"))
    return [(int(name.split("_")[0]), f"history/{name}") for name in names]


def migrate(connection: psycopg.Connection) -> int:
    """Bring the live tables and the public views to this release's form. Returns how many migrations ran.

    Safe to call from several processes at once; asks for no lock and no right where nothing is to be done. Raises
    SchemaTooNew.
    """
    if _is_current(connection):
        return 0
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        ran = create_tables(connection, LIVE_SCHEMA)
        replace_views(connection)
    return ran


def replace_views(connection: psycopg.Connection) -> None:
    """Within the caller's transaction: the public views on the tables that are live now."""
    connection.execute(script("history_views.sql"))
    connection.execute(sql.SQL("comment on schema history is {}").format(sql.Literal(_views_mark())))


def _views_mark() -> str:
    return "views " + hashlib.sha256(script("history_views.sql")).hexdigest()


def _is_current(connection: psycopg.Connection) -> bool:
    made = connection.execute("select to_regclass(%s)", (f"{LIVE_SCHEMA}.migrations",)).fetchone()
    mark = connection.execute("select obj_description(to_regnamespace('history'), 'pg_namespace')").fetchone()
    if made is None or made[0] is None or mark is None or mark[0] != _views_mark():
        return False
    return schema_version(connection, LIVE_SCHEMA) == migrations()[-1][0]


def create_tables(connection: psycopg.Connection, schema: str) -> int:
    """Within the caller's transaction: this release's tables in `schema`."""
    name = sql.Identifier(schema)
    connection.execute(sql.SQL("create schema if not exists {}").format(name))
    connection.execute("select set_config('search_path', %s, true)", (schema,))
    connection.execute(
        "create table if not exists migrations"
        " (version integer primary key, name text not null, applied_at timestamptz not null default now())"
    )
    applied = schema_version(connection, schema)
    known = migrations()
    if applied > known[-1][0]:
        raise SchemaTooNew(
            f"the tables in schema {schema} are of version {applied}, this release knows {known[-1][0]}: "
            "run the newer release, or `resync replay` after dropping the schema"
        )
    ran = 0
    for version, path in known:
        if version > applied:
            connection.execute(script(path))
            connection.execute("insert into migrations (version, name) values (%s, %s)", (version, path))
            ran += 1
    return ran


def schema_version(connection: psycopg.Connection, schema: str) -> int:
    query = sql.SQL("select coalesce(max(version), 0) from {}.migrations").format(sql.Identifier(schema))
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
