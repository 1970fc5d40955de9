"""The store's tables in Postgres: batches in, ends and overdue corrections out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from processor.adapters.postgres import history_guard as guard
from processor.adapters.postgres import history_rows as rows
from processor.adapters.postgres import outcome_copy
from processor.adapters.postgres.history_connection import LIVE_SCHEMA, connect, faults_as_unavailable
from processor.adapters.postgres.history_schema import script
from processor.adapters.postgres.named_sql import named_sql
from processor.core.history import Clear, KeyOutcome, RequestEnd, RequestStatus
from processor.service.guard_ports import Orderable, ParkedPlace, ParkedRecord, PlannedRequest, ReleasedRequest
from processor.service.history_changes import Changes
from processor.service.history_ports import BuriedRow, Clearable, RowPlace, StoredOffset, Unanswered

MERGE = named_sql("history_merge.sql")
SHARED_IDS = script("history_shared_ids.sql")
ENDED = script("history_ended.sql")
ENDED_AFTER = script("history_ended_after.sql")
CLEARABLE = script("history_clearable.sql")
TO_BURY = script("history_to_bury.sql")
EMPTY_BURIALS = script("history_empty_burials.sql")
FORGET_BURIALS = script("history_forget_burials.sql")
UNANSWERED = script("history_unanswered.sql")
BATCH_TABLES = script("history_batch_tables.sql")
COPY_OUTCOMES = {
    table: sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(f"batch_{table}"), sql.SQL(", ").join(map(sql.Identifier, rows.COLUMNS["outcomes"]))
    )
    for table in ("first_outcomes", "outcomes")
}
"""Where a key's first outcome goes, and where any other."""
BATCH_COLUMNS = {**rows.COLUMNS, "heard": ("request_id", "partition")}


class PostgresTransaction:
    """Valid within the block that made it. Temporary tables are the connection's own."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._staged: set[str] = set()
        self._places: set[tuple[str, str]] = set()

    def holds(self, expected: Mapping[int, int]) -> bool:
        """Waits for a transaction that holds one of the offsets: at most 2 s for one whose process stands still."""
        found = self._connection.execute(
            "select partition, next_offset from offsets where partition = any(%s) order by partition for update",
            (list(expected),),
        ).fetchall()
        return dict(found) == dict(expected)

    def stage(self, changes: Changes) -> None:
        """Before `holds`: the server does not end a COPY whose client stands still, as it ends an idle transaction."""
        self._places = rows.places(changes)
        self._copy("requests", (rows.request_row(r) for r in changes.requests.values() if r is not None))
        self._copy("chunks", (rows.chunk_row(r) for r in changes.chunks.values() if r is not None))
        self._copy_outcomes(changes)
        self._copy("parked", (rows.parked_row(held) for held in changes.parked.values() if held is not None))
        self._copy("clearings", map(rows.clearing_row, changes.clearings.values()))
        self._copy("heard", changes.partitions.items())
        self._copy_gone(changes)

    def shared_ids(self) -> Sequence[str]:
        if not self._places:
            return []
        request_ids, districts = zip(*self._places, strict=True)
        return [row[0] for row in self._connection.execute(SHARED_IDS, (list(request_ids), list(districts)))]

    def merge(self) -> None:
        """Only what something was staged for: planning the rest would take longer than a small batch itself."""
        try:
            self._carry_out(self._staged)
        except psycopg.errors.UniqueViolation:  # what looks like a key's first outcome is not: nothing of it stands
            self._connection.execute("rollback to savepoint unmerged")
            self._carry_out((self._staged - {"first_outcomes"}) | {"doubted_outcomes", "outcomes"})

    def _carry_out(self, names: set[str]) -> None:
        """All of it on one way to the server."""
        if statements := [statement for name, statement in MERGE.items() if name in names]:
            script = "\n".join(["savepoint unmerged;", *statements, "release savepoint unmerged;"])
            self._connection.execute(script.encode())

    def ended(self, request_ids: Sequence[str]) -> Sequence[RequestEnd]:
        found = self._connection.execute(ENDED, (list(request_ids),))
        return [rows.end_of(row) for row in found]

    def linked(self, request_ids: Sequence[str]) -> Sequence[RequestStatus]:
        return guard.linked(self._connection, request_ids)

    def known(self, request_ids: Sequence[str]) -> Sequence[str]:
        return guard.known(self._connection, request_ids)

    def advance(self, offsets: Mapping[int, int]) -> None:
        self._connection.execute(
            "update offsets o set next_offset = n.next_offset, kept_at = now()"
            " from unnest(%s::integer[], %s::bigint[]) as n (partition, next_offset) where o.partition = n.partition",
            (list(offsets), list(offsets.values())),
        )

    def mark_live(self, partitions: Iterable[int]) -> None:
        self._connection.execute("update offsets set live = true where partition = any(%s)", (list(partitions),))

    def mark_kept(self, partitions: Iterable[int]) -> None:
        self._connection.execute("update offsets set kept_at = now() where partition = any(%s)", (list(partitions),))

    def _copy(self, table: str, records: Iterable[rows.Row]) -> None:
        first = next(iterator := iter(records), None)
        if first is None:
            return
        self._staged.add(table)
        columns = sql.SQL(", ").join(map(sql.Identifier, BATCH_COLUMNS[table]))
        statement = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(f"batch_{table}"), columns)
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write_row(first)
            for record in iterator:
                copy.write_row(record)

    def _copy_outcomes(self, changes: Changes) -> None:
        """Kind by kind: the server takes one in while the next is made."""
        for table, statement in COPY_OUTCOMES.items():
            read_in_full = [r for r in changes.outcomes.values() if r is not None and _table(r) == table]
            kinds = [alike for alike in changes.alike if _table(alike.like) == table]
            if not (read_in_full or kinds):
                continue
            self._staged.add(table)
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(outcome_copy.BEGIN + b"".join(map(outcome_copy.row_of, read_in_full)))
                for alike in kinds:
                    copy.write(b"".join(outcome_copy.rows_of(alike)))
                copy.write(outcome_copy.END)

    def _copy_gone(self, changes: Changes) -> None:
        gone: list[rows.Row] = [(key, None, None, None, None) for key, r in changes.requests.items() if r is None]
        gone += [(key[0], None, None, key[1], None) for key, r in changes.chunks.items() if r is None]
        gone += [(*key, None, None) for key, r in changes.outcomes.items() if r is None]
        gone += [(key[0], None, None, None, key[1]) for key, r in changes.parked.items() if r is None]
        if gone:
            self._staged.add("gone")
            with self._connection.cursor() as cursor, cursor.copy("copy batch_gone from stdin") as copy:
                for row in gone:
                    copy.write_row(row)


def _table(outcome: KeyOutcome) -> str:
    return "first_outcomes" if outcome.first_decided_at == outcome.decided_at else "outcomes"


class PostgresTables:
    """Connects when first used and again after `disconnect`. One thread at a time."""

    def __init__(self, dsn: str, application_name: str, schema: str = LIVE_SCHEMA) -> None:
        self._dsn = dsn
        self._application_name = application_name
        self._schema = schema
        self._connection: psycopg.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        with faults_as_unavailable("a batch"):
            connection = self._connected()
            with connection.transaction():
                yield PostgresTransaction(connection)

    def offsets(self, begin: Mapping[int, int], topic_id: str) -> Mapping[int, StoredOffset]:
        with faults_as_unavailable("reading the offsets"):
            connection = self._connected()
            connection.execute(
                "insert into offsets (partition, next_offset, topic_id, live)"
                " select n.partition, n.next_offset, %s, false"
                " from unnest(%s::integer[], %s::bigint[]) as n (partition, next_offset)"
                " on conflict (partition) do nothing",
                (topic_id, list(begin), list(begin.values())),
            )
            return stored_offsets(connection, begin)

    def last_decided_at(self) -> datetime | None:
        with faults_as_unavailable("looking for the last request"):
            (row,) = self._connected().execute("select max(decided_at) from requests")
            found: datetime | None = row[0]
            return found

    def ended_after(self, request_id: str, until: datetime, limit: int) -> Sequence[RequestEnd]:
        with faults_as_unavailable("reading ended requests"):
            found = self._connected().execute(ENDED_AFTER, (request_id, until, limit))
            return [rows.end_of(row) for row in found]

    def linked(self, request_ids: Sequence[str]) -> Sequence[RequestStatus]:
        with faults_as_unavailable("reading steps of linked runs"):
            return guard.linked(self._connected(), request_ids)

    def known(self, request_ids: Sequence[str]) -> Sequence[str]:
        with faults_as_unavailable("looking for steps of linked runs"):
            return guard.known(self._connected(), request_ids)

    def planning(self) -> Sequence[str]:
        with faults_as_unavailable("looking for requests that are planned"):
            return guard.planning(self._connected())

    def planned(self, request_ids: Sequence[str]) -> Sequence[PlannedRequest]:
        with faults_as_unavailable("adding up what requests would change"):
            return guard.planned(self._connected(), request_ids)

    def released(self) -> Sequence[ReleasedRequest]:
        with faults_as_unavailable("looking for parked chunks"):
            return guard.released(self._connected())

    def parked(self, request_id: str, after: ParkedPlace, limit: int) -> Sequence[ParkedRecord]:
        with faults_as_unavailable("reading parked chunks"):
            return guard.parked(self._connected(), request_id, after, limit)

    def orderable(self, request_ids: Sequence[str]) -> Sequence[Orderable]:
        with faults_as_unavailable("looking for requests that something is ordered about"):
            return guard.orderable(self._connected(), request_ids)

    def held(self) -> tuple[int, datetime | None]:
        with faults_as_unavailable("counting held requests"):
            return guard.held(self._connected())

    def unanswered(
        self, before: datetime, after: tuple[datetime, str, str, str] | None, limit: int
    ) -> Sequence[Unanswered]:
        place: tuple[Any, ...] = after or (datetime.min.replace(tzinfo=before.tzinfo), "", "", "")
        with faults_as_unavailable("reading unanswered corrections"):
            found = self._connected().execute(UNANSWERED, (before, *place, limit))
            return [rows.unanswered_of(row) for row in found]

    def clearable(self, wishes: Sequence[Clear]) -> Sequence[Clearable]:
        asked = ([wish.request_id for wish in wishes], [wish.as_of for wish in wishes])
        with faults_as_unavailable("looking for requests to clear"):
            found = self._connected().execute(CLEARABLE, asked)
            return [
                Clearable(request_id, district_id, name, outcomes, [(place[0], place[1]) for place in places])
                for request_id, district_id, name, outcomes, places in found
            ]

    def burials(self, partitions: Sequence[int], after: str, limit: int) -> Sequence[str]:
        query = (
            "select request_id from burials where partition = any(%s) and request_id > %s order by request_id limit %s"
        )
        with faults_as_unavailable("looking for cleared requests"):
            return [row[0] for row in self._connected().execute(query, (list(partitions), after, limit))]

    def to_bury(self, request_id: str, after: RowPlace, limit: int) -> Sequence[BuriedRow]:
        kind, first, second = after
        asked = {"request_id": request_id, "kind": kind, "first": first, "second": second, "limit": limit}
        with faults_as_unavailable("reading rows of a cleared request"):
            return [BuriedRow(request_id, row) for row in self._connected().execute(TO_BURY, asked)]

    def empty_burials(self, partitions: Sequence[int], limit: int) -> Sequence[str]:
        with faults_as_unavailable("looking for cleared requests without rows"):
            return [row[0] for row in self._connected().execute(EMPTY_BURIALS, (list(partitions), limit))]

    def forget_burials(self, request_ids: Sequence[str]) -> None:
        with faults_as_unavailable("forgetting cleared requests"):
            self._connected().execute(FORGET_BURIALS, (list(request_ids),))

    def disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._dsn, self._application_name, self._schema)
            self._connection.execute(BATCH_TABLES)
        return self._connection


def stored_offsets(connection: psycopg.Connection, partitions: Iterable[int] | None = None) -> dict[int, StoredOffset]:
    """All where `partitions` is None."""
    query = (
        "select partition, next_offset, topic_id, live, extract(epoch from now() - kept_at)::float8 from offsets"
        " where %(some)s::integer[] is null or partition = any(%(some)s)"
    )
    some = None if partitions is None else list(partitions)
    found = connection.execute(query, {"some": some}).fetchall()
    return {partition: StoredOffset(*offset) for partition, *offset in found}
