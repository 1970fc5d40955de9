"""Dependencies downward: the named parent is resynced, and what hangs below it is mended without being named."""

from processor.core.request import Dependencies, OnStateOnly
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, at_state, enrollments, enrollments_at_state, persons, rename
from tests.e2e.promises import prove
from tests.e2e.watcher import said


def test_failed_enrollments_are_mended_by_resyncing_the_parent_they_name(running: Deployment) -> None:
    """As the tool's manual has it: an enrollment fails for its parent; the parent is resynced with dependencies."""
    keys = list(running.take_keys(3))
    persons(running, "NORTH", keys[:1], there=False)
    enrollments(running, "NORTH", keys, [keys[0]] * 3, there=False)
    asked = [running.submit("NORTH", "Enrollment", keys)]
    running.watcher.until_ended(asked)
    failed = running.watcher.story(asked[0]).last(keys[0])
    assert said(failed) == "FAILED PARENT_MISSING"
    assert failed.parent is not None

    parent = int(failed.parent.key)
    asked.append(running.submit("NORTH", failed.parent.object, [parent], dependencies=Dependencies.ALL))
    running.watcher.until_ended(asked)
    prove(running, asked)
    story = running.watcher.story(asked[1])
    assert said(story.last(parent, "PersonIdentity")) == "APPLIED"
    assert {said(story.last(key, "Enrollment")) for key in keys} == {"APPLIED DEPENDENCY"}
    assert enrollments_at_state(running, "NORTH", keys) == dict.fromkeys(keys, parent)


def test_equal_children_are_left_alone_and_drifted_ones_mended(running: Deployment) -> None:
    person, other = running.take_keys(2)
    persons(running, "NORTH", [person])
    enrollments(running, "NORTH", [person, other], [person, person])
    rename(running, "NORTH", [person])
    running.rows("NORTH", "update enrollment set grade = '06' where enrollment_id = %s", [other])
    asked = [running.submit("NORTH", "PersonIdentity", [person], dependencies=Dependencies.CHILDREN)]
    running.watcher.until_ended(asked)
    prove(running, asked)
    story = running.watcher.story(asked[0])
    assert said(story.last(person, "PersonIdentity")) == "APPLIED"
    assert said(story.last(person, "Enrollment")) == "IN_SYNC EXPECTED_DIFFERENCE"
    assert said(story.last(other, "Enrollment")) == "APPLIED DEPENDENCY"
    assert_same(running, "NORTH", [person])


def test_a_person_that_only_the_state_has_is_deleted_after_its_enrollments(running: Deployment) -> None:
    (person,) = running.take_keys(1)
    persons(running, "NORTH", [person])
    enrollments(running, "NORTH", [person], [person])
    running.rows("NORTH", "delete from enrollment where enrollment_id = %s", [person])
    running.rows("NORTH", "delete from identity where person_id = %s", [person])
    asked = [
        running.submit(
            "NORTH",
            "PersonIdentity",
            [person],
            dependencies=Dependencies.CHILDREN,
            on_state_only=OnStateOnly.DELETE,
        )
    ]
    running.watcher.until_ended(asked)
    prove(running, asked)
    story = running.watcher.story(asked[0])
    assert said(story.last(person, "PersonIdentity")) == "APPLIED"
    assert said(story.last(person, "Enrollment")) == "APPLIED DEPENDENCY"
    assert at_state(running, "NORTH", [person]) == {}
    assert enrollments_at_state(running, "NORTH", [person]) == {}
