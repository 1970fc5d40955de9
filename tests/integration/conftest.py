import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.adapters.postgres.history_schema import migrate


@contextmanager
def new_database(server: str, template: str) -> Iterator[str]:
    """The DSN of a copy of the template, dropped at the end."""
    name = f"t{uuid.uuid4().hex[:10]}"
    create = sql.SQL("create database {} template {} strategy file_copy")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    yield make_conninfo(server, dbname=name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def database(stack_settings: dict[str, str]) -> Iterator[str]:
    """DSN of an empty database on the state's server."""
    with new_database(stack_settings["RESYNC_HISTORY_DSN"], "template1") as dsn:
        yield dsn


@pytest.fixture(scope="session")
def history_template(stack_settings: dict[str, str]) -> Iterator[str]:
    """Name of a database with the store's empty tables."""
    with new_database(stack_settings["RESYNC_HISTORY_DSN"], "template1") as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            migrate(connection)
            [(name,)] = connection.execute("select current_database()")
        yield name


@pytest.fixture
def history_database(stack_settings: dict[str, str], history_template: str) -> Iterator[str]:
    """DSN of a database with the store's empty tables."""
    with new_database(stack_settings["RESYNC_HISTORY_DSN"], history_template) as dsn:
        yield dsn
