"""A whole object verified and resynced, beside a tool that compares tables, and beside both sides' checksums.

`scanned` is until the last row has been read and compared; `all` is until the summary is there: what differs has been
read once more by then, after a wait that is meant for changes on their way. The other tool looks once, so `all, less
the wait` leaves out that wait, a setting (RESYNC_RETRY_DELAY_S), and nothing else: the second look itself is in it.
"""

import time
from collections.abc import Sequence
from functools import partial

from bench.checksum import catalog, check_equal, checksums
from bench.lag import assert_idle
from bench.measured import Contender, Measured, Scenario, Unit
from bench.meter import Meter
from bench.peers.diffing import DEFAULTS, TUNED, reladiff
from bench.planted import HALF, NOTHING, USUAL, Planting
from bench.traffic import OBJECT, WrongCount
from bench.whole import keys_off, resync, verify
from bench.world import ROLES, World

RELADIFF = "reladiff"
CHECKSUMS = "both checksums"
SCANNED, ALL, WORKED = "scanned", "all", "all, less the wait"
TIMES_RELADIFF = {NOTHING: 40.0, USUAL: 12.0}
SETTINGS = {RELADIFF: DEFAULTS, f"{RELADIFF}, tuned": TUNED}
"""By contender: what somebody gets who asks for a diff, and what its own advice for such tables makes of it."""


def verification(planting: Planting, *, beside: bool) -> Scenario:
    """`beside`: with the other tool."""
    goals = {RELADIFF: {SCANNED: TIMES_RELADIFF[planting]}} if planting in TIMES_RELADIFF else {}
    mark = {SCANNED: 1 / 1.3} if planting == NOTHING else {}
    others = [
        Contender(name, partial(diffed, name), goals.get(name, {}), takes_long=True) for name in SETTINGS if beside
    ]
    contenders = [Contender("ours", verified), *others, Contender(CHECKSUMS, summed, mark)]
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
        check_keys(keys_off(run, done.request_id), world)
        waited_s = run.settings.retry_delay_s if world.planted().off else 0.0
    values = {SCANNED: done.scanned_s, ALL: done.seconds, WORKED: done.seconds - waited_s}
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
    return Measured({ALL: done.seconds}, world.rows, done.seconds, cpu_s, run.peak_rss_mb)


def diffed(name: str, world: World) -> Measured:
    world.plant()
    meter = Meter(world.stack, {})
    diff = reladiff(catalog().objects[OBJECT], world.env, SETTINGS[name])
    cpu_s = meter.cpu_s()
    check_keys(diff.keys, world)
    return Measured(_at_once(diff.seconds), world.rows, diff.seconds, cpu_s)


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
    return Measured(_at_once(took), world.rows, took, cpu_s)


def check_keys(found: frozenset[str], world: World) -> None:
    """Raises WrongCount unless these are the keys that were planted to differ, or to be missing."""
    is_off = (world.planting.is_differing, world.planting.is_missing)
    planted = frozenset(str(key) for key in range(1, world.rows + 1) if any(each(key) for each in is_off))
    if found != planted:
        raise WrongCount(
            f"{len(found)} keys were found instead of {len(planted)} that were planted, {len(found ^ planted)} are"
            " among one of these only"
        )


def _at_once(seconds: float) -> dict[str, float]:
    """Of whoever looks once, and waits for nothing."""
    return dict.fromkeys((SCANNED, ALL, WORKED), seconds)


def scenarios(plantings: Sequence[Planting], *, beside: bool) -> list[Scenario]:
    return [*(verification(each, beside=beside and each != HALF) for each in plantings), *map(batch, plantings)]
