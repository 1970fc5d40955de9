"""Resync of a whole object, with 3 % off and with half of all rows off: `python -m bench.batch`.

One JSON line a figure. `seconds` is from publishing the request to its end in the tables: all planned, let pass, sent,
applied and answered. Both sides are then compared by SQL. With `--kill-every SECONDS` a role at a time is killed
(SIGKILL) and started again all the while, in turn, and all has to add up the same.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from threading import Event

from bench import command
from bench.checksum import check_equal
from bench.figures import Figure
from bench.lag import assert_idle
from bench.planted import HALF, USUAL, Planted
from bench.whole import resync
from bench.world import ROLES, Run, World


def main() -> int:
    parser = command.options("bench.batch", __doc__, rows=1_000_000)
    parser.add_argument("--kill-every", type=float, metavar="SECONDS", help="kill a role so often (default: none)")
    return command.figures(parser, measured)


def measured(here: World, options: argparse.Namespace) -> Iterator[Figure]:
    for planting in (USUAL, HALF):
        here.plant(planting)
        with here.run() as run:
            yield {"scenario": f"resync of all, {planting}", **resynced(run, here.planted(), options.kill_every)}


def resynced(run: Run, planted: Planted, kill_every_s: float | None = None) -> Figure:
    run.start(*ROLES)
    with killing(run, kill_every_s) as kills:
        done = resync(run, planted)
    check_equal(run)
    assert_idle(run.settings, ROLES)
    run.stop(*ROLES)
    return {
        "rows_a_side": planted.rows,
        "changes": planted.off,
        "planned_s": round(done.planned_s, 2),
        "seconds": round(done.seconds, 2),
        "keys_per_s": round(planted.rows / done.seconds),
        "changes_per_s": round(planted.off / done.seconds),
        **({"kills": dict(kills)} if kill_every_s else {}),
        "peak_rss_mb": run.peak_rss_mb,
    }


@contextmanager
def killing(run: Run, every_s: float | None) -> Iterator[Counter[str]]:
    """Kills a role so often and waits until it is ready again; counts by role. A fault of this is raised at the end."""
    kills: Counter[str] = Counter()
    if every_s is None:
        yield kills
        return
    done = Event()

    def kill_in_turn() -> None:
        for role in cycle(ROLES):
            if done.wait(every_s):
                return
            run.kill(role)
            kills[role] += 1
            run.start(role)

    with ThreadPoolExecutor(1) as threads:
        killer = threads.submit(kill_in_turn)
        try:
            yield kills
        finally:
            done.set()
        killer.result()


if __name__ == "__main__":
    sys.exit(main())
