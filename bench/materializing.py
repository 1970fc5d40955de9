"""Outcomes into the store's tables, and a replay of them: `python -m bench.materializing`, JSON lines.

The store finds a history topic of outcomes. What it keeps is counted while it works, and it is measured from the first
rows that are seen to the last. Beside it stands binary COPY into a temporary table and one merge a batch, into a table
with the same indexes and no triggers: the rows are made ready before, and one client brings batches of as many.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

import psycopg
from psycopg import sql

from bench import command, history_topic
from bench.awaiting import until
from bench.figures import Figure
from bench.history_topic import KEYS_A_REQUEST
from bench.measured import OURS, Contender, Measured, Scenario, Unit
from bench.meter import Meter, peak_rss_mb
from bench.options import number
from bench.replaying import replayed
from bench.world import Run, World
from processor.adapters.postgres.history_connection import LIVE_SCHEMA, connect
from processor.adapters.postgres.history_rows import COLUMNS, PRIMARY_KEY, Row, outcome_row
from processor.bootstrap.store import migrate_history
from processor.core.history import KeyOutcome
from processor.service.history_ports import BatchLimits

BATCH = BatchLimits().records
FLOOR_TABLES = """
drop table if exists floor_outcomes, batch_floor;
create table floor_outcomes (like outcomes including all);
create temp table batch_floor (like outcomes) on commit delete rows;
"""
COLUMN_TYPES = (*("text",) * 8, "text[]", *("text",) * 3, "int8", *("timestamptz",) * 4)
_COLUMNS = [sql.Identifier(name) for name in COLUMNS["outcomes"]]
_OTHERS = _COLUMNS[PRIMARY_KEY["outcomes"] :]
_NAMES = sql.SQL(", ").join(_COLUMNS)
FLOOR_COPY = sql.SQL("copy batch_floor ({}) from stdin (format binary)").format(_NAMES)
FLOOR_MERGE = sql.SQL(
    "insert into floor_outcomes ({names}) select {names} from batch_floor"
    " on conflict (request_id, object, key) do update set ({others}) = ({excluded})"
).format(
    names=_NAMES,
    others=sql.SQL(", ").join(_OTHERS),
    excluded=sql.SQL(", ").join(sql.SQL("excluded.{}").format(name) for name in _OTHERS),
)


def main() -> int:
    parser = command.options("bench.materializing", __doc__, rows=1_000)
    parser.add_argument("--outcomes", type=number(10_000, 10_000_000), default=200_000, help="(%(default)s)")
    parser.add_argument("--repeats", type=number(1, 100), default=3, help="(%(default)s)")
    parser.add_argument(
        "--grown", type=number(1, 100), default=4, help="replay so many times as many too (%(default)s)"
    )
    return command.figures(parser, _figures)


def _figures(here: World, options: argparse.Namespace) -> Iterator[Figure]:
    yield command.contest(here, scenario(options.outcomes), options.repeats)
    peaks: list[float] = []
    for measured in replays(here, (options.outcomes, options.outcomes * options.grown)):
        peaks.append(measured.peak_rss_mb["replay"])
        yield {
            "scenario": "replay",
            "outcomes": measured.amount,
            "seconds": round(measured.seconds, 2),
            "keys_per_s": round(measured.values["speed"]),
            "peak_rss_mb": peaks[-1],
            "times_as_much_memory": round(peaks[-1] / peaks[0], 2),
        }


def scenario(outcomes: int) -> Scenario:
    requests = outcomes // KEYS_A_REQUEST
    contenders = [
        Contender(OURS, partial(materialized, requests=requests)),
        Contender("COPY and merge alone", partial(merged, requests=requests), {"speed": 0.7}),
    ]
    return Scenario("materializing", f"{outcomes:,} outcomes into tables", Unit.KEYS_PER_S, contenders)


def materialized(world: World, *, requests: int) -> Measured:
    with world.run() as run:
        run.start("store")
        run.stop("store")  # its partitions are live from here on, as those of any store that runs
        history_topic.publish(run, requests)
        run.start("store")
        measured = _watched(run, requests * KEYS_A_REQUEST)
        run.stop("store")
        history_topic.check(run, "outcomes", requests)
    return measured


def _watched(run: Run, outcomes: int) -> Measured:
    pid = run.pid("store")
    with psycopg.connect(run.settings.history_dsn, autocommit=True) as connection:
        first = until(partial(_kept, connection), 1, "outcomes in the tables")
        began, meter = time.monotonic(), Meter(run.world.stack, {"store": [pid]})
        amount = until(partial(_kept, connection), outcomes, "outcomes in the tables") - first
        seconds = time.monotonic() - began
        return Measured({"speed": amount / seconds}, amount, seconds, meter.cpu_s(), {"store": peak_rss_mb(pid)})


def _kept(connection: psycopg.Connection) -> int:
    row = connection.execute("select coalesce(sum(keys), 0)::bigint from resync_store.tallies").fetchone()
    return 0 if row is None else int(row[0])


def merged(world: World, *, requests: int) -> Measured:
    outcomes = [each for each in history_topic.records(requests) if isinstance(each, KeyOutcome)]
    batches = list(_batches([outcome_row(each) for each in outcomes]))
    with world.run() as run:
        migrate_history(run.settings)
        with connect(run.settings.history_dsn, "floor", LIVE_SCHEMA) as connection:
            connection.execute(FLOOR_TABLES)
            began, meter = time.monotonic(), Meter(world.stack, {})
            for batch in batches:
                with connection.transaction(), connection.cursor() as cursor:
                    with cursor.copy(FLOOR_COPY) as copy:
                        copy.set_types(COLUMN_TYPES)
                        for row in batch:
                            copy.write_row(row)
                    cursor.execute(FLOOR_MERGE)
            seconds = time.monotonic() - began
            cpu_s = meter.cpu_s()
        history_topic.check(run, "floor_outcomes", requests)
    return Measured({"speed": len(outcomes) / seconds}, len(outcomes), seconds, cpu_s)


def _batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


def replays(world: World, sizes: Sequence[int]) -> Iterator[Measured]:
    """`resync replay` of a topic that grows to so many outcomes. Raises WrongCount and RunFailed."""
    with world.run() as run:
        migrate_history(run.settings)
        published = 0
        for requests in dict.fromkeys(size // KEYS_A_REQUEST for size in sizes):
            history_topic.publish(run, requests - published, published)
            published = requests
            yield _replayed(run, requests)


def _replayed(run: Run, requests: int) -> Measured:
    began = time.monotonic()
    _, peak = replayed(run)
    seconds = time.monotonic() - began
    history_topic.check(run, "outcomes", requests)
    outcomes = requests * KEYS_A_REQUEST
    return Measured({"speed": outcomes / seconds}, outcomes, seconds, {}, {"replay": peak})


if __name__ == "__main__":
    sys.exit(main())
