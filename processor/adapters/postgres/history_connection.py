"""Connections to the history database, and which of its faults mean that it is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from processor.service.history_ports import StoreUnavailable

LIVE_SCHEMA = "resync_store"

_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def connect(dsn: str, application_name: str, schema: str, statement_timeout_s: float = 60.0) -> psycopg.Connection:
    """Unqualified tables are those of `schema`. Transactions left idle for 2 s are ended by the server (ADR 0031).

    The connection's own options win over those of the DSN: the store's locks rest on them.
    """
    connection = psycopg.connect(
        dsn, application_name=application_name, prepare_threshold=None, autocommit=True, **_OPTIONS
    )
    settings = {
        "search_path": schema,
        "timezone": "UTC",
        "datestyle": "ISO",
        "idle_in_transaction_session_timeout": "2s",
        "statement_timeout": f"{int(statement_timeout_s * 1000)}ms",
    }
    for name, value in settings.items():
        connection.execute("select set_config(%s, %s, false)", (name, value))
    return connection


@contextmanager
def faults_as_unavailable(what: str) -> Iterator[None]:
    """Faults of the server or the network become StoreUnavailable; faults of the data or of us pass as they are."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as fault:
        state = getattr(fault, "sqlstate", None) or "no answer"
        raise StoreUnavailable(
            f"the history database did not carry out {what} ({type(fault).__name__}, {state}); "
            "check that it runs and that RESYNC_HISTORY_DSN reaches it"
        ) from fault


def named(schema: str) -> sql.Identifier:
    return sql.Identifier(schema)
