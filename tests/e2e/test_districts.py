"""A district that is away or slow is waited for by its own requests alone (P7)."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from processor.core.ids import is_unread_range
from processor.core.request import Mode
from stack.layout import Stack
from tests.e2e.conftest import READ_SETTINGS
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove
from tests.e2e.servers import frozen, locked, stopped
from tests.e2e.test_batch import FREE, begin
from tests.e2e.test_whole_objects import GONE_HERE, GONE_THERE, RENAMED, SMALL_PARTS, TWICE, parts, plant
from tests.e2e.watcher import Story, said

DISTRICTS = ("NORTH", "RIVER", "LAKE")
AWAY = "postgres-RIVER"
READ_S = READ_SETTINGS["statement_timeout_s"] + READ_SETTINGS["connect_timeout_s"] + 1
"""How long the processor waits for a server that does not answer at all."""
USUAL_S = 3.0
"""What a request may take on a busy machine when nothing is wrong."""


def test_a_stopped_district_is_served_after_its_return_and_delays_nobody(
    running: Deployment, stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    keys = list(running.take_keys(100))
    for district in DISTRICTS:
        persons(running, district, keys)
        rename(running, district, keys)
    running.disconnect()
    with stopped(stack, AWAY):
        asked = {
            (district, key): running.submit(district, "PersonIdentity", [key]) for key in keys for district in DISTRICTS
        }
        others = [r for (district, _), r in asked.items() if district != "RIVER"]
        record_property("others_s", round(running.watcher.until_ended(others), 1))
        waiting = [r for (district, _), r in asked.items() if district == "RIVER"]
        stories = [running.watcher.story(r) for r in waiting]
        running.watcher.until(lambda: all(story.outcomes for story in stories), "the deferrals")
        assert {said(outcomes[-1]) for story in stories for outcomes in story.outcomes.values()} == {
            "DEFERRED SNAPSHOT_UNAVAILABLE"
        }
    record_property("after_return_s", round(running.watcher.until_ended(waiting, 60), 1))
    prove(running, asked.values())
    for district in DISTRICTS:
        assert_same(running, district, keys)


@pytest.mark.parametrize("fault", [locked, frozen])
def test_a_slow_district_delays_others_by_no_more_than_one_read(
    running: Deployment,
    stack: Stack,
    fault: Callable[..., AbstractContextManager[None]],
    record_property: Callable[[str, object], None],
) -> None:
    """Requests for the slow district keep coming, one with each for another."""
    keys = list(running.take_keys(40))
    for district in ("NORTH", "RIVER"):
        persons(running, district, keys)
        rename(running, district, keys)
    place = (running.dsns["RIVER"], "identity") if fault is locked else (stack, AWAY)
    delays: list[float] = []
    slow, quick = [], []
    with fault(*place):
        for key in keys:
            slow.append(running.submit("RIVER", "PersonIdentity", [key]))
            quick.append(running.submit("NORTH", "PersonIdentity", [key]))
            delays.append(running.watcher.until_ended(quick[-1:]))
    record_property("longest_s", round(max(delays), 1))
    record_property("median_s", round(sorted(delays)[len(delays) // 2], 2))
    assert max(delays) <= READ_S + USUAL_S
    assert sum(delays) <= len(delays) * 0.5 + 2 * (READ_S + USUAL_S), "the slow district was asked again and again"

    running.role("process").kill()
    running.start("process")
    running.watcher.until_ended(slow, 60)
    prove(running, slow + quick)
    for district in ("NORTH", "RIVER"):
        assert_same(running, district, keys)


def test_a_column_that_a_district_lacks_fails_its_keys_at_once_and_is_named(
    running: Deployment, record_property: Callable[[str, object], None]
) -> None:
    [key] = running.take_keys(1)
    for district in ("NORTH", "RIVER"):
        persons(running, district, [key])
        rename(running, district, [key])
    running.rows("RIVER", "alter table identity rename column email to mail")
    try:
        asked = [running.submit(district, "PersonIdentity", [key]) for district in ("NORTH", "RIVER")]
        record_property("ended_s", round(running.watcher.until_ended(asked), 1))
    finally:
        running.rows("RIVER", "alter table identity rename column mail to email")
    prove(running, asked)
    north, river = (running.watcher.story(r).last(key) for r in asked)
    assert (said(north), said(river)) == ("APPLIED", "FAILED SNAPSHOT_UNAVAILABLE")
    assert river.detail is not None
    assert river.detail.startswith("district RIVER: UndefinedColumn (42703): column t.email does not exist")
    assert river.detail.endswith("(table identity)")


def test_a_district_that_stays_away_fails_at_the_deadline(deploy: Callable[..., Deployment], stack: Stack) -> None:
    """Keys that are named, and what a verification and a resync of all records have not read by then."""
    limits = FREE | SMALL_PARTS | {"snapshot_deadline_s": 1, "scan_share": 0.2, "max_keys": 300}
    deployment = deploy(limits=limits, settings=READ_SETTINGS)
    plant(deployment, "RIVER")
    deployment.start_all()
    whole = [begin(deployment, "RIVER", mode=mode) for mode in (Mode.VERIFY, Mode.SYNC)]
    deployment.watcher.until(lambda: all(parts(story) >= 3 for story in whole), "some parts", poll_s=0.01)
    [key] = deployment.take_keys(1)
    deployment.disconnect()
    with stopped(stack, AWAY):
        asked = [deployment.submit(district, "PersonIdentity", [key]) for district in DISTRICTS]
        large = deployment.submit("RIVER", "PersonIdentity", range(601), mode=Mode.VERIFY)
        deployment.watcher.until_ended(asked)
        deployment.watcher.until_ended([large, *(story.request_id for story in whole)], 60)
        for story in whole:
            assert_told_as_far_as_it_was_read(story)
    prove(deployment, [*asked, large, *(story.request_id for story in whole)])
    assert deployment.watcher.story(large).counts() == {"FAILED SNAPSHOT_UNAVAILABLE": 601}
    told = {district: said(deployment.watcher.story(r).last(key)) for district, r in zip(DISTRICTS, asked, strict=True)}
    assert told == {"NORTH": "NOT_FOUND", "RIVER": "FAILED SNAPSHOT_UNAVAILABLE", "LAKE": "NOT_FOUND"}


def assert_told_as_far_as_it_was_read(story: Story) -> None:
    """All keys up to one are counted or have an outcome, and one stands for those beyond."""
    told = {key: outcomes[-1] for (_, key), outcomes in story.outcomes.items()}
    [unread] = [key for key in told if is_unread_range(key)]
    rest = told.pop(unread)
    assert said(rest) == "FAILED SNAPSHOT_UNAVAILABLE"
    last = int((rest.asked_as or "").removeprefix("all keys after "))
    keys = {int(key) for key in told}
    planted = {key for key in (*GONE_HERE, *GONE_THERE, *RENAMED, *TWICE) if key <= last}
    assert planted <= keys <= planted | {*range(0, last + 1, 10)}, "each tenth has an expected difference"
    assert sum(chunk.in_sync for chunk in story.chunks.values()) == last + 1 - len(told)
    found = {"DIFFERS", "MISSING_AT_STATE", "MISSING_AT_DISTRICT", "DUPLICATE_KEY DUPLICATE_KEY"}
    resynced = {"STATE_ONLY", "FAILED DUPLICATE_KEY"}
    assert {said(outcome) for outcome in told.values()} <= found | resynced | {"FAILED SNAPSHOT_UNAVAILABLE"}
