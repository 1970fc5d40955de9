"""Runs the benchmark: a table a scenario, and all figures in a file.

Exits 1 where a count is wrong or nothing could be measured, 2 for options that cannot be used; never for a time.
"""

import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bench.contend import Contest, contend
from bench.figures import machine, versions
from bench.latest import keep, scenario_of
from bench.options import parse
from bench.progress import Pace, progress
from bench.scenarios import scenarios
from bench.tables import show
from bench.world import RunFailed, loaded, world
from processor.cli.output import say
from processor.cli.progress import duration
from stack.errors import StackError


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    options, began = parse(arguments), time.monotonic()
    contests: list[Contest] = []
    about = {
        "command": " ".join(["python -m bench", *(sys.argv[1:] if arguments is None else arguments)]),
        "seed": options.seed,
        "rows": options.rows,
    }
    try:
        keep(options.output, contests, about)  # those of an earlier run are not this one's
    except OSError as fault:
        say(f"python -m bench: error: --output: {fault}")
        return 2
    try:
        wanted = scenarios(options)
        pace = Pace(wanted, options.repeats, is_quick=options.quick)
        say(f"{len(wanted)} scenarios, {pace.turns} turns: about {duration(pace.expected_s)} on two cores")
        with progress(pace) as turn, world(options.rows, options.seed, is_quick=options.quick) as first:
            here = first
            about |= {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
            about |= {"versions": versions(here.env["RESYNC_STATE_DSN"])}
            for each in wanted:
                if (rows := each.rows or options.rows) != here.rows:
                    here = loaded(replace(here, rows=rows))
                contests.append(contend(here, each, options.repeats, turn))
                show(scenario_of(contests[-1]))
                keep(options.output, contests, about | {"took_s": time.monotonic() - began})
    except (StackError, RunFailed, OSError) as fault:
        say(f"python -m bench: {fault}")
        return 1
    say(f"{options.output}: {len(contests)} scenarios in {time.monotonic() - began:.0f} s")
    return exit_code(contests)


def exit_code(contests: list[Contest]) -> int:
    return 1 if not contests or any(contest.faults for contest in contests) else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the services would be left
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
