"""Runs the benchmark: one JSON line a figure on stdout and in bench/out, a table for people at the end.

Exits 1 where a count is wrong or nothing could be measured, 2 for options that cannot be used; never for a time.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench.backlog import backlog
from bench.beside import beside
from bench.figures import Figure, machine, show, versions
from bench.in_small import whole_in_small
from bench.latency import latency
from bench.options import REQUESTS_PER_S, Options, parse
from bench.recovery import recovery
from bench.traffic import WrongCount
from bench.world import RunFailed, World, world
from processor.cli.output import print_line, say
from processor.cli.progress import is_shown
from stack.errors import StackError

KEYS_PER_REQUEST = (1, 100, 1_000)


def main() -> int:
    """Returns the exit code."""
    options = parse()
    began = time.monotonic()
    figures: list[Figure] = []
    failed = False
    try:
        _keep(options.output, figures)  # those of an earlier run are not this one's
    except OSError as fault:
        say(f"python -m bench: error: --output: {fault}")
        return 2
    try:
        with world(options.rows, options.seed) as here:
            about = {"seed": options.seed, "rows": options.rows, "versions": versions(here.env["RESYNC_STATE_DSN"])}
            for scenario, name, measure in _wanted(here, options):
                started = time.monotonic()
                if not is_shown():
                    say(f"{name} …")
                try:
                    figure = measure()
                except (WrongCount, RunFailed, TimeoutError) as fault:
                    failed = True
                    say(f"{name}: no figure: {fault}")
                    continue
                took = round(time.monotonic() - started, 1)
                made = {**figure, "command": options.command(scenario), **about, "machine": machine(), "took_s": took}
                figures.append(made)
                print_line(json.dumps(made))
                _keep(options.output, figures)
    except (StackError, OSError) as fault:
        say(f"python -m bench: {fault}")
        return 1
    if figures:
        show(figures, time.monotonic() - began)
    say(f"{options.output}: {len(figures)} figures")
    return 1 if failed else 0


def _wanted(here: World, options: Options) -> Iterator[tuple[str, str, Callable[[], Figure]]]:
    """Scenarios, their names for people, and what measures them."""
    if "backlog" in options.only:
        for each in KEYS_PER_REQUEST:
            name = f"backlog in requests of {each}"
            yield "backlog", name, partial(backlog, here, options.keys, each, name)
    if "latency" in options.only:
        yield "latency", "latency", partial(latency, here, REQUESTS_PER_S, options.seconds)
    if "beside" in options.only:
        yield "beside", "beside a batch", partial(beside, here, REQUESTS_PER_S, options.seconds)
    if "whole" in options.only:
        yield "whole", "a whole object", partial(whole_in_small, here)
    if "recovery" in options.only:
        yield "recovery", "recovery", partial(recovery, here, options.kills)


def _keep(output: Path, figures: list[Figure]) -> None:
    output.parent.mkdir(exist_ok=True)
    output.write_text("".join(f"{json.dumps(figure)}\n" for figure in figures), encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
