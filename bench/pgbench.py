"""What a verification costs others at the district's server: `python -m bench.pgbench`.

One JSON line a kind of transaction: how many a second pgbench has alone, while all rows are verified at full speed, and
while they are at a share of the time (`scan_share` of the catalog). Given only if verifications outlast pgbench.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import yaml

from bench import command
from bench.figures import Figure
from bench.options import number
from bench.traffic import Publisher
from bench.whole import request_for_all
from bench.world import DISTRICT, HERE, Run, RunFailed, World
from processor.cli.output import say
from processor.core.request import Mode
from stack import postgres

SCALE = 5
CLIENTS = 4
KINDS = {"reads and writes (TPC-B)": "tpcb-like", "reads": "select-only"}
SHARES = (1.0, 0.1)
REQUESTS = 4
"""Of all rows, one after the other by one reader: so that it does not end before pgbench does."""
BEGIN_S = 60.0
READ = "select coalesce(sum(district_rows), 0)::bigint, bool_or(state = 'PENDING') from resync_store.chunks"
FIGURES = re.compile(r"^latency average = (?P<ms>[\d.]+) ms$.*^tps = (?P<tps>[\d.]+) ", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Done:
    """By pgbench in a second, and how long one took."""

    tps: float
    ms: float


def main() -> int:
    parser = command.options("bench.pgbench", __doc__, rows=1_000_000)
    parser.add_argument("--seconds", type=number(1, 600), default=20, help="of each run of pgbench (%(default)s)")
    return command.figures(parser, measured)


def measured(here: World, options: argparse.Namespace) -> Iterator[Figure]:
    dsn = here.env[f"RESYNC_DISTRICT_DSN_{DISTRICT}"]
    _run(["-i", "-q", "-s", str(SCALE), dsn])
    for name, kind in KINDS.items():
        alone = pgbench(dsn, kind, options.seconds)
        say(f"{name}: {alone.tps:.0f} a second alone")
        beside = [verifying(here, share, kind, options.seconds) for share in SHARES]
        yield {
            "scenario": f"pgbench, {name}",
            "rows_a_side": here.rows,
            "clients": CLIENTS,
            "alone": {"tps": round(alone.tps, 1), "ms": alone.ms},
            "beside": [{**each, "slowed_by": slowed_by(alone.tps, each["tps"])} for each in beside],
        }


def verifying(here: World, share: float, kind: str, seconds: int) -> Figure:
    """With pgbench, while all rows are verified at such a share of the time."""
    with here.run(RESYNC_CATALOG=catalog_of(here, share)) as run:
        run.start("process", "store")
        publisher = Publisher(run)
        for _ in range(REQUESTS):
            publisher.send(request_for_all(Mode.VERIFY))
        publisher.flush()
        before = _first_read(run)
        done = pgbench(run.env[f"RESYNC_DISTRICT_DSN_{DISTRICT}"], kind, seconds)
        rows, goes_on = _read(run)
        if not goes_on or rows >= REQUESTS * here.rows:
            raise RunFailed("verifications ended before pgbench did: more --rows are needed, or fewer --seconds")
        return {
            "scan_share": share,
            "rows_verified_per_s": round((rows - before) / seconds),
            "tps": round(done.tps, 1),
            "ms": done.ms,
        }


def slowed_by(alone: float, beside: float) -> float:
    """The share of transactions that were lost."""
    return round(1 - beside / alone, 3)


def catalog_of(here: World, share: float) -> str:
    """The benchmark's catalog with such a `scan_share`, in a file."""
    catalog = yaml.safe_load((HERE / "catalog.yaml").read_text(encoding="utf-8"))
    catalog["limits"]["scan_share"] = share
    file = here.stack.dir / f"catalog-{share}.yaml"
    file.write_text(yaml.safe_dump(catalog), encoding="utf-8")
    return str(file)


def pgbench(dsn: str, kind: str, seconds: int) -> Done:
    return parse(_run(["-n", "-b", kind, "-c", str(CLIENTS), "-T", str(seconds), dsn]))


def parse(told: str) -> Done:
    """Raises RunFailed."""
    found = FIGURES.search(told)
    if found is None:
        raise RunFailed(f"pgbench told no figures: {told.strip()}")
    return Done(float(found["tps"]), float(found["ms"]))


def _run(arguments: list[str]) -> str:
    done = subprocess.run([postgres.program("pgbench"), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunFailed(f"pgbench ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _first_read(run: Run) -> int:
    until = time.monotonic() + BEGIN_S
    while time.monotonic() < until:
        rows, goes_on = _read(run)
        if rows and goes_on:
            return rows
        time.sleep(0.05)
    raise TimeoutError(f"no row was verified within {BEGIN_S:.0f} s")


def _read(run: Run) -> tuple[int, bool]:
    """How many of the district's rows were verified, and whether there are more."""
    with psycopg.connect(run.settings.history_dsn) as connection:
        rows, goes_on = connection.execute(READ).fetchone() or (0, False)
        return int(rows), bool(goes_on)


if __name__ == "__main__":
    sys.exit(main())
