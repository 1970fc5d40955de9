import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.integration.store.world import World


def _stack_settings() -> dict[str, str]:
    """The environment's, else those of the local stack."""
    file = Path(".local/stack.env")
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
    stack = {name: value.strip("'\"") for name, value in pairs}
    return stack | {name: value for name, value in os.environ.items() if name.startswith("RESYNC_")}


@pytest.fixture(scope="session")
def stack_settings() -> dict[str, str]:
    return _stack_settings()


@pytest.fixture
def database(stack_settings: dict[str, str]) -> Iterator[str]:
    """DSN of an empty database."""
    server = stack_settings["RESYNC_HISTORY_DSN"]
    name = f"t{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    yield make_conninfo(server, dbname=name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def world(stack_settings: dict[str, str], database: str, request: pytest.FixtureRequest) -> Iterator[World]:
    """Parametrize indirectly with topic settings to have them differ from a plain compacted topic."""
    made = World(stack_settings["RESYNC_BOOTSTRAP_SERVERS"], database, getattr(request, "param", {}))
    yield made
    made.close()
