"""A history database of a test's own, filled as the store fills it, and the console script that reads it."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.integration.history.told import Told
from tests.integration.store.world import World


@pytest.fixture
def database(stack_settings: dict[str, str]) -> Iterator[str]:
    server = stack_settings["RESYNC_HISTORY_DSN"]
    name = sql.Identifier(f"t{uuid.uuid4().hex[:10]}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(name))
    yield make_conninfo(server, dbname=name.as_string().strip('"'))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
def told(database: str) -> Iterator[Told]:
    made = Told(database)
    yield made
    made.close()


@pytest.fixture
def world(stack_settings: dict[str, str], database: str) -> Iterator[World]:
    made = World(stack_settings["RESYNC_BOOTSTRAP_SERVERS"], database)
    yield made
    made.close()
