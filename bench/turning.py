"""Memory of the processor when all rows begin to differ under a backlog: `python -m bench.turning`.

Keys whose rows are mostly the same on both sides, so that batches are large, then as many of which every row differs:
all batches in hand are full of rows at once (ADR 0253). One JSON line.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator

import psycopg

from bench import command
from bench.backlog import published
from bench.figures import Figure
from bench.growth import widened
from bench.meter import peaks_of
from bench.options import number
from bench.release import Watch
from bench.traffic import Planted, Tail, chunks_of, compare
from bench.workers import OURS, Job
from bench.world import DISTRICT, Run, World

OTHERWISE = "update bench_state_person set phone = '555-ELSE' where district_person_id > %s"


def main() -> int:
    parser = command.options("bench.turning", __doc__, rows=400_000)
    parser.add_argument("--keys", type=number(1_000, 1_000_000), default=80_000, help="of each half (%(default)s)")
    parser.add_argument("--keys-a-request", type=number(1, 100_000), default=100, help="%(default)s")
    parser.add_argument("--fields", type=number(2, 500), default=20, help="compared ones of a row (%(default)s)")
    return command.figures(parser, _measured)


def _measured(here: World, chosen: argparse.Namespace) -> Iterator[Figure]:
    half = here.rows // 2
    keys = min(chosen.keys, half)
    alike, differing = here.choose(range(1, half + 1), keys), here.choose(range(half + 1, here.rows + 1), keys)
    with here.run(**widened(here, chosen.fields)) as run:
        with psycopg.connect(run.settings.state_dsn, autocommit=True) as state:
            state.execute(OTHERWISE, (half,))
        requests = [*chunks_of(alike, chosen.keys_a_request), *chunks_of(differing, chosen.keys_a_request)]
        with OURS.working(run, Job(chosen.keys_a_request)) as pids:
            backlog = published(run, ((DISTRICT, part) for part in requests))
            watch, released = Watch(run, OURS.group(run)), backlog.release()
            seconds, peaks = watch.until(released) - released.at, peaks_of(pids)
            watch.close()
        _count(run, Planted(alike, len(requests)), Planted(differing, 0))
    speed = round(2 * keys / seconds)
    yield {"scenario": "all rows begin to differ", "fields": chosen.fields, "keys_per_s": speed, "peak_rss_mb": peaks}


def _count(run: Run, alike: Planted, differing: Planted) -> None:
    """Raises WrongCount."""
    updates = len(differing.keys) - differing.creates
    turned = Counter({"correction CREATE": differing.creates, "correction UPDATE": updates})
    turned["outcome SENT"] = len(differing.keys)
    found = Tail(run).count()
    del found["ChunkStatus"]  # of large requests, any number
    compare(found, alike.decided() + turned, "on the topics")


if __name__ == "__main__":
    sys.exit(main())
