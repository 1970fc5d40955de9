import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.integration.applier.world import World

_TABLES = Path(__file__).parent / "tables.sql"


@pytest.fixture(scope="session")
def template(stack_settings: dict[str, str]) -> Iterator[tuple[str, str]]:
    """DSN of the server and the name of a database to copy."""
    server, name = stack_settings["RESYNC_STATE_DSN"], f"applier_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template0 encoding utf8").format(sql.Identifier(name)))
    with psycopg.connect(make_conninfo(server, dbname=name)) as connection:
        connection.execute(_TABLES.read_bytes())
    yield server, name
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def world(template: tuple[str, str]) -> Iterator[World]:
    server, model = template
    name = f"{model}_{uuid.uuid4().hex[:6]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template {}").format(*map(sql.Identifier, (name, model))))
    made = World(make_conninfo(server, dbname=name))
    try:
        made.writer.ensure_schema()
        yield made
    finally:
        made.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
