"""Verification of a whole object, with 3 % off and with nothing off: `python -m bench.verification`.

One JSON line a figure. `seconds` is from the start of the command to its summary; `checksum_s` is how long both servers
take, at the same time, to count the rows of their tables and to hash each: a mark of what is possible.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg

from bench.figures import Figure, machine, versions
from bench.options import SEED, number
from bench.world import DISTRICT, Run, RunFailed, World, world
from processor.cli.output import print_line, say
from stack import roles

MADE_EQUAL = """
update bench_state_person set phone = '555-' || lpad((district_person_id % 10000)::text, 4, '0')
where phone = '555-DIFF'
"""
FOUND = ("district_rows", "state_rows", "in_sync", "differing", "missing_at_state", "missing_at_district")
CHECKSUM = "select count(*), sum(hashtextextended(t::text, 0)) from {} as t"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.verification", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=number(1_000, 5_000_000), default=200_000, help="rows a side (%(default)s)")
    options = parser.parse_args()
    with world(options.rows, SEED) as here:
        about = {
            "command": f"python -m bench.verification --rows {options.rows}",
            "versions": versions(here.env["RESYNC_STATE_DSN"]),
            "machine": machine(),
        }
        try:
            for figure in measured(here):
                print_line(json.dumps({**figure, **about}))
        except RunFailed as fault:
            say(f"no figure: {fault}")
            return 1
    return 0


def measured(here: World) -> Iterator[Figure]:
    with here.run() as run:
        run.start("process", "store")
        differing, missing = here.rows // 50, (here.rows + 99) // 100
        state_rows = here.rows - missing
        planted = (here.rows, state_rows, state_rows - differing, differing, missing, 0)
        yield verified(run, "3 % off", planted)
        _execute(here.env["RESYNC_STATE_DSN"], MADE_EQUAL)
        _execute(here.env[f"RESYNC_DISTRICT_DSN_{DISTRICT}"], "delete from bench_person where person_id % 100 = 1")
        yield verified(run, "equal", (state_rows, state_rows, state_rows, 0, 0, 0))
        run.stop("process", "store")
        say(f"most memory: {run.peak_rss_mb}")


def verified(run: Run, name: str, planted: tuple[int, ...]) -> Figure:
    """Raises RunFailed where the summary is not what was planted."""
    started = time.monotonic()
    command = [
        str(roles.console_script()),
        "verify",
        "--district",
        DISTRICT,
        "--object",
        "PersonIdentity",
        "-o",
        "json",
    ]
    done = subprocess.run(command, env=os.environ | run.env, capture_output=True, text=True, check=False)
    took = time.monotonic() - started
    if done.returncode not in {0, 3}:
        raise RunFailed(f"resync verify ended with {done.returncode}: {done.stderr.strip()}")
    summary = json.loads(done.stdout)
    found = tuple(summary[name] for name in FOUND)
    if found != planted:
        raise RunFailed(f"{FOUND}: found {found}, planted {planted}")
    return {
        "scenario": f"verification, {name}",
        "rows_a_side": planted[0],
        "seconds": round(took, 2),
        "rows_per_s": round(planted[0] / took),
        "parts": parts_of(run, summary["request_id"]),
        "checksum_s": round(checksum_s(run), 2),
    }


def parts_of(run: Run, request_id: str) -> int:
    """How many transactions the processor needed, those that read again by key included."""
    with psycopg.connect(run.settings.history_dsn) as connection:
        found = connection.execute("select count(*) from resync_store.chunks where request_id = %s", [request_id])
        return int((found.fetchone() or [0])[0])


def checksum_s(run: Run) -> float:
    sides = {f"RESYNC_DISTRICT_DSN_{DISTRICT}": "bench_person", "RESYNC_STATE_DSN": "bench_state_person"}
    started = time.monotonic()
    with ThreadPoolExecutor(len(sides)) as threads:
        list(threads.map(lambda side: _execute(run.env[side[0]], CHECKSUM.format(side[1])), sides.items()))
    return time.monotonic() - started


def _execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


if __name__ == "__main__":
    sys.exit(main())
