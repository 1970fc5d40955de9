"""How long one key waits for its outcome when there is little else to do."""

import statistics
import time

from bench.figures import Figure
from bench.traffic import Planted, Publisher, Tail, compare
from bench.world import World
from processor.cli.progress import counting
from processor.core.history import KeyOutcome

ANSWER_S = 60.0


def latency(world: World, per_s: int, seconds: int) -> Figure:
    """Milliseconds from publishing a request of one random key to its outcome being readable.

    Measured from the first outcome on: a consumer that has just been given its partitions first asks where they begin.
    """
    first, *chosen = world.choose(range(1, world.rows + 1), per_s * seconds + 1)
    planted = Planted([first, *chosen], len(chosen) + 1)
    sent_at: dict[str, float] = {}
    took: list[float] = []
    with world.run() as run, counting("latency") as show:
        run.start("process")
        publisher, tail = Publisher(run), Tail(run)

        def look(timeout_s: float) -> None:
            outcomes = [record for record in tail.read(timeout_s) if isinstance(record, KeyOutcome)]
            now = time.monotonic()
            took.extend(now - sent_at.pop(outcome.request_id) for outcome in outcomes if outcome.request_id in sent_at)

        def ask(key: int) -> None:
            request_id = publisher.publish([key])
            sent_at[request_id] = time.monotonic()
            publisher.flush()

        def await_all() -> None:
            deadline = time.monotonic() + ANSWER_S
            while sent_at:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{len(sent_at)} requests of one key without an outcome after {ANSWER_S:.0f} s")
                look(0.02)

        ask(first)
        await_all()
        took.clear()
        began = time.monotonic()
        for number, key in enumerate(chosen):
            while time.monotonic() < began + number / per_s:
                look(0.001)
            ask(key)
            show(number + 1, len(chosen))
        await_all()
        tail.to_end()
        tail.close()
        compare(tail.counts, planted.decided(), "on the topics")
        run.stop("process")
    return {
        "scenario": "latency",
        "requests_per_s": per_s,
        "requests": len(chosen),
        "p50_ms": round(statistics.median(took) * 1000, 1),
        "p99_ms": round(statistics.quantiles(took, n=100)[98] * 1000, 1),
        "peak_rss_mb": run.peak_rss_mb,
    }
