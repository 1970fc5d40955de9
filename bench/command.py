"""What commands of single figures have in common: one world, one JSON line a figure, exit codes."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence

from bench.contend import contend
from bench.figures import Figure, machine, versions
from bench.latest import scenario_of
from bench.measured import Scenario
from bench.options import SEED, number
from bench.traffic import WrongCount
from bench.world import RunFailed, World, world
from processor.cli.output import print_line, say
from stack.errors import StackError

Measure = Callable[[World, argparse.Namespace], Iterator[Figure]]


def options(module: str, text: str | None, rows: int) -> argparse.ArgumentParser:
    """`text` is the module's docstring, of which the first line says what is measured."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}", description=(text or "").split("\n")[0], allow_abbrev=False
    )
    parser.add_argument("--rows", type=number(1_000, 5_000_000), default=rows, help="rows a side (%(default)s)")
    return parser


def figures(parser: argparse.ArgumentParser, measure: Measure, arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 where a count is wrong, or nothing could be measured; never for a time."""
    chosen = parser.parse_args(arguments)
    return printed(parser, chosen, measure, [chosen.rows])


def contest(here: World, scenario: Scenario, repeats: int) -> Figure:
    """Of a scenario by itself. Raises WrongCount where a contender has no figure."""
    done = contend(here, scenario, repeats)
    if done.faults:
        raise WrongCount("; ".join(done.faults))
    return scenario_of(done)


def printed(parser: argparse.ArgumentParser, chosen: argparse.Namespace, measure: Measure, sizes: Sequence[int]) -> int:
    """A world of each of the sizes, one after the other."""
    command = " ".join([parser.prog, *sys.argv[1:]])
    for rows in sizes:
        try:
            with world(rows, SEED) as here:
                about = {"command": command, "versions": versions(here.env["RESYNC_STATE_DSN"])}
                for figure in measure(here, chosen):
                    print_line(json.dumps({**figure, **about, "machine": machine()}))
        except (RunFailed, WrongCount, TimeoutError) as fault:
            say(f"no figure: {fault}")
            return 1
        except (StackError, OSError) as fault:
            say(f"{parser.prog}: {fault}")
            return 1
    return 0
