"""An object in one table a side, on two servers that sort texts differently."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.adapters.postgres.database import ReaderOptions
from processor.adapters.postgres.scans import PostgresScans
from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.core.catalog import Catalog, District, FieldSpec, KeyType, Kind, Limits, ObjectType, Owner, Table
from processor.core.chosen import Chosen, chosen
from processor.core.lines import Lines, lines_window
from processor.core.window import Page, Same, Window, window

UTC = ZoneInfo("UTC")
COLUMN = {KeyType.INTEGER: "bigint", KeyType.UUID: "uuid", KeyType.TEXT: "text"}
OURS = {**COLUMN, KeyType.TEXT: "citext"}
"""The district's; citext sorts without case, as many collations do, and is there where the system has no other."""


LABEL = FieldSpec("label", Kind.STRING, Owner.DISTRICT, frozenset(), "label", "label")
NOTE = FieldSpec("note", Kind.STRING, Owner.NONE, frozenset(), "note", None)
"""The district's alone."""
MARK = FieldSpec("mark", Kind.STRING, Owner.NONE, frozenset(), None, "mark")
"""The state's alone."""


@dataclass(slots=True)
class World:
    """`ours` and `theirs` are connections; `scans` reads both."""

    catalog: Catalog
    ours: "psycopg.Connection[tuple[Any, ...]]"
    theirs: "psycopg.Connection[tuple[Any, ...]]"
    scans: PostgresScans
    snapshots: PostgresSnapshots

    @property
    def kind(self) -> ObjectType:
        return self.catalog.objects["Item"]

    def fill(self, district: Iterable[tuple[object, object]], state: Iterable[tuple[object, object]]) -> None:
        """Rows of (key, label); the state's belong to the district D."""
        with self.ours.cursor() as cursor:
            cursor.executemany("insert into item values (%s, %s)", list(district))
        with self.theirs.cursor() as cursor:
            cursor.executemany("insert into item values ('D', %s, %s)", list(state))

    def windows(
        self, size: int, same: Same | None = None, where: str | None = None
    ) -> Iterator[tuple[Window, tuple[Page, Page]]]:
        """Part by part to the end; with `same_digest` by digests of rows, with a filter what that chooses."""
        wanted = chosen(where, None, self.kind, self.catalog)
        after: str | None = None
        while True:
            found, pages = self._part(after, size, same, wanted)
            yield found, pages
            if found.last is None:
                return
            after = found.last

    def _part(
        self, after: str | None, size: int, same: Same | None, wanted: Chosen | None
    ) -> tuple[Window, tuple[Page, Page]]:
        if same is None:
            pages = self.scans.pages("D", "Item", after, size, wanted)
            return window(self.kind, after, *pages), pages
        lines = self.scans.lines("D", "Item", after, size, wanted)
        assert lines is not None
        ours, theirs = (side.page if isinstance(side, Lines) else side for side in lines)
        return lines_window(self.kind, after, *lines, same), (ours, theirs)


@contextmanager
def world(
    stack_settings: dict[str, str],
    key_type: KeyType,
    state_key_type: KeyType | None = None,
    *,
    column: str | None = None,
    label: FieldSpec = LABEL,
    labels: tuple[str, str] = ("text", "text"),
    zone: ZoneInfo = UTC,
    indexed: bool = True,
    timeout_s: float = 5.0,
    readers: int = 1,
) -> Iterator[World]:
    """`column` is the key's type on both sides, where not what the catalog's type suggests; `labels` are the label's.

    `zone` is the district's.
    """
    theirs_type = state_key_type or key_type
    servers = {"district": stack_settings["RESYNC_DISTRICT_DSN_NORTH"], "state": stack_settings["RESYNC_STATE_DSN"]}
    name = f"scan_{uuid.uuid4().hex[:10]}"
    dsns = {side: make_conninfo(server, dbname=name) for side, server in servers.items()}
    for server in servers.values():
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"create database {name} template template0 encoding UTF8 locale 'C'")
    try:
        kind = ObjectType(
            "Item",
            key_type if key_type is theirs_type else KeyType.INTEGER,
            (label, NOTE, MARK),
            Table("item", "id", key_type, None, zone),
            Table("item", "id", theirs_type, "district_id", UTC),
            None,
            0,
        )
        district = District("D", "D", dsns["district"], readers=readers)
        catalog = Catalog({"Item": kind}, {"D": district}, Limits(readers=readers))
        with (
            psycopg.connect(dsns["district"], autocommit=True) as ours,
            psycopg.connect(dsns["state"], autocommit=True) as theirs,
        ):
            ours.execute("create extension citext")
            types = sql.SQL(column or OURS[key_type]), sql.SQL(column or COLUMN[theirs_type])
            ours.execute(sql.SQL("create table item (id {}, label {}, note text)").format(types[0], sql.SQL(labels[0])))
            theirs.execute(
                sql.SQL("create table item (district_id text, id {}, label {}, mark text)").format(
                    types[1], sql.SQL(labels[1])
                )
            )
            options = ReaderOptions("resync/process/0", statement_timeout_s=timeout_s, connect_timeout_s=5)
            snapshots = PostgresSnapshots(catalog, dsns["state"], options, are_many=True)
            scans = PostgresScans(catalog, snapshots)
            try:
                if indexed:
                    make_indexes(scans, ours, theirs)
                yield World(catalog, ours, theirs, scans, snapshots)
            finally:
                snapshots.close()
                scans.close()
    finally:
        for server in servers.values():
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def make_indexes(
    scans: PostgresScans,
    ours: "psycopg.Connection[tuple[Any, ...]]",
    theirs: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    """By the statements that the survey gives."""
    for lacking in scans.survey("D", "Item").lacking:
        where, _, statement = lacking.partition(": ")
        {"district D": ours, "state": theirs}[where].execute(statement.encode())
