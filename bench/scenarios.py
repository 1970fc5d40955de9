"""What is measured, first form. A figure is given only if the counts on the topics are those that were planted."""

import random
import statistics
import time
from collections import Counter
from typing import Any

import psycopg

from bench.lag import total_lag
from bench.traffic import Expected, Publisher, Tail, chunks_of, count_operations, count_statuses
from bench.world import World

SEED = 20261
PATIENCE_S = 300.0


class WrongCount(Exception):
    """The topics do not hold what was planted: there is no figure."""


def backlog(world: World, keys: int, per_request: int) -> dict[str, Any]:
    """Keys a second of a backlog of distinct random keys, from the processor's readiness to the last outcome."""
    chosen = random.Random(SEED).sample(range(1, world.rows + 1), keys)
    run = world.run()
    publisher = Publisher(run)
    for part in chunks_of(chosen, per_request):
        publisher.publish(part)
    publisher.flush()
    history, corrections = Tail(run, run.topics.history), Tail(run, run.topics.corrections)
    run.start("process")
    started = time.monotonic()
    outcomes = count_statuses(history, keys, PATIENCE_S)
    took = time.monotonic() - started
    run.stop("process")
    expected = Expected(chosen)
    operations = count_operations(run, corrections, expected.creates + expected.updates, 10.0)
    history.close()
    corrections.close()
    if mistakes := expected.mistakes(outcomes, operations):
        raise WrongCount("; ".join(mistakes))
    return {
        "scenario": "backlog",
        "keys": keys,
        "keys_per_request": per_request,
        "seconds": round(took, 2),
        "keys_per_s": round(keys / took),
        "peak_rss_mb": run.peak_rss_mb,
    }


def latency(world: World, per_s: int, seconds: int) -> dict[str, Any]:
    """Milliseconds from publishing a single-key request to its outcome being readable, when otherwise idle.

    Measured from the first outcome on: a consumer that has just been given its partitions first asks where they begin.
    """
    run = world.run()
    run.start("process")
    publisher, history = Publisher(run), Tail(run, run.topics.history)
    chosen = random.Random(SEED).sample(range(2, world.rows, 100), per_s * seconds)
    sent_at: dict[str, float] = {}
    took: list[float] = []
    found: Counter[str] = Counter()
    outcomes = history.outcomes(PATIENCE_S)
    publisher.publish([1])
    publisher.flush()
    next(outcomes)
    began = time.monotonic()
    for number, key in enumerate(chosen):
        while time.monotonic() < began + number / per_s:
            for outcome in history.arrived():
                took.append(time.monotonic() - sent_at.pop(outcome.request_id))
                found[outcome.status] += 1
        request_id = publisher.publish([key])
        sent_at[request_id] = time.monotonic()
        publisher.flush()
    for outcome in outcomes:
        took.append(time.monotonic() - sent_at.pop(outcome.request_id))
        found[outcome.status] += 1
        if not sent_at:
            break
    run.stop("process")
    history.close()
    if mistakes := Expected(chosen).mistakes(found, Counter()):
        raise WrongCount("; ".join(mistakes))
    return {
        "scenario": "latency",
        "requests_per_s": per_s,
        "requests": len(chosen),
        "p50_ms": round(statistics.median(took) * 1000, 1),
        "p99_ms": round(statistics.quantiles(took, n=100)[98] * 1000, 1),
    }


def recovery(world: World, kills: int) -> dict[str, Any]:
    """Seconds from starting a killed role anew to the first committed outcome of a request published after the kill.

    For the store: until that outcome stands in its tables. Then the lag that all groups settle at.
    """
    run = world.run()
    for role in ("process", "apply", "store"):
        run.start(role)
    publisher = Publisher(run)
    differing = iter(random.Random(SEED).sample(range(50, world.rows, 50), 3 * kills))
    times: dict[str, list[float]] = {}
    for role in ("process", "apply", "store"):
        for _ in range(kills):
            run.kill(role)
            tail = Tail(run, run.topics.history)
            request_id = publisher.publish([next(differing)])
            publisher.flush()
            started = time.monotonic()
            run.start(role)
            if role == "store":
                _await_row(run.settings.history_dsn, request_id)
            else:
                _await_outcome(tail, request_id, "SENT" if role == "process" else "APPLIED")
            times.setdefault(role, []).append(time.monotonic() - started)
            tail.close()
    lag = total_lag(run.settings, ("process", "apply", "store"))
    run.stop("process", "apply", "store")
    return {
        "scenario": "recovery",
        "kills_per_role": kills,
        **{f"{role}_median_s": round(statistics.median(t), 2) for role, t in times.items()},
        **{f"{role}_max_s": round(max(t), 2) for role, t in times.items()},
        "idle_lag": lag,
        "peak_rss_mb": run.peak_rss_mb,
    }


def _await_outcome(tail: Tail, request_id: str, status: str) -> None:
    for outcome in tail.outcomes(60.0):
        if outcome.request_id == request_id and outcome.status == status:
            return


def _await_row(dsn: str, request_id: str) -> None:
    deadline = time.monotonic() + 60.0
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.monotonic() < deadline:
            query = "select 1 from history.outcomes where request_id = %s"
            if connection.execute(query, (request_id,)).fetchone():
                return
    raise TimeoutError("the store did not keep the outcome within 60 s")
