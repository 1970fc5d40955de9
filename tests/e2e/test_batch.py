"""Whole objects resynced: planned first, then sent, parents before children; and all of it adds up."""

from typing import Any

import pytest

from processor.core.correction import Op
from processor.core.guard import changes
from processor.core.history import PlanCounts, RequestState
from processor.core.request import All, Dependencies, Mode, OnStateOnly, Report
from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, enrollments, enrollments_at_state, persons, rename
from tests.e2e.promises import prove
from tests.e2e.test_whole_objects import (
    GONE_HERE,
    GONE_THERE,
    GROUP,
    RENAMED,
    ROWS,
    SMALL_PARTS,
    TWICE,
    movements,
    parts,
    plant,
)
from tests.e2e.watcher import Story

FREE = {"hold_changes": 1_000_000, "hold_share": 1, "hold_deletes": 1_000, "allow_delete": True}
"""Nothing is held, though all is planned: more records may be asked for than pass unplanned."""


def begin(deployment: Deployment, district: str, **changes: Any) -> Story:
    wanted: dict[str, Any] = {"selection": All(), "report": Report.CHANGES, **changes}
    return deployment.watcher.story(deployment.submit(district, "PersonIdentity", (), **wanted))


def planned(story: Story) -> PlanCounts:
    assert story.status is not None
    assert story.status.planned is not None
    return story.status.planned


def assert_mended(deployment: Deployment, district: str, story: Story) -> None:
    told = story.counts()
    assert (told["APPLIED"], told["STATE_ONLY"], told["FAILED DUPLICATE_KEY"]) == (
        len(RENAMED) + len(GONE_THERE), len(GONE_HERE), len(TWICE),
    )  # fmt: skip
    left = {*range(ROWS)} - {*GONE_HERE, *TWICE}
    assert_same(deployment, district, left)
    assert changes(planned(story)) == len(RENAMED) + len(GONE_THERE)
    prove(deployment, [story.request_id])


def test_a_whole_object_is_planned_and_then_sent_also_while_rows_come_and_go(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS, limits=FREE)
    plant(made, "NORTH")
    made.start_all()
    story = begin(made, "NORTH")
    made.watcher.until(story.has_ended, "the end", 60)
    assert_mended(made, "NORTH", story)
    assert [status.state for status in story.statuses] == [RequestState.ACCEPTED] * 2
    assert {(each.op, each.field): each.keys for each in planned(story).counts} == {
        (Op.CREATE, None): len(GONE_THERE),
        (Op.UPDATE, None): len(RENAMED),
        (Op.UPDATE, "lastName"): len(RENAMED),
    }
    moving = begin(made, "NORTH", on_state_only=OnStateOnly.DELETE)
    steps, moved = movements(made, "NORTH", range(ROWS, 900_000)), 0
    while not moving.has_ended():
        moved = next(steps)
        made.watcher.poll(0.01)
    assert moved >= 3
    while next(steps) == moved:
        pass
    last = begin(made, "NORTH", on_state_only=OnStateOnly.DELETE)
    made.watcher.until(last.has_ended, "the end", 60)
    assert_same(made, "NORTH", {*range(ROWS + (moved + 2) * GROUP)} - {*TWICE})
    again = begin(made, "NORTH")
    made.watcher.until(again.has_ended, "the end", 60)
    assert "APPLIED" not in again.counts()
    prove(made, [story.request_id for story in (moving, last, again)])


def test_all_adds_up_though_every_role_is_killed_while_it_is_planned_and_sent(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS, limits=FREE | SMALL_PARTS | {"max_keys": 20})
    plant(made, "NORTH")
    made.start_all()
    story = begin(made, "NORTH")

    def kill_all() -> None:
        for role in ("process", "store", "apply"):
            made.role(role).kill()
            made.start(role, ready=False)

    made.watcher.until(lambda: parts(story) >= 3, "some parts", poll_s=0.01)
    kill_all()
    made.watcher.until(lambda: story.parked, "parked keys", 60, poll_s=0.01)
    kill_all()
    made.watcher.until(lambda: story.counts()["SENT"] or story.counts()["APPLIED"], "corrections", 60, poll_s=0.01)
    kill_all()
    made.watcher.until(story.has_ended, "the end", 90)
    assert_mended(made, "NORTH", story)


def test_what_hangs_below_comes_after_it(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS, limits=FREE)
    new, old = range(500), range(1_000, 1_200)
    persons(made, "RIVER", new, there=False)
    persons(made, "RIVER", old)
    enrollments(made, "RIVER", range(5_000, 5_500), new, there=False)
    enrollments(made, "RIVER", range(6_000, 6_200), old)
    made.start_all()
    story = begin(made, "RIVER", dependencies=Dependencies.CHILDREN)
    made.watcher.until(story.has_ended, "the end", 60)
    assert story.counts() == {"APPLIED": 1_000}
    assert enrollments_at_state(made, "RIVER", range(5_000, 5_500)) == dict(zip(range(5_000, 5_500), new, strict=True))
    sent = [correction.source.object for correction in made.watcher.corrections]
    assert sent == ["PersonIdentity"] * 500 + ["Enrollment"] * 500
    prove(made, [story.request_id])


def test_children_are_deleted_before_their_parents(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS, limits=FREE)
    persons(made, "LAKE", range(200))
    enrollments(made, "LAKE", range(700, 800), range(100))
    made.rows("LAKE", "delete from enrollment")
    made.rows("LAKE", "delete from identity where person_id < 100")
    made.start_all()
    wanted: dict[str, Any] = {"dependencies": Dependencies.CHILDREN, "on_state_only": OnStateOnly.DELETE}
    story = begin(made, "LAKE", **wanted)
    made.watcher.until(story.has_ended, "the end", 60)
    assert story.counts() == {"APPLIED": 200}
    assert [c.source.object for c in made.watcher.corrections] == ["Enrollment"] * 100 + ["PersonIdentity"] * 100
    assert_same(made, "LAKE", range(200))
    prove(made, [story.request_id])


def test_by_force_every_record_is_sent(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS, limits=FREE)
    persons(made, "NORTH", range(300))
    made.start_all()
    story = begin(made, "NORTH", mode=Mode.FORCE)
    made.watcher.until(story.has_ended, "the end", 60)
    assert story.counts() == {"APPLIED FORCED": 300}
    prove(made, [story.request_id])


@pytest.mark.parametrize("keys", [400])
def test_many_keys_are_planned_as_whole_objects_are(deploy: Deploy, keys: int) -> None:
    made = deploy(settings=READ_SETTINGS, limits={"max_keys": 100, "hold_changes": 300})
    persons(made, "NORTH", range(2_000))
    rename(made, "NORTH", range(keys // 2))
    made.start_all()
    request_id = made.submit("NORTH", "PersonIdentity", range(keys))
    made.watcher.until_ended([request_id], 60)
    story = made.watcher.story(request_id)
    assert (changes(planned(story)), story.counts()) == (keys // 2, {"APPLIED": keys // 2, "IN_SYNC": keys // 2})
    prove(made, [request_id])
