"""Processes that come and go by number: who owns a district then, and how long its requests wait.

The figures are those of docs/deploying.md.
"""

import signal
from collections.abc import Callable
from time import monotonic

from processor.core.partition import partition_of
from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.deployment import PARTITIONS, Deployment
from tests.e2e.people import assert_same, persons
from tests.e2e.promises import prove

MOVED, STAYS = "NORTH", "LAKE"
SESSION_S = 10.0
"""The default of RESYNC_SESSION_TIMEOUT_S: a static member that left is waited for so long."""
REBALANCE_S = 5.0
"""What may come on top: the others' next heartbeat, the accepted ids of the new partitions, a busy machine."""


def test_a_district_moves_out_and_back_in_with_the_number_of_processes(
    deploy: Deploy, record_property: Callable[[str, object], None]
) -> None:
    deployment = deploy(settings=READ_SETTINGS)
    deployment.start_all()
    keys = list(deployment.take_keys(1))
    for district in (MOVED, STAYS):
        persons(deployment, district, keys)
    asking = Asking(deployment, keys)
    asking.until(lambda: owner(deployment, MOVED) == "process-0")

    deployment.start("process", 1, ready=False, interpreter=True)
    out = asking.until(lambda: owner(deployment, MOVED) == "process-1")
    record_property("scale_out_s", out)

    # As an update does it: stopped, and started under its number.
    assert deployment.role("process-1").stop() == 0
    deployment.start("process", 1, ready=False, interpreter=True)
    restart = asking.until(deployment.role("process-1").is_ready)
    record_property("restart_s", restart)
    assert owner(deployment, MOVED) == "process-1", "a restart within the session timeout moves nothing"
    assert restart[MOVED] < SESSION_S

    stopping = deployment.role("process-1")
    stopping.signal(signal.SIGTERM)
    scaled_in = asking.until(lambda: owner(deployment, MOVED) == "process-0", SESSION_S + REBALANCE_S + 10)
    record_property("scale_in_s", scaled_in)
    assert stopping.await_end() == 0
    assert scaled_in[MOVED] < SESSION_S + REBALANCE_S
    assert scaled_in[STAYS] < REBALANCE_S, "districts of the others wait for the rebalance alone"

    deployment.watcher.until_ended(asking.asked)
    prove(deployment, asking.asked)
    for district in (MOVED, STAYS):
        assert_same(deployment, district, keys)


class Asking:
    """Asks for the same record of both districts, five times a second, as long as something is awaited."""

    def __init__(self, deployment: Deployment, keys: list[int]) -> None:
        self._deployment, self._keys = deployment, keys
        self.asked: list[str] = []

    def until(self, done: Callable[[], object], timeout_s: float = 30.0) -> dict[str, float]:
        """The longest wait for an outcome, in seconds by district, of all that was asked meanwhile."""
        longest = dict.fromkeys((MOVED, STAYS), 0.0)
        waiting: dict[str, tuple[str, float]] = {}
        started = next_at = monotonic()
        finished = False
        while waiting or not finished:
            now = monotonic()
            assert now - started < timeout_s, f"{len(waiting)} requests wait after {timeout_s:g} s"
            if now >= next_at and not finished:
                next_at = now + 0.2
                for district in (MOVED, STAYS):
                    waiting[self._deployment.submit(district, "PersonIdentity", self._keys)] = district, monotonic()
                finished = bool(done())
            self._deployment.watcher.poll(0.02)
            for request_id in [r for r in waiting if self._deployment.watcher.story(r).outcomes]:
                district, asked_at = waiting.pop(request_id)
                longest[district] = max(longest[district], round(monotonic() - asked_at, 1))
                self.asked.append(request_id)
        return longest


def owner(deployment: Deployment, district: str) -> str | None:
    """The process that has the district's requests now."""
    group = f"{deployment.name}-process"
    described = deployment.admin.describe_consumer_groups([group], request_timeout=10)[group].result(11)
    home = deployment.topics.requests, partition_of(district, PARTITIONS)
    for member in described.members:
        if home in [(place.topic, place.partition) for place in member.assignment.topic_partitions]:
            name: str = member.group_instance_id
            return name.removeprefix(f"{deployment.name}-")
    return None
