"""Keys a second of a backlog, and what the roles need of memory while they work it off."""

import time

from bench.figures import Figure
from bench.proof import prove
from bench.traffic import Planted, Publisher, Tail, chunks_of, compare
from bench.world import ROLES, World
from processor.cli.progress import counting


def backlog(world: World, keys: int, per_request: int, name: str) -> Figure:
    """Keys a second of distinct random keys, from the processor's readiness to the last outcome.

    Then the other roles start on what has piled up for them, until all is applied, answered and in the tables.
    """
    chosen = world.choose(range(1, world.rows + 1), keys)
    requests = list(chunks_of(chosen, per_request))
    planted = Planted(chosen, len(requests))
    with world.run() as run:
        publisher = Publisher(run)
        for part in requests:
            publisher.publish(part)
        publisher.flush()
        tail = Tail(run)
        run.start("process")
        started = time.monotonic()
        with counting(f"{name}: decided") as show:
            tail.until(planted.decided(), show)
        took = time.monotonic() - started
        compare(tail.counts, planted.decided(), "decided")
        started = time.monotonic()
        run.start("apply", "store")
        with counting(f"{name}: kept") as show:
            tail.until(planted.done(), show)
        kept = time.monotonic() - started
        prove(run, tail, planted)
        run.stop(*ROLES)
    return {
        "scenario": "backlog",
        "keys": keys,
        "keys_per_request": per_request,
        "seconds": round(took, 2),
        "keys_per_s": round(keys / took),
        "kept_s": round(kept, 1),
        "repeated_ends": tail.repeated_ends,
        "peak_rss_mb": run.peak_rss_mb,
        "idle_lag": 0,
    }
