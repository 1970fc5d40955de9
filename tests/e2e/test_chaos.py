"""Roles killed at random, for as long as `RESYNC_CHAOS_S` says, under requests and edits without end."""

import os
from collections.abc import Callable
from random import Random, SystemRandom
from statistics import median
from time import monotonic

import pytest

from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.recovery import Recoveries, are_stored
from tests.e2e.stream import Stream

SECONDS = float(os.environ.get("RESYNC_CHAOS_S", "120"))
SEED = int(os.environ.get("RESYNC_CHAOS_SEED") or SystemRandom().randrange(10**6))


@pytest.mark.timeout(SECONDS + 180)
def test_roles_killed_at_random(deploy: Deploy, record_property: Callable[[str, object], None]) -> None:
    """Now and then several at once, now and then again before they are up.

    On a deployment of its own: where it is shared, tests after this one prove all of its history again.
    """
    running = deploy(settings=READ_SETTINGS)
    running.start_all()
    record_property("RESYNC_CHAOS_SEED", SEED)
    random = Random(SEED)
    stream = Stream(running, random)
    recovered: dict[str, Recoveries] = {}
    kills = Recoveries()
    until = monotonic() + SECONDS
    while monotonic() < until:
        stream.run(random.uniform(0.1, 2))
        victims = sorted(random.sample(ROLES, random.choice((1, 1, 1, 2, 3))))
        kill_and_start(running, stream, victims, random)
        while random.random() < 0.2:
            stream.run(random.uniform(0.1, 2))
            kill_and_start(running, stream, victims, random)
        began = min(running.role(role).started_at for role in victims)
        stream.probe()
        while "store" in victims and not are_stored(running, stream.probed):
            stream.step()
        recovered_s = monotonic() - began
        kills.add(recovered_s)
        recovered.setdefault("+".join(victims), Recoveries()).seconds.append(recovered_s)
    stream.finish()
    for roles, of_them in sorted(recovered.items()):
        record_property(roles, str(of_them))
    record_property("all", str(kills))
    record_property("imports", f"median {median(kills.imports_s):.2f} s")
    record_property("requests", len(stream.asked))
    kills.assert_quick()


def kill_and_start(deployment: Deployment, stream: Stream, victims: list[str], random: Random) -> None:
    for role in victims:
        deployment.role(role).kill()
    stream.run(random.uniform(0, 0.5))
    for role in victims:
        deployment.start(role, ready=False, interpreter=True)
