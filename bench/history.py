"""Pages of the history, and reports, where there are a million outcomes: `python -m bench.history`.

Fills tables of a database of its own by SQL, as the store would have left them, and asks as the commands do.
"""

import argparse
import math
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.options import number
from processor.adapters.postgres.history_connection import LIVE_SCHEMA, connect
from processor.adapters.postgres.history_filters import RecordFilter, RequestFilter
from processor.adapters.postgres.history_queries import HistoryQueries
from processor.adapters.postgres.history_schema import migrate
from stack.roles import console_script

REPORTS = ("ndjson", "csv", "json", "table", "xlsx", "pdf")
SLOW = ("show", "causes", "result")
FILL_REQUESTS = """
insert into requests
select
    id, 'D' || n %% 50, 'PersonIdentity', 'KEYS', null, 'person' || n %% 20, 'SYNC', 'NONE', 'REPORT', 'ALL',
    'DISTRICT', %(start)s + n * interval '1 second', null, 'ticket ' || n, null, 'ACCEPTED', null, null, %(each)s,
    %(start)s + n * interval '1 second'
from (select n, md5(%(salt)s || n)::uuid::text as id from generate_series(1, %(requests)s) n) r
"""
FILL_OUTCOMES = """
insert into outcomes
select
    r.request_id, r.object, k::text, r.district_id, k::text, case when k %% 10 = 0 then 'FAILED' else 'APPLIED' end,
    case when k %% 10 = 0 then 'PARENT_MISSING' end, case when k %% 10 = 0 then 'PersonIdentity ' || k end,
    '{lastName}', case when k %% 10 = 0 then 'PersonIdentity' end, case when k %% 10 = 0 then k::text end,
    gen_random_uuid()::text, 1,
    r.decided_at + lag, r.decided_at + lag, r.decided_at + lag, r.decided_at + lag
from requests r, generate_series(1, %(each)s) k, lateral (select k / 5000 * interval '0.1 second' as lag) later
where r.request_reason like 'ticket %%' and r.keys = %(each)s
"""


@contextmanager
def database(server: str) -> Iterator[str]:
    name = sql.Identifier("bench_history")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        connection.execute(sql.SQL("create database {}").format(name))
    yield make_conninfo(server, dbname="bench_history")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(name))


def fill(dsn: str, requests: int, each: int, salt: str) -> float:
    """Returns outcomes written per second, tallies included."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=365 if requests == 1 else 0)
    asked = {"requests": requests, "each": each, "salt": salt, "start": start}
    with connect(dsn, "bench", LIVE_SCHEMA, statement_timeout_s=0) as connection:
        migrate(connection)
        connection.execute(FILL_REQUESTS, asked)
        began = perf_counter()
        connection.execute(FILL_OUTCOMES, asked)
        rate = requests * each / (perf_counter() - began)
        connection.execute("vacuum analyze")
    return rate


def timed(ask: Callable[[], object], times: int) -> str:
    took: list[float] = []
    for _ in range(times):
        began = perf_counter()
        ask()
        took.append((perf_counter() - began) * 1000)
    took.sort()
    p99 = took[math.ceil(len(took) * 0.99) - 1]
    return f"median {took[len(took) // 2]:7.1f} ms   p99 {p99:7.1f} ms   of {times}"


def asks(queries: HistoryQueries) -> Mapping[str, Callable[[], object]]:
    """What is asked; the newest request is the largest."""
    first = queries.requests(RequestFilter(), 20)
    last, newest = first[-1], first[0]["request_id"]
    filters = {
        "first page": RequestFilter(),
        "next page": RequestFilter(after=(last["decided_at"], last["request_id"])),
        "of a district": RequestFilter(district_id="D7"),
        "of a person": RequestFilter(requested_by="PERSON3"),
        "with failures": RequestFilter(states=["COMPLETE_WITH_FAILURES"]),
        "no such state": RequestFilter(states=["REJECTED"]),
    }
    listed = {name: partial(queries.requests, wanted, 20) for name, wanted in filters.items()}
    one: Mapping[str, Callable[[], object]] = {
        "standing": partial(queries.standings, [newest]),
        "record": partial(queries.record, RecordFilter("D7", "PersonIdentity", "7"), 50),
        "show": partial(queries.request, newest),
        "causes": partial(queries.causes, newest, first[0]["district_id"]),
        "result": partial(queries.result, newest),
    }
    return {**listed, **one}


def report(dsn: str, request_id: str, form: str, keys: int) -> str:
    return written(["report", request_id, "--output", form], {"RESYNC_HISTORY_DSN": dsn}, keys)


def written(arguments: Sequence[str], settings: Mapping[str, str], rows: int) -> str:
    """By the console script, into a file: rows per second and the most memory that it held."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "out")
        began = perf_counter()
        process = subprocess.Popen(
            [console_script(), *arguments, "--to", str(file)], env=os.environ | settings, stderr=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        took = perf_counter() - began
        size = file.stat().st_size / 2**20 if status == 0 else 0
    return f"{rows / took:9,.0f} rows/s   {took:6.1f} s   {used.ru_maxrss / 1024:5.0f} MiB held   file {size:5.0f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--dsn", default=os.environ.get("RESYNC_HISTORY_DSN"), help="a server where a database can be made"
    )
    parser.add_argument("--outcomes", type=number(1, 100_000_000), default=1_000_000)
    parser.add_argument(
        "--requests", type=number(1, 1_000_000), nargs="+", default=[2_000, 1], help="into how many requests these go"
    )
    parser.add_argument("--times", type=number(1, 100_000), default=300)
    parser.add_argument("--reports", nargs="*", choices=REPORTS, default=REPORTS)
    options = parser.parse_args()
    if not options.dsn:
        parser.error("--dsn or RESYNC_HISTORY_DSN is needed: a server where a database can be made")
    if max(options.requests) > options.outcomes:
        parser.error("--requests: no request without an outcome")
    with database(options.dsn) as dsn:
        for requests in options.requests:
            salt = str(requests)
            rate = fill(dsn, requests, options.outcomes // requests, salt)
            print(
                f"{requests} requests of {options.outcomes // requests} outcomes more: filled at {rate:,.0f} outcomes/s"
            )
            with closing(HistoryQueries(dsn, "bench")) as queries:
                for name, ask in asks(queries).items():
                    print(f"  {name:<14} {timed(ask, options.times if name not in SLOW else 5)}", flush=True)
                newest = queries.requests(RequestFilter(), 1)[0]
            for form in options.reports if requests == 1 else ():
                print(f"  report {form:<7} {report(dsn, newest['request_id'], form, newest['keys'])}", flush=True)


if __name__ == "__main__":
    main()
