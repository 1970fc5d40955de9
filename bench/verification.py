"""Verification of a whole object, with 3 % off and with nothing off: `python -m bench.verification`.

One JSON line a figure. `seconds` is from the start of the command to its summary, `scanned_s` from there to its last
row being read and compared, without the wait after which what differs is read once more; `checksum_s` is how long both
servers take, at the same time, to count the rows of their tables and to hash each: a mark of what is possible. With
`--reladiff` the same tables are given to that tool too, by several of its settings: `scan_times_as_fast` holds each
against `scanned_s`, since it does not look twice, and `times_as_fast` against `seconds`.
"""

import argparse
import sys
from collections.abc import Iterator

from bench import command
from bench.checksum import checksum_s
from bench.figures import Figure
from bench.peers.diffing import reladiff, told
from bench.planted import Planted, plant_nothing, three_percent
from bench.traffic import OBJECT
from bench.whole import keys_off, parts_of, verify
from bench.world import Run, World
from processor.bootstrap.parts import open_catalog
from processor.cli.output import say


def main() -> int:
    parser = command.options("bench.verification", __doc__, rows=200_000)
    parser.add_argument("--reladiff", action="store_true", help="beside that tool; its environment is made when needed")
    return command.figures(parser, measured)


def measured(here: World, options: argparse.Namespace) -> Iterator[Figure]:
    with here.run() as run:
        run.start("process", "store")
        yield verified(run, "3 % off", three_percent(run), options)
        yield verified(run, "equal", plant_nothing(run), options)
        run.stop("process", "store")
        say(f"most memory: {run.peak_rss_mb}")


def verified(run: Run, name: str, planted: Planted, options: argparse.Namespace) -> Figure:
    """Raises WrongCount where the summary is not what was planted."""
    done = verify(run, planted)
    figure = {
        "scenario": f"verification, {name}",
        "rows_a_side": planted.rows,
        "seconds": round(done.seconds, 2),
        "rows_per_s": round(planted.rows / done.seconds),
        "scanned_s": round(done.scanned_s, 2),
        "parts": parts_of(run, done.request_id),
        "checksum_s": round(checksum_s(run), 2),
    }
    if not options.reladiff:
        return figure
    diffs = reladiff(open_catalog(run.settings).objects[OBJECT], run.env)
    return figure | told(diffs, done.scanned_s, done.seconds, keys_off(run, done.request_id))


if __name__ == "__main__":
    sys.exit(main())
