"""Resync of a whole object, with 3 % off and with half of all rows off: `python -m bench.batch`.

One JSON line a figure. `seconds` is from publishing the request to its end in the tables: all planned, let pass, sent,
applied and answered. Both sides are then compared by SQL.
"""

import argparse
import sys
from collections.abc import Iterator

from bench import command
from bench.checksum import check_equal
from bench.figures import Figure
from bench.lag import assert_idle
from bench.planted import Plant, Planted, plant_half, three_percent
from bench.whole import resync
from bench.world import ROLES, Run, World

PLANTS: dict[str, Plant] = {"3 % off": three_percent, "half off": plant_half}


def main() -> int:
    return command.figures(command.options("bench.batch", __doc__, rows=1_000_000), measured)


def measured(here: World, _options: argparse.Namespace) -> Iterator[Figure]:
    for name, plant in PLANTS.items():
        with here.run() as run:
            yield {"scenario": f"resync of all, {name}", **resynced(run, plant(run))}


def resynced(run: Run, planted: Planted) -> Figure:
    run.start(*ROLES)
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
        "peak_rss_mb": run.peak_rss_mb,
    }


if __name__ == "__main__":
    sys.exit(main())
