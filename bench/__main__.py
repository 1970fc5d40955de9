"""Runs the benchmarks: one JSON line a figure on stdout, all of them in bench/out/latest.json.

Exits 1 where a count is wrong, never for a time.
"""

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.scenarios import SEED, WrongCount, backlog, latency, recovery
from bench.world import World, world

OUT = Path(__file__).parent / "out" / "latest.json"


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--keys", type=int, default=200_000, help="keys of a backlog")
    parser.add_argument("--rows", type=int, default=400_000, help="rows of the district's table")
    parser.add_argument("--kills", type=int, default=10, help="kills a role")
    parser.add_argument("--seconds", type=int, default=20, help="length of the latency run")
    options = parser.parse_args()
    figures = []
    failed = False
    with world(options.rows) as here:
        for name, figure in _figures(here, options):
            if isinstance(figure, WrongCount):
                failed = True
                print(f"# {name}: no figure: {figure}", file=sys.stderr)
            else:
                figures.append(figure)
                print(json.dumps(figure), flush=True)
    OUT.parent.mkdir(exist_ok=True)
    about = {"seed": SEED, "rows": options.rows, "python": platform.python_version(), "machine": platform.machine()}
    OUT.write_text(json.dumps({**about, "figures": figures}, indent=2) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _figures(here: World, options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any] | WrongCount]]:
    for per_request in (1, 100, 1_000):
        name = f"backlog of {per_request} keys a request"
        try:
            yield name, backlog(here, options.keys, per_request)
        except WrongCount as wrong:
            yield name, wrong
    yield "latency", latency(here, 50, options.seconds)
    yield "recovery", recovery(here, options.kills)


if __name__ == "__main__":
    sys.exit(main())
