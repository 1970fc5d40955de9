"""Children that come with their parents, before them, or without any."""

from collections.abc import Callable

import pytest

from processor.core.correction import Parent
from processor.core.request import Dependencies
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, enrollments, enrollments_at_state, persons
from tests.e2e.promises import prove
from tests.e2e.watcher import said

OBJECTS = ("PersonIdentity", "Enrollment")


@pytest.mark.parametrize("order", [OBJECTS, OBJECTS[::-1]], ids=["parents first", "children first"])
def test_a_thousand_persons_and_at_once_their_enrollments_are_all_applied(
    running: Deployment, order: tuple[str, str]
) -> None:
    keys = list(running.take_keys(1_000))
    persons(running, "NORTH", keys, there=False)
    enrollments(running, "NORTH", keys, keys, there=False)
    asked = running.publish(
        *(running.request("NORTH", name, keys[start : start + 100]) for name in order for start in range(0, 1_000, 100))
    )
    running.watcher.until_ended(asked)
    prove(running, asked)
    assert [running.watcher.story(r).counts()["APPLIED"] for r in asked] == [100] * 20
    assert_same(running, "NORTH", keys)
    assert enrollments_at_state(running, "NORTH", keys) == {key: key for key in keys}


def test_enrollments_wait_for_the_persons_of_a_request_that_goes_chunk_by_chunk(
    deploy: Callable[..., Deployment],
) -> None:
    """They overtake, and come round several times before the last chunk is done; none fails for that."""
    deployment = deploy(
        limits={"max_keys": 100}, settings={"retry_delay_s": 0.2, "retry_gather_s": 0, "batch_max_keys": 100}
    )
    keys = list(deployment.take_keys(4_000))
    children = keys[-50:]
    persons(deployment, "NORTH", keys, there=False)
    enrollments(deployment, "NORTH", children, children, there=False)
    deployment.start_all()
    asked = [deployment.submit("NORTH", "PersonIdentity", keys), deployment.submit("NORTH", "Enrollment", children)]
    deployment.watcher.until_ended(asked, 60)
    prove(deployment, asked)
    assert [deployment.watcher.story(r).counts()["APPLIED"] for r in asked] == [4_000, 50]
    assert deployment.watcher.story(asked[1]).last(children[-1]).attempt == 2, "they did overtake"


def test_enrollments_that_come_before_their_persons_are_tried_again(running: Deployment) -> None:
    keys = list(running.take_keys(50))
    persons(running, "NORTH", keys, there=False)
    enrollments(running, "NORTH", keys, keys, there=False)
    asked = [running.submit("NORTH", "Enrollment", keys)]
    children = running.watcher.story(asked[0])
    running.watcher.until(lambda: children.counts()["DEFERRED PARENT_MISSING"] == 50, "the refusals")
    asked.append(running.submit("NORTH", "PersonIdentity", keys))
    running.watcher.until_ended(asked)
    prove(running, asked)
    assert [running.watcher.story(r).counts()["APPLIED"] for r in asked] == [50, 50]
    assert enrollments_at_state(running, "NORTH", keys) == {key: key for key in keys}


def test_enrollments_whose_persons_never_come_fail_and_name_them(running: Deployment) -> None:
    """One whose person the district has too, though nobody asks for it, and one whose person is nowhere."""
    known, unknown = running.take_keys(2)
    persons(running, "NORTH", [known], there=False)
    enrollments(running, "NORTH", [known, unknown], [known, unknown], there=False)
    asked = [running.submit("NORTH", "Enrollment", [known, unknown])]
    running.watcher.until_ended(asked)
    prove(running, asked)
    story = running.watcher.story(asked[0])
    for key in (known, unknown):
        assert said(story.last(key)) == "FAILED PARENT_MISSING"
        assert story.last(key).parent == Parent("PersonIdentity", str(key))


def test_with_dependencies_missing_parents_go_ahead(running: Deployment) -> None:
    keys = list(running.take_keys(20))
    persons(running, "NORTH", keys, there=False)
    enrollments(running, "NORTH", keys, keys, there=False)
    asked = [running.submit("NORTH", "Enrollment", keys, dependencies=Dependencies.PARENTS)]
    running.watcher.until_ended(asked)
    prove(running, asked)
    story = running.watcher.story(asked[0])
    assert {said(story.last(key, "Enrollment")) for key in keys} == {"APPLIED"}
    assert {said(story.last(key, "PersonIdentity")) for key in keys} == {"APPLIED DEPENDENCY"}
    assert_same(running, "NORTH", keys)
    assert enrollments_at_state(running, "NORTH", keys) == {key: key for key in keys}
