"""The broker and the databases are restarted under traffic."""

from collections.abc import Callable
from random import Random

import pytest

from stack import services
from stack.layout import Stack
from tests.e2e.deployment import Deployment
from tests.e2e.stream import Stream


@pytest.mark.timeout(300)
@pytest.mark.parametrize("service", ["kafka", "postgres-state", "postgres-NORTH"])
def test_a_restart_under_traffic_loses_and_repeats_nothing(
    running: Deployment, stack: Stack, service: str, record_property: Callable[[str, object], None]
) -> None:
    stream = Stream(running, Random(11))
    stream.run(1)
    stream.during(lambda: services.restart(stack, service))
    running.disconnect()
    record_property("served_again_s", round(stream.probe(), 1))
    stream.run(1)
    stream.finish()
    record_property("ended_by_themselves", stream.restarted)
