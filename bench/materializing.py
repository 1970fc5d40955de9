"""Outcomes into the store's tables, and a replay of them: `python -m bench.materializing`.

One JSON line a figure. The store finds a history topic of outcomes. What it keeps is counted while it works, from the
first rows that are seen to the last. Beside it stands binary COPY into a temporary table and one merge a batch, into a
table with the same indexes and no triggers: the rows are made ready before, and one client brings batches of as many.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import psycopg
from psycopg import sql

from bench import command, history_topic
from bench.figures import Figure
from bench.history_topic import KEYS_A_REQUEST
from bench.options import number
from bench.traffic import WrongCount
from bench.world import Run, RunFailed, World
from processor.adapters.postgres.history_connection import LIVE_SCHEMA, connect
from processor.adapters.postgres.history_rows import COLUMNS, PRIMARY_KEY, TYPES, Row, outcome_row
from processor.core.history import KeyOutcome
from processor.service.history_ports import BatchLimits
from stack import roles

BATCH = BatchLimits().records
LOOK_EVERY_S = 0.02
LONGEST_S = 900.0
FLOOR_TABLES = """
drop table if exists floor_outcomes, batch_floor;
create table floor_outcomes (like outcomes including all);
create temp table batch_floor (like outcomes) on commit delete rows;
"""
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
    return command.figures(parser, measured)


def measured(here: World, options: argparse.Namespace) -> Iterator[Figure]:
    requests = options.outcomes // KEYS_A_REQUEST
    for _ in range(options.repeats):
        with here.run() as run:
            yield materialized(run, requests)
    with here.run() as run:
        run.start("store")
        run.stop("store")
        peaks: list[float] = []
        for begin, until in ((0, requests), (requests, requests * options.grown)):
            if begin < until:
                history_topic.publish(run, until - begin, begin)
                figure = replayed(run, until)
                peaks.append(figure["peak_rss_mb"]["replay"])
                yield {**figure, "times_as_much": round(peaks[-1] / peaks[0], 2)}


def materialized(run: Run, requests: int) -> Figure:
    """The store, and right after it the floor on the same server. Raises WrongCount."""
    outcomes = requests * KEYS_A_REQUEST
    run.start("store")
    run.stop("store")  # its partitions are live from here on, as those of any store that runs
    history_topic.publish(run, requests)
    run.start("store")
    ours = _watched(run, outcomes)
    run.stop("store")
    _check(run, "outcomes", requests)
    floor = merged(run, requests)
    return {
        "scenario": "materializing",
        "outcomes": outcomes,
        "keys_per_s": round(ours),
        "copy_and_merge_per_s": round(floor),
        "ratio": round(ours / floor, 3),
        "peak_rss_mb": run.peak_rss_mb,
    }


def _watched(run: Run, outcomes: int) -> float:
    """Outcomes a second, from the first that are seen in the tables to the last."""
    seen: list[tuple[float, int]] = []
    until = time.monotonic() + LONGEST_S
    with psycopg.connect(run.settings.history_dsn, autocommit=True) as connection:
        while time.monotonic() < until:
            row = connection.execute("select coalesce(sum(keys), 0)::bigint from resync_store.tallies").fetchone()
            if row is not None and row[0]:
                seen.append((time.monotonic(), row[0]))
                if row[0] >= outcomes:
                    (began, first), (ended, last) = seen[0], seen[-1]
                    return (last - first) / (ended - began)
            time.sleep(LOOK_EVERY_S)
    raise TimeoutError(f"{outcomes:,} outcomes were not in the tables within {LONGEST_S:.0f} s")


def merged(run: Run, requests: int) -> float:
    """Outcomes a second, of the floor."""
    outcomes = [each for each in history_topic.records(requests) if isinstance(each, KeyOutcome)]
    batches = list(_batches([outcome_row(each) for each in outcomes]))
    with connect(run.settings.history_dsn, "floor", LIVE_SCHEMA) as connection:
        connection.execute(FLOOR_TABLES)
        began = time.monotonic()
        for batch in batches:
            with connection.transaction(), connection.cursor() as cursor:
                with cursor.copy(FLOOR_COPY) as copy:
                    copy.set_types(TYPES["outcomes"])
                    for row in batch:
                        copy.write_row(row)
                cursor.execute(FLOOR_MERGE)
        took = time.monotonic() - began
    _check(run, "floor_outcomes", requests)
    return len(outcomes) / took


def _batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


def replayed(run: Run, requests: int) -> Figure:
    """`resync replay` of a topic of so many requests. Raises WrongCount and RunFailed."""
    began = time.monotonic()
    with subprocess.Popen(
        [str(roles.console_script()), "replay"], env=os.environ | run.env, stderr=subprocess.PIPE, text=True
    ) as replay:
        peak = 0.0
        while replay.poll() is None:
            peak = max(peak, _peak_rss_mb(replay.pid))
            time.sleep(0.05)
        if replay.returncode:
            told = "" if replay.stderr is None else replay.stderr.read()
            raise RunFailed(f"resync replay ended with {replay.returncode}: {told.strip()}")
    took = time.monotonic() - began
    _check(run, "outcomes", requests)
    outcomes = requests * KEYS_A_REQUEST
    return {
        "scenario": "replay",
        "outcomes": outcomes,
        "seconds": round(took, 2),
        "keys_per_s": round(outcomes / took),
        "peak_rss_mb": {"replay": round(peak, 1)},
    }


def _peak_rss_mb(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM:")), 0.0)


def _check(run: Run, table: str, requests: int) -> None:
    """Raises WrongCount unless the table holds each outcome, with the status that was published."""
    counted = sql.SQL("select status, count(*), count(distinct (request_id, key)) from {} group by 1").format(
        sql.Identifier(LIVE_SCHEMA, table)
    )
    with psycopg.connect(run.settings.history_dsn) as connection:
        found = {status: (rows, keys) for status, rows, keys in connection.execute(counted)}
    half = requests * KEYS_A_REQUEST // 2
    wanted = {"IN_SYNC": (half, half), "APPLIED": (half, half)}
    if found != wanted:
        raise WrongCount(f"{table} holds {found} instead of {wanted} (rows and keys by status)")


if __name__ == "__main__":
    sys.exit(main())
