"""A role that dies between any two steps: what it had begun is either done or done again, never twice."""

import signal
from collections.abc import Callable
from time import monotonic

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, enrollments, enrollments_at_state, persons, rename
from tests.e2e.promises import prove

RECOVERY_S = 10.0
STEPS = {
    "process": ("after_read", "after_compare", "after_produce", "after_send_offsets", "before_commit", "after_commit"),
    "apply": (
        "after_read",
        "before_sql_commit",
        "after_sql_commit",
        "after_produce",
        "after_send_offsets",
        "before_commit",
        "after_commit",
    ),
    "store": ("after_read", "after_merge", "before_sql_commit", "after_sql_commit"),
}
POINTS = [f"{role}.{step}" for role, steps in STEPS.items() for step in steps]
SECOND_BATCH = ["process.after_compare:2", "process.before_commit:2", "process.after_commit:2"]
"""The processor's second batch holds answers."""


@pytest.mark.parametrize("point", POINTS + SECOND_BATCH)
def test_a_crash_at_any_step_loses_nothing_and_repeats_nothing(
    running: Deployment, point: str, record_property: Callable[[str, object], None]
) -> None:
    name = point.partition(".")[0]
    assert running.role(name).stop() == 0
    keys = list(running.take_keys(40))
    asked = publish(running, keys)
    if name == "store":
        running.watcher.until_ended(asked)
    dying = running.start(name, ready=False, crash_at=point)
    assert dying.await_end() == -signal.SIGKILL

    [late] = running.take_keys(1)
    persons(running, "NORTH", [late], there=False)
    asked.append(running.submit("NORTH", "PersonIdentity", [late]))
    begun = running.start(name, ready=False).started_at
    await_first_outcome(running, name, asked[-1])
    recovered_s = monotonic() - begun
    record_property("recovered_s", round(recovered_s, 1))
    running.watcher.until_ended(asked)

    prove(running, asked)
    assert_same(running, "NORTH", [*keys, late])
    assert enrollments_at_state(running, "NORTH", keys) == {key: key for key in keys}
    assert recovered_s <= RECOVERY_S


def publish(deployment: Deployment, keys: list[int]) -> list[str]:
    """Persons that differ, that are equal and that are missing at the state, and an enrollment of each, missing."""
    persons(deployment, "NORTH", keys[:30])
    persons(deployment, "NORTH", keys[30:], there=False)
    rename(deployment, "NORTH", keys[:20])
    enrollments(deployment, "NORTH", keys, keys, there=False)
    return [deployment.submit("NORTH", name, keys) for name in ("PersonIdentity", "Enrollment")]


def await_first_outcome(deployment: Deployment, role: str, request_id: str) -> None:
    """Until what the role commits about a request is there for others: an outcome, an applied one, a row."""
    story = deployment.watcher.story(request_id)
    if role == "store":
        query = "select 1 from history.outcomes where request_id = %s"
        deployment.watcher.until(lambda: deployment.rows("history", query, [request_id]), "a row in the store")
    elif role == "apply":
        deployment.watcher.until(story.has_ended, "an applied outcome")
    else:
        deployment.watcher.until(lambda: story.outcomes, "an outcome")
