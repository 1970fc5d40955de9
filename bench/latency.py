"""How long one key waits for its outcome: when there is little else to do, and while all rows are verified."""

import time
import uuid
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle

from bench.asking import Asking, percentiles_ms, time_is_up
from bench.backlog import decided
from bench.lag import assert_idle
from bench.measured import Contender, Measured, Scenario, Unit
from bench.meter import Meter, peaks_of
from bench.planted import Planted as PlantedRows
from bench.planted import Planting
from bench.traffic import OBJECT, Planted, Tail, WrongCount, compare
from bench.workers import OURS, Job, Worker
from bench.world import DISTRICT, OTHER, ROLES, Run, World
from processor.core.history import ChunkStatus
from processor.core.request import All, Mode, Report, Request

PER_S = 50
WARM_S = 2.0
"""A consumer that has just been given its partitions asks where they begin, and what is warm later is cold at first."""


def idle(seconds: int, workers: Sequence[Worker]) -> Scenario:
    """`workers` are those beside us."""
    contenders = [
        Contender(each.name, partial(waited, worker=each, seconds=seconds), each.goals_of("latency"))
        for each in (OURS, *workers)
    ]
    return Scenario("latency", f"single keys, {PER_S} a second", Unit.MILLISECONDS, contenders)


def waited(world: World, *, worker: Worker, seconds: int) -> Measured:
    """Milliseconds from publishing a request of one random key to its outcome being readable."""
    keys = iter(world.choose(range(1, world.rows + 1), min(world.rows, round(PER_S * (seconds + WARM_S)) + PER_S)))
    with world.run() as run:
        with worker.working(run, Job(1)) as pids:
            asking = Asking(run, {DISTRICT: keys})
            asking.go(PER_S, time_is_up(min(seconds, WARM_S)))
            meter = Meter(world.stack, pids)
            took = asking.go(PER_S, time_is_up(seconds))[DISTRICT]
            cpu_s, peaks = meter.cpu_s(), peaks_of(pids)
            asking.close()
        decided(run, Planted(asking.asked, len(asking.asked), world.planting))
    return Measured(percentiles_ms(took), len(took), seconds, cpu_s, peaks)


def beside(seconds: int) -> Scenario:
    """Ours while all rows of one of two districts are verified, beside ours while they are not."""
    contenders = [
        Contender("ours, beside a batch", partial(waited_beside, seconds=seconds, is_busy=True)),
        Contender("ours, idle", partial(waited_beside, seconds=seconds), {"p99": 1 / 3}, takes_long=True),
    ]
    name = f"single keys, {PER_S} a second of each of two districts, while all rows of one are verified"
    return Scenario("latency", name, Unit.MILLISECONDS, contenders)


def waited_beside(world: World, *, seconds: int, is_busy: bool = False) -> Measured:
    """All roles run. The batch, where there is one, begins with the measuring, which lasts until its end."""
    batch = Request(str(uuid.uuid4()), DISTRICT, OBJECT, All(), "bench", mode=Mode.VERIFY, report=Report.CHANGES)
    with world.run() as run:
        run.start(*ROLES)
        asking = Asking(
            run, {each: in_sync(range(1, world.rows_of(each) + 1), world.planting) for each in (DISTRICT, OTHER)}
        )
        asking.go(PER_S, time_is_up(min(seconds, WARM_S)))
        meter = Meter(world.stack, {role: [run.pid(role)] for role in ROLES})
        began = time.monotonic()
        if is_busy:
            asking.publisher.send(batch)
            asking.publisher.flush()
        took = asking.go(PER_S, (lambda: asking.has_ended(batch.request_id)) if is_busy else time_is_up(seconds))
        cpu_s, lasted = meter.cpu_s(), time.monotonic() - began
        asking.close()
        assert_idle(run.settings, ROLES)
        run.stop(*ROLES)
        check(run, world.planted() if is_busy else None, len(asking.asked))
    values = {**percentiles_ms(took[DISTRICT]), **percentiles_ms(took[OTHER], ", other district")}
    amount = sum(map(len, took.values())) + (world.rows if is_busy else 0)
    return Measured(values, amount, lasted, cpu_s, run.peak_rss_mb)


def in_sync(keys: range, planting: Planting) -> Iterator[int]:
    """Those that were planted equal on both sides, again and again."""
    return cycle([key for key in keys if not planting.is_differing(key) and not planting.is_missing(key)])


def check(run: Run, batch: PlantedRows | None, asked: int) -> None:
    """The topics hold an outcome for each request, and what was planted of the batch. Raises WrongCount."""
    tail, counted = Tail(run), 0
    for record in tail.to_end():
        counted += record.in_sync if isinstance(record, ChunkStatus) else 0
    tail.close()
    requests = asked + (batch is not None)
    wanted = {"request ACCEPTED": requests, "end COMPLETE": requests, "outcome IN_SYNC": asked}
    if batch is not None:
        wanted |= {"outcome DIFFERS": batch.differing, "outcome MISSING_AT_STATE": batch.missing}
    compare({name: count for name, count in tail.counts.items() if name != "ChunkStatus"}, wanted, "on the topics")
    if counted != (batch.equal if batch else 0):
        raise WrongCount(f"{counted} keys of the batch in sync instead of {batch.equal if batch else 0}")
