"""How soon a killed role works again, and whether anything was lost or done twice: `python -m bench.recovery`."""

import statistics
import sys
import time
from collections.abc import Callable

import psycopg

from bench import command
from bench.figures import Figure
from bench.options import number
from bench.proof import prove
from bench.traffic import Planted, Publisher, Tail
from bench.world import ROLES, Run, World
from processor.cli.progress import counting
from processor.core.history import KeyOutcome, Status

PATIENCE_S = 60.0


def main() -> int:
    parser = command.options("bench.recovery", __doc__, rows=100_000)
    parser.add_argument("--kills", type=number(1, 300), default=10, help="of each role (%(default)s)")
    return command.figures(parser, lambda here, options: iter([recovery(here, options.kills)]))


def recovery(world: World, kills: int) -> Figure:
    """Seconds from starting a killed role anew to the first committed outcome of a request published after the kill.

    For the applier: an APPLIED one; for the store: until the outcome stands in its tables. All keys asked for differ.
    """
    chosen = world.choose(range(50, world.rows + 1, 50), len(ROLES) * kills)
    planted = Planted(chosen, len(chosen))
    recovered: dict[str, list[float]] = {role: [] for role in ROLES}
    differing = iter(chosen)
    with world.run() as run, counting("recovery: kills") as show:
        run.start(*ROLES)
        publisher, tail = Publisher(run), Tail(run)
        for role, times in recovered.items():
            for _ in range(kills):
                run.kill(role)
                request_id = publisher.publish([next(differing)])
                publisher.flush()
                started = time.monotonic()
                run.start(role)
                _await(role, run, tail, request_id)
                times.append(time.monotonic() - started)
                show(sum(map(len, recovered.values())), len(chosen))
        tail.until(planted.done(), lambda _done, _total: None)
        prove(run, tail, planted)
        run.stop(*ROLES)
    return {
        "scenario": "recovery",
        "kills_per_role": kills,
        "recovered_s": {role: _spread(times) for role, times in recovered.items()},
        "idle_lag": 0,
        "peak_rss_mb": run.peak_rss_mb,
    }


def _spread(times: list[float]) -> dict[str, float]:
    found = {"min": min(times), "median": statistics.median(times), "max": max(times)}
    return {name: round(seconds, 2) for name, seconds in found.items()}


def _await(role: str, run: Run, tail: Tail, request_id: str) -> None:
    if role == "store":
        with psycopg.connect(run.settings.history_dsn, autocommit=True) as connection:
            query = "select 1 from history.outcomes where request_id = %s"
            _until(lambda: bool(connection.execute(query, (request_id,)).fetchone()), role)
        return
    status = Status.SENT if role == "process" else Status.APPLIED

    def is_there() -> bool:
        records = [record for record in tail.read() if isinstance(record, KeyOutcome)]
        return any(record.request_id == request_id and record.status is status for record in records)

    _until(is_there, role)


def _until(is_there: Callable[[], bool], role: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_there():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no outcome within {PATIENCE_S:.0f} s of the new process of {role}")


if __name__ == "__main__":
    sys.exit(main())
