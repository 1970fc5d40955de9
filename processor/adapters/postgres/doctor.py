"""What the doctor sees of a database. It reads catalogs, asks for a few texts and changes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import time
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from processor.adapters.postgres.database import Database as Reader
from processor.adapters.postgres.database import ReaderOptions, Unreadable
from processor.adapters.postgres.history_connection import LIVE_SCHEMA
from processor.adapters.postgres.history_schema import migrations, schema_version
from processor.adapters.postgres.named_sql import named_sql
from processor.adapters.postgres.state_writer_columns import type_name
from processor.service.client_ports import NotSetUp, Unreachable
from processor.service.doctor import applier
from processor.service.doctor.facts import (
    Bookkeeping,
    Column,
    Database,
    ForeignKey,
    HistoryTables,
    Index,
    TableFacts,
    Text,
    Trigger,
    Version,
)
from processor.service.doctor.servers import MOMENTS, PROBES, SESSION
from processor.service.ports import SnapshotUnavailable

_SQL = named_sql("doctor.sql")
_LOOKS_AT_CLOCK = 5
_BOOKS = ("applied", "versions")


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at. `setting` names where the connection string comes from."""

    dsn: str
    setting: str
    tables: Sequence[str] = ()
    zones: Sequence[str] = ()


def look_at_side(asked: Asked, options: ReaderOptions) -> Database:
    """A district or the state, by a plain connection and by one as the processor has. Raises Unreachable, NotSetUp."""
    with _connected(asked, options) as connection:
        facts = _server(connection)
        tables = {name: _table(connection, name) for name in asked.tables}
    reader = Reader(asked.setting, asked.dsn, options)
    try:
        settings = sql.SQL("select name, setting from pg_settings where name = any(%(names)s)").format()
        session = dict[str, str](reader.rows(settings, {"names": list(SESSION)}))
        texts = {probe.name: _text(reader, probe.as_type, probe.given) for probe in PROBES}
        zones = {zone: _moments(reader, zone) for zone in asked.zones}
    finally:
        reader.close()
    return Database(**facts, session=session, texts=texts, zones=zones, tables=tables)


def look_at_state(asked: Asked, options: ReaderOptions, *, own_applier: bool) -> tuple[Database, Bookkeeping | None]:
    """The applier's bookkeeping as well, where it is ours. Raises Unreachable, NotSetUp."""
    facts = look_at_side(asked, options)
    if not own_applier:
        return facts, None
    with _connected(asked, options) as connection:
        rows = connection.execute(_SQL["schema_tables"], {"schema": applier.SCHEMA}).fetchall()
        found = {name: frozenset(rights) for name, rights, _, _ in rows}
        may_use = all(usable for *_, usable in rows)
        books = {name: found.get(name) for name in _BOOKS}
        readable = may_use and "SELECT" in found.get("versions", ())
        return facts, Bookkeeping(may_use, books, _versions(connection) if readable else {})


def look_at_history(asked: Asked, options: ReaderOptions) -> tuple[Database, HistoryTables]:
    """Raises Unreachable, NotSetUp."""
    with _connected(asked, options) as connection:
        facts = Database(**_server(connection))
        rows = connection.execute(_SQL["schema_tables"], {"schema": LIVE_SCHEMA}).fetchall()
        rights = {name: frozenset(held if usable else ()) for name, held, _, usable in rows}
        owns = all(own for _, _, own, _ in rows)
        version = None
        if "migrations" in rights:
            readable = "SELECT" in rights["migrations"]
            version = schema_version(connection, LIVE_SCHEMA) if readable else migrations()[-1][0]
        return facts, HistoryTables(version, migrations()[-1][0], rights, owns)


@contextmanager
def _connected(asked: Asked, options: ReaderOptions) -> Iterator[psycopg.Connection]:
    if not asked.dsn:
        raise NotSetUp(f"{asked.setting} is not set")
    try:
        connection = psycopg.connect(
            asked.dsn,
            autocommit=True,
            application_name=options.application_name,
            client_encoding="utf8",
            connect_timeout=options.connect_timeout_s,
            tcp_user_timeout=int(options.statement_timeout_s * 1000),
        )
    except (psycopg.Error, UnicodeError) as fault:
        raise Unreachable(f"cannot be reached by {asked.setting}{_place(asked.dsn)}: {_why(fault)}") from None
    with connection:
        try:
            timeout = f"{options.statement_timeout_s * 1000:.0f}"
            connection.execute("select set_config('statement_timeout', %s, false)", (timeout,))
            yield connection
        except psycopg.Error as fault:
            raise Unreachable(f"did not answer what the doctor asked: {_why(fault)}") from None


def _place(dsn: str) -> str:
    """Host and port, and nothing else of the string."""
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.Error:
        return ""
    return f" ({given.get('host', 'local socket')}:{given.get('port', 5432)})"


def _why(fault: Exception) -> str:
    """In words that hold no value and no password."""
    state = getattr(fault, "sqlstate", None)
    text = str(fault).lower()
    for said, means in (
        ("password authentication failed", "it did not take the password"),
        ("no password supplied", "it asks for a password"),
        ("does not exist", "there is no such database or role"),
        ("refused", "nobody listens there"),
        ("could not translate", "the host's name is unknown"),
        ("resolve", "the host's name is unknown"),
        ("timeout", "no answer in time"),
        ("too many", "it has no connection left"),
        ("starting up", "it is starting up"),
        ("shutting down", "it is shutting down"),
        ("pg_hba", "it lets nobody in from here (pg_hba.conf)"),
        ("certificate", "its certificate is not accepted"),
        ("ssl", "the TLS connection failed"),
    ):
        if said in text:
            return means
    return f"{type(fault).__name__}{f' ({state})' if state else ''}"


def _server(connection: psycopg.Connection) -> dict[str, Any]:
    row = connection.execute(_SQL["server"]).fetchone()
    ahead_s, error_s = _clock(connection)
    names = ("database", "role", "version", "encoding", "timezone", "may_create", "may_make_temporary", "xmax")
    return dict(zip(names, row or (), strict=True)) | {"clock_ahead_s": ahead_s, "clock_error_s": error_s}


def _clock(connection: psycopg.Connection) -> tuple[float, float]:
    """Seconds ahead of this machine, and how wrong that may be: half of the way there and back, in the best of some."""
    seen = []
    for _ in range(_LOOKS_AT_CLOCK):
        before = time()
        row = connection.execute(_SQL["clock"]).fetchone()
        after = time()
        seen.append(((after - before) / 2, (row or (0.0,))[0] - (before + after) / 2))
    best = min(error for error, _ in seen)
    return median(ahead for error, ahead in seen if error <= 2 * best), best


def _table(connection: psycopg.Connection, name: str) -> TableFacts | None:
    schema, _, table = name.rpartition(".")
    found = connection.execute(_SQL["table"], {"schema": schema or None, "table": table}).fetchone()
    if found is None:
        return None
    oid, full, home, in_path, usable, has_indexes, hidden, rights = found
    at = {"oid": oid}
    indexes = connection.execute(_SQL["indexes"], at).fetchall()
    cascades = connection.execute(_SQL["cascades"], at).fetchall()
    triggers = connection.execute(_SQL["triggers"], at).fetchall()
    return TableFacts(
        name=full.removeprefix("public."),
        schema=home,
        is_in_path=in_path,
        may_use_schema=usable,
        has_indexes=has_indexes,
        row_security=hidden,
        rights=frozenset(rights),
        columns=_columns(connection, oid),
        indexes=tuple(Index(tuple(columns), unique, whole) for columns, unique, whole in indexes),
        cascades=tuple(ForeignKey(*row) for row in cascades),
        triggers=tuple(Trigger(*row) for row in triggers),
        rules=tuple(rule for (rule,) in connection.execute(_SQL["rules"], at)),
        locked_sequences=tuple(name for (name,) in connection.execute(_SQL["locked_sequences"], at)),
    )


def _columns(connection: psycopg.Connection, oid: int) -> dict[str, Column]:
    rows = connection.execute(_SQL["columns"], {"oid": oid})
    return {
        name: Column(base, declared, not_null, has_default, written, now, frozenset(rights))
        for name, base, declared, not_null, has_default, written, now, rights in rows
    }


def _versions(connection: psycopg.Connection) -> Mapping[str, Version] | None:
    """The newest of each district; None where there are too many to be read in time."""
    try:
        rows = connection.execute(_SQL["versions"]).fetchall()
    except psycopg.errors.QueryCanceled:
        return None
    newest: dict[str, Version] = {}
    for district_id, epoch, xmax in sorted(rows):
        newest[district_id] = Version(epoch, xmax)
    return newest


def _text(reader: Reader, as_type: str, given: str) -> Text | None:
    """None where the server refuses the value."""
    statement = sql.SQL(
        "select v, encode(sha256(convert_to(v, 'UTF8')), 'hex') from (select %(given)s::text::{}::text as v) as p"
    ).format(type_name(as_type))
    rows = _unless_refused(reader, statement, {"given": given})
    if rows is None:
        return None
    text, digest = rows[0]
    return Text(text if isinstance(text, str) else text.decode(errors="replace"), digest)


def _moments(reader: Reader, zone: str) -> Sequence[str] | None:
    """`MOMENTS` of a zone in UTC as texts; None where the server does not know the zone."""
    statement = sql.SQL(
        "select (m::timestamp at time zone %(zone)s)::text"
        " from unnest(%(moments)s::text[]) with ordinality as g (m, n) order by n"
    ).format()
    rows = _unless_refused(reader, statement, {"zone": zone, "moments": list(MOMENTS)})
    return None if rows is None else [text for (text,) in rows]


def _unless_refused(
    reader: Reader, statement: sql.Composed, parameters: Mapping[str, Any]
) -> "list[tuple[Any, ...]] | None":
    """None where the server says no to the values; raises SnapshotUnavailable where it is away."""
    try:
        return reader.rows(statement, parameters)
    except Unreadable:
        return None
    except SnapshotUnavailable:
        if reader.is_up:
            return None
        raise
