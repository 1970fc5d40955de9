"""A role that dies between any two steps: what it had begun is either done or done again, never twice, never older.

Meanwhile one person of the district is edited without end and asked for again and again.
"""

import signal
from collections.abc import Callable, Iterator
from time import monotonic

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.editor import Editor
from tests.e2e.people import assert_same, enrollments, enrollments_at_state, persons, rename
from tests.e2e.promises import prove
from tests.e2e.recovery import Recoveries, are_stored

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
"""The one after the first that it commits, which is in hand by then."""
BATCH_KEYS = 20
"""Many batches, of which the processor has several in hand when it dies."""


@pytest.fixture(scope="module")
def recovered() -> Iterator[Recoveries]:
    """Of all crashes, which are judged together."""
    recoveries = Recoveries()
    yield recoveries
    recoveries.assert_quick()


@pytest.mark.parametrize("point", POINTS + SECOND_BATCH)
def test_a_crash_at_any_step_loses_nothing_and_repeats_nothing(
    running: Deployment, point: str, recovered: Recoveries, record_property: Callable[[str, object], None]
) -> None:
    name = point.partition(".")[0]
    running.role(name).kill()
    keys = list(running.take_keys(40))
    edited = keys[-1]
    asked = publish(running, keys)
    with Editor(running.dsns["NORTH"], edited):
        asked += [ask_for(running, edited, name) for _ in range(3)]
        if name == "store":
            running.watcher.until_ended(asked)
        dying = running.start(name, ready=False, crash_at=point, batch_max_keys=BATCH_KEYS)
        assert dying.await_end() == -signal.SIGKILL

        [late] = running.take_keys(1)
        persons(running, "NORTH", [late], there=False)
        asked += [ask_for(running, edited, "nobody"), running.submit("NORTH", "PersonIdentity", [late])]
        begun = running.start(name, ready=False, interpreter=True).started_at
        await_first_outcome(running, name, asked[-1])
        recovered.add(monotonic() - begun)
        record_property("recovered_s", round(recovered.seconds[-1], 1))
    asked.append(running.submit("NORTH", "PersonIdentity", [edited]))
    running.watcher.until_ended(asked)

    prove(running, asked)
    assert_same(running, "NORTH", [*keys, late])
    assert enrollments_at_state(running, "NORTH", keys) == {key: key for key in keys}


def publish(deployment: Deployment, keys: list[int]) -> list[str]:
    """Persons that differ, that are missing at the state and that are equal, and an enrollment of each, missing."""
    persons(deployment, "NORTH", keys[10:])
    persons(deployment, "NORTH", keys[:10], there=False)
    rename(deployment, "NORTH", keys[10:30])
    enrollments(deployment, "NORTH", keys, keys, there=False)
    return [
        deployment.submit("NORTH", name, keys[start : start + 10])
        for name in ("PersonIdentity", "Enrollment")
        for start in range(0, len(keys), 10)
    ]


def ask_for(deployment: Deployment, key: int, dead: str) -> str:
    """Where the applier is dead the processor has answered, so that every request is of a reading of its own."""
    request_id = deployment.submit("NORTH", "PersonIdentity", [key])
    if dead == "apply":
        story = deployment.watcher.story(request_id)
        deployment.watcher.until(lambda: story.outcomes, "an outcome")
    return request_id


def await_first_outcome(deployment: Deployment, role: str, request_id: str) -> None:
    """Until what the role commits about a request is there for others: an outcome, an applied one, a row."""
    story = deployment.watcher.story(request_id)
    if role == "store":
        deployment.watcher.until(lambda: are_stored(deployment, [request_id]), "a row in the store")
    elif role == "apply":
        deployment.watcher.until(story.has_ended, "an applied outcome")
    else:
        deployment.watcher.until(lambda: story.outcomes, "an outcome")
