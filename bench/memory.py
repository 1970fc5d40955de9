"""Memory of each role by the number of keys: `python -m bench.memory`.

One JSON line each for all rows verified, and resynced with half of them off, where there are few and where there are
many, the latter with how many times as much memory that took. Peaks of resident memory, as the kernel counts them.
"""

import argparse
import sys
from collections.abc import Iterator

from bench import command
from bench.batch import resynced
from bench.figures import Figure
from bench.options import number
from bench.planted import HALF
from bench.whole import verify
from bench.world import World

Peaks = dict[str, float]


def main() -> int:
    parser = command.options("bench.memory", __doc__, rows=1_000_000)
    parser.add_argument("--few", type=number(1_000, 5_000_000), default=10_000, help="rows beside (%(default)s)")
    chosen = parser.parse_args()
    peaks: dict[str, list[Peaks]] = {}

    def measured(here: World, _options: argparse.Namespace) -> Iterator[Figure]:
        for name, figure in _of(here):
            peaks.setdefault(name, []).append(figure["peak_rss_mb"])
            yield {"scenario": f"memory, {name}", **figure, **compared(peaks[name])}

    return command.printed(parser, chosen, measured, [chosen.few, chosen.rows])


def _of(here: World) -> Iterator[tuple[str, Figure]]:
    with here.run() as run:
        planted = here.planted()
        run.start("process", "store")
        verify(run, planted)
        run.stop("process", "store")
        yield "all verified", {"rows_a_side": planted.rows, "peak_rss_mb": run.peak_rss_mb}
    here.plant(HALF)
    with here.run() as run:
        figure = resynced(run, here.planted())
        yield "all resynced", {name: figure[name] for name in ("rows_a_side", "changes", "peak_rss_mb")}


def compared(peaks: list[Peaks]) -> dict[str, Peaks]:
    """How many times as much memory as at first each role needed at last."""
    first, last = peaks[0], peaks[-1]
    return {"times_as_much": {role: round(last[role] / first[role], 2) for role in first}} if len(peaks) > 1 else {}


if __name__ == "__main__":
    sys.exit(main())
