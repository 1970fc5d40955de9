"""A whole object verified and resynced, beside a tool that compares tables, and beside both sides' checksums.

`scanned` is until the last row has been read and compared; `all` is until the summary is there: what differs has been
read once more by then, after a wait that is meant for changes on their way. The other tool looks once.
"""

import time
from collections.abc import Sequence

from bench.checksum import catalog, check_equal, checksums
from bench.lag import assert_idle
from bench.measured import Contender, Measured, Scenario, Unit
from bench.meter import Meter
from bench.peers.diffing import Setting, reladiff
from bench.planted import HALF, NOTHING, USUAL, Planting
from bench.traffic import OBJECT, WrongCount
from bench.whole import keys_off, resync, verify
from bench.world import ROLES, World

RELADIFF = "reladiff"
CHECKSUMS = "both checksums"
TIMES_RELADIFF = {NOTHING: 40.0, USUAL: 12.0}
SETTING = Setting(4, 131_072)
"""More threads, as it advises for Postgres, and a larger threshold, as it advises for many changes."""


def verification(planting: Planting, *, beside: bool) -> Scenario:
    """`beside`: with the other tool, once, as it takes long."""
    goals = {"scanned": TIMES_RELADIFF[planting]} if planting in TIMES_RELADIFF else {}
    mark = {"scanned": 1 / 1.3} if planting == NOTHING else {}
    contenders = [
        Contender("ours", verified),
        *([Contender(RELADIFF, diffed, goals, takes_long=True)] if beside else []),
        Contender(CHECKSUMS, summed, mark),
    ]
    name = f"all rows verified, {planting}"
    return Scenario("verification", name, Unit.SECONDS, contenders, planting)


def batch(planting: Planting) -> Scenario:
    contenders = [Contender("ours", resynced), Contender(CHECKSUMS, summed)]
    name = f"all rows resynced, {planting}"
    return Scenario("batch", name, Unit.SECONDS, contenders, planting)


def verified(world: World) -> Measured:
    roles = ("process", "store")
    with world.run() as run:
        run.start(*roles)
        meter = Meter(world.stack, {role: [run.pid(role)] for role in roles})
        done = verify(run, world.planted())
        cpu_s = meter.cpu_s()
        run.stop(*roles)
        off = len(keys_off(run, done.request_id))
        if off != world.planted().off:
            raise WrongCount(f"{off} keys are told instead of {world.planted().off}")
    values = {"scanned": done.scanned_s, "all": done.seconds}
    return Measured(values, world.rows, done.seconds, cpu_s, run.peak_rss_mb)


def resynced(world: World) -> Measured:
    """From publishing the request to its end in the tables; both sides then hold the same."""
    with world.run() as run:
        run.start(*ROLES)
        meter = Meter(world.stack, {role: [run.pid(role)] for role in ROLES})
        done = resync(run, world.planted())
        cpu_s = meter.cpu_s()
        check_equal(run)
        assert_idle(run.settings, ROLES)
        run.stop(*ROLES)
    return Measured({"all": done.seconds}, world.rows, done.seconds, cpu_s, run.peak_rss_mb)


def diffed(world: World) -> Measured:
    world.plant()
    meter = Meter(world.stack, {})
    [diff] = reladiff(catalog().objects[OBJECT], world.env, [SETTING])
    cpu_s = meter.cpu_s()
    if len(diff.keys) != world.planted().off:
        raise WrongCount(f"{RELADIFF} found {len(diff.keys)} keys instead of {world.planted().off}")
    return Measured({"scanned": diff.seconds, "all": diff.seconds}, world.rows, diff.seconds, cpu_s)


def summed(world: World) -> Measured:
    """Count and hash of every row by both servers at once; equal only if nothing is off."""
    world.plant()
    meter, began = Meter(world.stack, {}), time.monotonic()
    district, state = checksums(world)
    took, cpu_s = time.monotonic() - began, meter.cpu_s()
    planted = world.planted()
    if (district[0], state[0]) != (planted.rows, planted.rows - planted.missing) or (district == state) is bool(
        planted.off
    ):
        raise WrongCount(f"rows and checksums are not as planted: {district} at the district, {state} at the state")
    return Measured({"scanned": took, "all": took}, world.rows, took, cpu_s)


def scenarios(plantings: Sequence[Planting], *, beside: bool) -> list[Scenario]:
    return [*(verification(each, beside=beside and each != HALF) for each in plantings), *map(batch, plantings)]
