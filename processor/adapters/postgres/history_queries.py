"""Reading the public views of the history, for people's commands."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row

from processor.adapters.postgres.history_filters import ClearFilter, KeyFilter, RecordFilter, RequestFilter, Seen
from processor.adapters.postgres.history_schema import script
from processor.adapters.postgres.history_told import cause_of, noted_of, standing_of
from processor.core.errors import Reason
from processor.core.history import OPEN_STATUSES, Count, RequestState, Status
from processor.core.mend import MOST_NAMED, Cause
from processor.service.client_ports import NotSetUp, Row, Unreachable
from processor.service.follow import MOST_NOTED, ClearedResult, RequestResult, Standing

PAGE = 2_000

MOST_CAUSES = 20


class HistoryQueries:
    """A read-only connection, made at the first question. Everything raises Unreachable and NotSetUp."""

    def __init__(self, dsn: str, application_name: str, timeout_s: float = 30.0) -> None:
        self._dsn = dsn
        self._application_name = application_name
        self._timeout_s = timeout_s
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    def requests(self, wanted: RequestFilter, limit: int) -> list[Row]:
        """Newest first."""
        after_time, after_id = wanted.after or (None, None)
        parameters = {
            "district_id": wanted.district_id,
            "object": wanted.object,
            "requested_by": wanted.requested_by,
            "since": wanted.since,
            "until": wanted.until,
            "states": _listed(wanted.states),
            **_seen(wanted),
            "after_time": after_time,
            "after_id": after_id,
            "limit": limit,
        }
        return self._rows("query_requests.sql", parameters)

    def request(self, request_id: str) -> Row | None:
        return next(iter(self._rows("query_request.sql", {"request_id": request_id})), None)

    def counted_as_seen(self, rows: Sequence[Row], seen: Seen) -> list[Row]:
        """The rows of requests with the counts of what may be seen alone: dependencies bring along keys of others."""
        if seen is None or (None, None) in seen or not rows:
            return list(rows)
        parameters = {
            "request_ids": [row["request_id"] for row in rows],
            "district_ids": [row["district_id"] for row in rows],
            "seen_districts": [district_id for district_id, _ in seen],
            "seen_objects": [object_name for _, object_name in seen],
        }
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._rows("query_counts.sql", parameters):
            found[row["request_id"]].append(row)
        return [_counted(row, found[row["request_id"]]) for row in rows]

    def clearing(self, request_id: str) -> Row | None:
        return next(iter(self._rows("query_clearings.sql", {"request_ids": [request_id]})), None)

    def to_clear(self, wanted: ClearFilter, limit: int) -> list[Row]:
        """Oldest first."""
        may = wanted.may_clear
        parameters = {
            "request_ids": None if wanted.request_ids is None else list(wanted.request_ids),
            "district_id": wanted.district_id,
            "before": wanted.before,
            "is_ended": wanted.is_ended,
            "may_districts": None if may is None else [district_id for district_id, _ in may],
            "may_objects": None if may is None else [object_name for _, object_name in may],
            "limit": limit,
        }
        return self._rows("query_to_clear.sql", parameters)

    def cleared(self, request_ids: Sequence[str]) -> list[Row]:
        return self._rows("query_clearings.sql", {"request_ids": list(request_ids)})

    def last_clearing(self, wanted: RequestFilter) -> Row | None:
        """Of the district and the object wanted and what may be seen; with `requests`, the number of all of them."""
        parameters = {"district_id": wanted.district_id, "object": wanted.object, **_seen(wanted)}
        return next(iter(self._rows("query_last_clearing.sql", parameters)), None)

    def has_requests(self, wanted: RequestFilter, *, of_place: bool = False) -> bool:
        """Whether there are any that may be seen; `of_place`: of the district and the object wanted."""
        seen = RequestFilter(seen_districts=wanted.seen_districts, seen_objects=wanted.seen_objects)
        if of_place:
            seen = replace(seen, district_id=wanted.district_id, object=wanted.object)
        return bool(self.requests(seen, 1))

    def outcomes(self, request_id: str, wanted: KeyFilter) -> Iterator[Row]:
        """Every key in the order of object and key, a page at a time: no transaction stays open meanwhile."""
        after: Mapping[str, Any] = {"after_object": "", "after_key": ""}
        asked = {"request_id": request_id, "limit": PAGE, **asdict(wanted)}
        while page := self._rows("query_outcomes.sql", {**asked, **after}):
            yield from page
            after = {"after_object": page[-1]["object"], "after_key": page[-1]["key"]}

    def count_outcomes(self, request_id: str, wanted: KeyFilter) -> int:
        found = self._rows("query_outcome_count.sql", {"request_id": request_id, **asdict(wanted)})
        return int(found[0]["outcomes"])

    def causes(self, request_id: str, district_id: str, seen_objects: Sequence[str] | None = None) -> list[Cause]:
        """Why keys failed, the most frequent cause first; at most `MOST_CAUSES`, and those that this release knows."""
        parameters = {
            "request_id": request_id,
            "district_id": district_id,
            "limit": MOST_CAUSES,
            "named": MOST_NAMED,
            "seen_objects": _listed(seen_objects),
        }
        found = self._rows("query_causes.sql", parameters)
        return [cause_of(row) for row in found if row["reason"] in Reason.__members__]

    def verification(self, request_id: str) -> Row | None:
        """Rows a side, and the number of keys that differ in each field."""
        return next(iter(self._rows("query_verification.sql", {"request_id": request_id})), None)

    def record(self, wanted: RecordFilter, limit: int) -> list[Row]:
        """What requests did to one record, and which of its children missed it, newest first."""
        after_time, after_id, after_object, after_key = wanted.after or (None, None, None, None)
        parameters = {
            "district_id": wanted.district_id,
            "object": wanted.object,
            "key": wanted.key,
            "seen_objects": _listed(wanted.seen_objects),
            "after_time": after_time,
            "after_id": after_id,
            "after_object": after_object,
            "after_key": after_key,
            "limit": limit,
        }
        return self._rows("query_record.sql", parameters)

    def standings(self, request_ids: Sequence[str]) -> Mapping[str, Standing]:
        parameters = {"request_ids": list(request_ids)}
        found = {row["request_id"]: row for row in self._rows("query_standings.sql", parameters)}
        cleared = {row["request_id"]: row for row in self._rows("query_clearings.sql", parameters)}
        return {request_id: standing_of(found.get(request_id), cleared.get(request_id)) for request_id in request_ids}

    def result(self, request_id: str, seen: Seen = None) -> RequestResult | ClearedResult:
        clearing = self.clearing(request_id)
        row = self.request(request_id)
        if clearing is not None or row is None:
            who, when = (str(clearing["cleared_by"]), clearing["cleared_at"]) if clearing else ("", None)
            return ClearedResult(request_id, who, when)
        [row] = self.counted_as_seen([row], seen)
        asked = {"request_id": request_id, "district_id": row["district_id"], "limit": MOST_NOTED}
        noted = self._rows("query_noted.sql", asked)
        return RequestResult(
            request_id,
            row["district_id"],
            row["object"],
            RequestState(row["state"]),
            Reason(row["reason"]) if row["reason"] else None,
            row["detail"],
            row["keys"] or sum(count["keys"] for count in row["counts"]),
            tuple(Count(count["status"], count["reason"], count["keys"]) for count in row["counts"]),
            tuple(map(noted_of, noted)),
            row["in_sync_not_itemised"],
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

    def __init__(self, queries: HistoryQueries, request_ids: Sequence[str], seen: Seen = None) -> None:
        self._queries = queries
        self._request_ids = request_ids
        self._counted = seen

    def standings(self, wait_s: float) -> Mapping[str, Standing]:
        time.sleep(wait_s)
        return self._queries.standings(self._request_ids)

    def results(self) -> Sequence[RequestResult | ClearedResult]:
        return [self._queries.result(request_id, self._counted) for request_id in self._request_ids]


def _counted(row: Row, counts: Sequence[Row]) -> Row:
    of_statuses = {
        "outcomes": frozenset(Status),
        "open_outcomes": OPEN_STATUSES,
        "failed_outcomes": frozenset({Status.FAILED}),
    }
    totals = {
        name: sum(count["outcomes"] for count in counts if count["status"] in statuses)
        for name, statuses in of_statuses.items()
        if name in row
    }
    return {
        **row,
        **totals,
        "counts": [{name: count[name] for name in ("status", "reason", "keys")} for count in counts],
    }


def _seen(wanted: RequestFilter) -> dict[str, Any]:
    return {"seen_districts": _listed(wanted.seen_districts), "seen_objects": _listed(wanted.seen_objects)}


def _listed(values: Sequence[str | None] | None) -> list[str | None] | None:
    return None if values is None else list(values)


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
