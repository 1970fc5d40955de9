"""Requests that were planned, held or let pass, as the store's tables have them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from processor.adapters.postgres.history_plans import plan_of, status_of
from processor.adapters.postgres.history_schema import script
from processor.core.guard import merged
from processor.core.history import Guard, PlanCounts, RequestState, RequestStatus
from processor.service.guard_ports import Orderable, ParkedPlace, ParkedRecord, PlannedRequest, ReleasedRequest

PLANNING = script("history_planning.sql")
PLANNED = script("history_planned.sql")
RELEASED = script("history_released.sql")
PARKED = script("history_parked.sql")
ORDERABLE = script("history_orderable.sql")
LINKED = script("history_linked.sql")
KNOWN = script("history_known.sql")
HELD = script("history_held.sql")
PLANS = script("history_plans.sql")


def planning(connection: psycopg.Connection) -> Sequence[str]:
    return [row[0] for row in connection.execute(PLANNING)]


def planned(connection: psycopg.Connection, request_ids: Sequence[str]) -> Sequence[PlannedRequest]:
    found = []
    for row in _rows(connection, PLANNED, (list(request_ids),)):
        status = status_of(row)
        guards = {name: Guard(*limits) for name, limits in row["guards"].items()}
        found.append(PlannedRequest(status, merged(_plans(connection, status)), guards, row["planned_at"]))
    return found


def _plans(connection: psycopg.Connection, status: RequestStatus) -> Iterator[PlanCounts]:
    """Of each chunk, as they come: there may be thousands."""
    with connection.cursor() as cursor:
        for (column,) in cursor.stream(PLANS, (status.request.request_id, status.request.district_id)):
            yield plan_of(column) or PlanCounts()


def released(connection: psycopg.Connection) -> Sequence[ReleasedRequest]:
    return [ReleasedRequest(row[0], RequestState(row[1]), row[2]) for row in connection.execute(RELEASED)]


def parked(connection: psycopg.Connection, request_id: str, after: ParkedPlace, limit: int) -> Sequence[ParkedRecord]:
    found = connection.execute(PARKED, (request_id, *after, limit))
    return [ParkedRecord((rank, chunk), bytes(value)) for rank, chunk, value in found]


def orderable(connection: psycopg.Connection, request_ids: Sequence[str]) -> Sequence[Orderable]:
    """What was rejected has perhaps no form that this release knows."""
    rows = _rows(connection, ORDERABLE, (list(request_ids),))
    return [Orderable(status_of(row), RequestState(row["shown"])) for row in rows if row["state"] != "REJECTED"]


def linked(connection: psycopg.Connection, request_ids: Sequence[str]) -> Sequence[RequestStatus]:
    return [status_of(r) for r in _rows(connection, LINKED, (list(request_ids),)) if r["state"] != "REJECTED"]


def known(connection: psycopg.Connection, request_ids: Sequence[str]) -> Sequence[str]:
    return [row[0] for row in connection.execute(KNOWN, {"request_ids": list(request_ids)})]


def held(connection: psycopg.Connection) -> tuple[int, datetime | None]:
    row = connection.execute(HELD).fetchone()
    return (0, None) if row is None else (row[0], row[1])


def _rows(connection: psycopg.Connection, query: bytes, parameters: Sequence[Any]) -> list[Mapping[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(query, parameters).fetchall())
