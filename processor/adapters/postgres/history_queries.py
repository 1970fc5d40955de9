"""Reading the public views of the history, for people's commands."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from processor.adapters.postgres.history_schema import script
from processor.core.errors import Reason
from processor.core.model import Count, Parent, RequestState, Status
from processor.service.client_ports import NotSetUp, Row, Unreachable
from processor.service.follow import MOST_NOTED, ClearedResult, NotedOutcome, RequestResult, Standing

PAGE = 2_000


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """What requests to list; None takes all. `requested_by` is a part of the text, in either case."""

    district_id: str | None = None
    object: str | None = None
    requested_by: str | None = None
    since: datetime | None = None
    states: Sequence[str] | None = None
    older_than: str | None = None
    """A request: only those accepted before it."""


class HistoryQueries:
    """A read-only connection, made at the first question. Everything raises Unreachable and NotSetUp."""

    def __init__(self, dsn: str, application_name: str, timeout_s: float = 30.0) -> None:
        self._dsn = dsn
        self._application_name = application_name
        self._timeout_s = timeout_s
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    def requests(self, wanted: RequestFilter, limit: int) -> list[Row]:
        """Newest first."""
        parameters = {name: getattr(wanted, name) for name in RequestFilter.__slots__}
        if wanted.states is not None:
            parameters["states"] = list(wanted.states)
        return self._rows("query_requests.sql", {**parameters, "limit": limit})

    def request(self, request_id: str) -> Row | None:
        return next(iter(self._rows("query_request.sql", {"request_id": request_id})), None)

    def clearing(self, request_id: str) -> Row | None:
        return next(iter(self._rows("query_clearings.sql", {"request_ids": [request_id]})), None)

    def outcomes(self, request_id: str, statuses: Sequence[str] | None) -> Iterator[Row]:
        """Every key in the order of object and key, a page at a time: no transaction stays open meanwhile."""
        after: Mapping[str, Any] = {"after_object": "", "after_key": ""}
        asked = {"request_id": request_id, "statuses": None if statuses is None else list(statuses), "limit": PAGE}
        while page := self._rows("query_outcomes.sql", {**asked, **after}):
            yield from page
            after = {"after_object": page[-1]["object"], "after_key": page[-1]["key"]}

    def count_outcomes(self, request_id: str, statuses: Sequence[str] | None) -> int:
        parameters = {"request_id": request_id, "statuses": None if statuses is None else list(statuses)}
        return int(self._rows("query_outcome_count.sql", parameters)[0]["outcomes"])

    def standings(self, request_ids: Sequence[str]) -> Mapping[str, Standing]:
        parameters = {"request_ids": list(request_ids)}
        found = {row["request_id"]: row for row in self._rows("query_standings.sql", parameters)}
        cleared = {row["request_id"] for row in self._rows("query_clearings.sql", parameters)}
        return {request_id: _standing(found.get(request_id), request_id in cleared) for request_id in request_ids}

    def result(self, request_id: str) -> RequestResult | ClearedResult:
        clearing = self.clearing(request_id)
        row = self.request(request_id)
        if clearing is not None or row is None:
            return ClearedResult(request_id, str(clearing["cleared_by"]) if clearing else "")
        noted = self._rows("query_noted.sql", {"request_id": request_id, "limit": MOST_NOTED})
        return RequestResult(
            request_id,
            row["district_id"],
            row["object"],
            RequestState(row["state"]),
            Reason(row["reason"]) if row["reason"] else None,
            row["detail"],
            row["keys"],
            tuple(Count(count["status"], count["reason"], count["keys"]) for count in row["counts"]),
            tuple(map(_noted, noted)),
        )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _rows(self, name: str, parameters: Mapping[str, Any]) -> list[Row]:
        with _faults():
            return list(self._connected().execute(script(name), parameters).fetchall())

    def _connected(self) -> "psycopg.Connection[dict[str, Any]]":
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._dsn,
                row_factory=dict_row,
                autocommit=True,
                prepare_threshold=None,
                application_name=self._application_name,
                connect_timeout=5,
                options=(
                    f"-c statement_timeout={int(self._timeout_s * 1000)} -c default_transaction_read_only=on"
                    " -c TimeZone=UTC -c DateStyle=ISO"
                ),
            )
        return self._connection


class PostgresFollower:
    """Requests followed in the store's tables, which have to be asked again and again."""

    def __init__(self, queries: HistoryQueries, request_ids: Sequence[str]) -> None:
        self._queries = queries
        self._request_ids = request_ids

    def standings(self, wait_s: float) -> Mapping[str, Standing]:
        time.sleep(wait_s)
        return self._queries.standings(self._request_ids)

    def results(self) -> Sequence[RequestResult | ClearedResult]:
        return [self._queries.result(request_id) for request_id in self._request_ids]


def _standing(row: Row | None, is_cleared: bool) -> Standing:  # noqa: FBT001
    if row is None:
        return Standing(cleared=is_cleared)
    return Standing(RequestState(row["state"]), row["keys"], row["settled"], is_cleared)


def _noted(row: Row) -> NotedOutcome:
    return NotedOutcome(
        row["object"],
        row["key"],
        row["asked_as"],
        Status(row["status"]),
        Reason(row["reason"]) if row["reason"] else None,
        row["detail"],
        tuple(row["changed_fields"]),
        Parent(row["parent_object"], row["parent_key"]) if row["parent_object"] else None,
    )


@contextmanager
def _faults() -> Iterator[None]:
    """A server's own words are shown only about connecting: those about statements may hold values."""
    try:
        yield
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedColumn) as fault:
        raise NotSetUp(
            "the history database has no history views of this release: run `resync topics create`"
        ) from fault
    except psycopg.errors.InsufficientPrivilege as fault:
        raise NotSetUp("the account of RESYNC_HISTORY_DSN may not read the schema history: grant it") from fault
    except psycopg.errors.QueryCanceled as fault:
        raise Unreachable("the history database took too long: ask for less, or look at its load") from fault
    except psycopg.OperationalError as fault:
        why = fault.sqlstate or str(fault).splitlines()[0]
        raise Unreachable(f"the history database cannot be reached ({why}): check RESYNC_HISTORY_DSN") from fault
    except psycopg.ProgrammingError as fault:
        if fault.sqlstate is not None:
            raise
        raise NotSetUp("RESYNC_HISTORY_DSN is not a connection string of Postgres") from fault
