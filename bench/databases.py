"""What the roles ask of the databases, as these see it: `python -m bench.databases`.

One JSON line each for single keys, requests of 1,000 keys, and all rows verified and resynced. `a_key` has calls and
rows a key of each database, `most_connections` the most at once by database and application, `whole_scans` how often
the tables of the object were read from end to end.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from bench import command
from bench.checksum import check_equal
from bench.figures import Figure
from bench.proof import prove
from bench.servers import count_statements, forget_statements, most_connections, statements, whole_scans
from bench.traffic import Planted, Publisher, Tail, chunks_of
from bench.whole import resync, verify
from bench.world import ROLES, Run, World
from processor.core.history import KeyOutcome

SINGLE = 300
KEYS_PER_REQUEST, REQUESTS = 1_000, 20
ANSWER_S = 60.0


def main() -> int:
    return command.figures(command.options("bench.databases", __doc__, rows=1_000_000), measured)


def measured(here: World, _options: argparse.Namespace) -> Iterator[Figure]:
    count_statements(here.stack)
    works: dict[str, Callable[[Run], int]] = {
        "single keys": single_keys,
        "requests of 1,000 keys": requests_of_many,
        "all verified": all_verified,
        "all resynced": all_resynced,
    }
    for name, work in works.items():
        with here.run() as run:
            yield {"scenario": f"databases, {name}", **touched(run, work)}
            if work is all_resynced:
                check_equal(run)


def touched(run: Run, work: Callable[[Run], int]) -> Figure:
    """From when the roles are ready until they have stopped: what they did last is counted by then."""
    before = whole_scans(run)
    run.start(*ROLES)
    forget_statements(run)
    with most_connections(run) as most:
        keys = work(run)
    run.stop(*ROLES)
    return {
        "keys": keys,
        "a_key": {name: each.a_key(keys) for name, each in sorted(statements(run).items())},
        "most_connections": dict(sorted(most.items())),
        "whole_scans": {table: count - before[table] for table, count in whole_scans(run).items()},
    }


def single_keys(run: Run) -> int:
    """One after the other, each once the one before has its outcome."""
    chosen = run.world.choose(range(1, run.world.rows + 1), SINGLE)
    publisher, tail = Publisher(run), Tail(run)
    for key in chosen:
        request_id = publisher.publish([key])
        publisher.flush()
        _await_outcome(tail, request_id)
    return _proven(run, tail, chosen, len(chosen))


def requests_of_many(run: Run) -> int:
    """All published at once."""
    chosen = run.world.choose(range(1, run.world.rows + 1), min(KEYS_PER_REQUEST * REQUESTS, run.world.rows))
    requests = list(chunks_of(chosen, KEYS_PER_REQUEST))
    publisher, tail = Publisher(run), Tail(run)
    for keys in requests:
        publisher.publish(keys)
    publisher.flush()
    return _proven(run, tail, chosen, len(requests))


def all_verified(run: Run) -> int:
    planted = run.world.planted()
    verify(run, planted)
    return planted.rows


def all_resynced(run: Run) -> int:
    planted = run.world.planted()
    resync(run, planted)
    return planted.rows


def _await_outcome(tail: Tail, request_id: str) -> None:
    until = time.monotonic() + ANSWER_S
    while time.monotonic() < until:
        if any(isinstance(record, KeyOutcome) and record.request_id == request_id for record in tail.read()):
            return
    raise TimeoutError(f"one key has no outcome after {ANSWER_S:.0f} s")


def _proven(run: Run, tail: Tail, keys: Sequence[int], requests: int) -> int:
    planted = Planted(keys, requests)
    tail.until(planted.done(), lambda _done, _total: None)
    prove(run, tail, planted)
    return len(keys)


if __name__ == "__main__":
    sys.exit(main())
