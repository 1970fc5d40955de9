"""Databases of a deployment: copies of templates that a session makes once on each of the stack's servers."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from stack.layout import REPO

DISTRICTS = ("NORTH", "RIVER", "LAKE")
AUDIT = Path(__file__).with_name("audit.sql")
EDITS = Path(__file__).with_name("edits.sql")


@dataclass(frozen=True, slots=True)
class Templates:
    """`servers`: `state` and each district to a connection string. The state's server has the history too."""

    servers: Mapping[str, str]
    name: str

    @classmethod
    def make(cls, settings: Mapping[str, str]) -> "Templates":
        servers = {district: settings[f"RESYNC_DISTRICT_DSN_{district}"] for district in DISTRICTS}
        made = cls({"state": settings["RESYNC_STATE_DSN"], **servers}, f"e2e_{uuid.uuid4().hex[:8]}")
        for side, server in made.servers.items():
            _create(server, made.name)
            script = "state.sql" if side == "state" else "district.sql"
            with psycopg.connect(make_conninfo(server, dbname=made.name), autocommit=True) as connection:
                connection.execute((REPO / "demo" / "sql" / script).read_bytes())
                connection.execute((AUDIT if side == "state" else EDITS).read_bytes())
        return made

    def drop(self) -> None:
        for server in self.servers.values():
            _drop(server, self.name)

    @contextmanager
    def copies(self, name: str) -> Iterator[dict[str, str]]:
        """A database of that name on every server, and an empty one for the history: side to connection string."""
        dsns = {side: make_conninfo(server, dbname=name) for side, server in self.servers.items()}
        for server in self.servers.values():
            _create(server, name, self.name)
        _create(self.servers["state"], f"{name}_history")
        try:
            yield dsns | {"history": make_conninfo(self.servers["state"], dbname=f"{name}_history")}
        finally:
            for server in self.servers.values():
                _drop(server, name)
            _drop(self.servers["state"], f"{name}_history")


def _create(server: str, name: str, template: str = "template0") -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        statement = sql.SQL("create database {} template {} strategy file_copy")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
