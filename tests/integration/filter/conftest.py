import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.core.request import Side
from tests.integration.filter.world import World, tables


@pytest.fixture(scope="module")
def filled_dsn(stack_settings: dict[str, str]) -> Iterator[str]:
    server, name = stack_settings["RESYNC_STATE_DSN"], f"filter_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template0 encoding utf8").format(sql.Identifier(name)))
    dsn = make_conninfo(server, dbname=name)
    with psycopg.connect(dsn) as connection:
        connection.execute(tables().encode())
    yield dsn
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module", params=list(Side))
def world(request: pytest.FixtureRequest, filled_dsn: str) -> Iterator[World]:
    made = World(filled_dsn, request.param)
    yield made
    made.close()
