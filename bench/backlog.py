"""A backlog of random keys: by us, by others, and by parts of the work done alone.

Everyone is ready, and has worked off a tenth as many keys, before the backlog becomes readable; it is done with once
the group's offsets behind it are committed. Records are counted afterwards, when nobody is measured any more.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bench.floors.looking import looking
from bench.measured import Contender, Measured, Scenario, Unit
from bench.meter import Meter, peaks_of
from bench.planted import USUAL, Planting
from bench.release import TAKEN_APART, Backlog, Watch
from bench.traffic import Planted, Tail, chunks_of, compare
from bench.workers import OURS, Job, Worker, ours, program
from bench.world import DISTRICT, OTHER, Run, World

WARM_SHARE = 10
KAFKA_ALONE = program("Kafka alone", lambda orders: [sys.executable, "-m", "bench.floors.kafka", orders])
LOOKUPS_ALONE = "lookups alone"
BY_ONE = "backlog, by one"
"""What a worker's goals are found by where requests have one key, if it has any for that."""
Count = Callable[[Run, Planted], None]
"""Raises WrongCount."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Keys of each of the districts; `settings` are of the roles."""

    keys: int
    per_request: int
    planting: Planting = USUAL
    districts: Sequence[str] = (DISTRICT,)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def warm(self) -> int:
        return self.keys // WARM_SHARE

    def requests(self, keys: Sequence[int]) -> Iterator[tuple[str, Sequence[int]]]:
        """Of each district in turn."""
        for part in chunks_of(keys, self.per_request):
            for district_id in self.districts:
                yield district_id, part


def scenario(amount: Amount, workers: Sequence[Worker], *, floors: bool = True) -> Scenario:
    """`workers` are those beside us, with goals by their names."""
    alone = [
        Contender(LOOKUPS_ALONE, partial(looked_up, amount=amount), {"speed": 0.85}),
        Contender(KAFKA_ALONE.name, partial(worked, worker=KAFKA_ALONE, amount=amount, count=as_many)),
    ]
    contenders = [by(OURS, amount), *(by(each, amount) for each in workers), *(alone if floors else [])]
    name = f"{amount.keys:,} keys in requests of {amount.per_request:,}, {amount.planting}"
    size = ("keys a request", amount.per_request) if amount.planting == USUAL else None
    return Scenario("backlog", name, Unit.KEYS_PER_S, contenders, amount.planting, size=size)


def of_two_districts(amount: Amount, workers: Sequence[Worker]) -> Scenario:
    """By two of our processes, which have a district each; `workers` are those beside us."""
    of_both = replace(amount, districts=(DISTRICT, OTHER))
    everyone = (ours("ours, two processes", 2), ours("ours, one process", 1), *workers)
    name = f"{amount.keys:,} keys of each of two districts, in requests of {amount.per_request:,}, {amount.planting}"
    return Scenario("backlog", name, Unit.KEYS_PER_S, [by(each, of_both) for each in everyone], amount.planting)


def by(worker: Worker, amount: Amount) -> Contender:
    own = replace(amount, keys=max(amount.per_request, amount.keys // 10)) if worker.takes_long else amount
    count = taken_apart if own.per_request > TAKEN_APART else decided
    measure = partial(worked, worker=worker, amount=own, count=count)
    if own.per_request != 1:
        return Contender(worker.name, measure, worker.goals_of("backlog"), worker.takes_long)
    takes_long = worker.takes_long or worker.takes_long_by_one
    return Contender(worker.name, measure, worker.goals_of(BY_ONE) or worker.goals_of("backlog"), takes_long)


def worked(world: World, *, worker: Worker, amount: Amount, count: Count) -> Measured:
    warm, chosen = chosen_of(world, amount)
    with world.run(**amount.settings) as run:
        with worker.working(run, Job(amount.per_request, amount.districts)) as pids:
            watch = Watch(run, worker.group(run))
            watch.until(published(run, amount.requests(warm)).release())
            backlog = published(run, amount.requests(chosen))
            meter = Meter(world.stack, pids)
            released = backlog.release()
            seconds = watch.until(released) - released.at
            cpu_s, peaks = meter.cpu_s(), peaks_of(pids)
            watch.close()
        asked = [*amount.requests(warm), *amount.requests(chosen)]
        keys = [key for _, part in asked for key in part]
        count(run, Planted(keys, len(asked), amount.planting))
    done = len(chosen) * len(amount.districts)
    return Measured({"speed": done / seconds}, done, seconds, cpu_s, peaks)


def decided(run: Run, planted: Planted) -> None:
    """All that the processor writes."""
    compare(Tail(run).count(), planted.decided(), "on the topics")


def taken_apart(run: Run, planted: Planted) -> None:
    """Likewise, where the processor also tells of the parts of requests, of which there may be any number."""
    found = Tail(run).count()
    del found["ChunkStatus"]
    compare(found, planted.decided(), "on the topics")


def as_many(run: Run, planted: Planted) -> None:
    """As many records as keys, whatever they say."""
    tail = Tail(run)
    tail.skim()
    tail.close()
    compare(tail.counts, {"record": len(planted.keys)}, "on the topics")


def looked_up(world: World, *, amount: Amount) -> Measured:
    warm, chosen = chosen_of(world, amount)
    world.plant()
    with looking(world, Job(amount.per_request), warm, chosen) as floor:
        pids = {LOOKUPS_ALONE: [floor.pid]}
        meter = Meter(world.stack, pids)
        told = floor.look()
        cpu_s, peaks = meter.cpu_s(), peaks_of(pids)
    planted = Planted(chosen, 0, amount.planting)
    wanted = {"rows": len(chosen), "missing": planted.creates, "equal": len(chosen) - planted.creates - planted.updates}
    compare({name: int(told[name]) for name in wanted}, wanted, "of the digests")
    return Measured({"speed": len(chosen) / told["seconds"]}, len(chosen), told["seconds"], cpu_s, peaks)


def chosen_of(world: World, amount: Amount) -> tuple[list[int], list[int]]:
    """Keys to get warm with, and those that count; others where there are rows enough."""
    rows = range(1, min(map(world.rows_of, amount.districts)) + 1)
    if len(rows) < amount.keys + amount.warm:
        keys = world.choose(rows, amount.keys)
        return keys[: amount.warm], keys
    keys = world.choose(rows, amount.keys + amount.warm)
    return keys[: amount.warm], keys[amount.warm :]


def published(run: Run, requests: Iterable[tuple[str, Sequence[int]]]) -> Backlog:
    """Written, to be released."""
    backlog = Backlog(run)
    for district_id, keys in requests:
        backlog.publish(keys, district_id)
    backlog.written()
    return backlog
