"""A whole object of a district verified: what is found is what was planted, whatever happens meanwhile."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any

from processor.core.history import ChunkState, RequestState, Status
from processor.core.request import All, Mode, Report
from stack.layout import Stack
from tests.e2e.commands import run
from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.deployment import Deployment
from tests.e2e.people import persons, rename
from tests.e2e.promises import prove
from tests.e2e.servers import stopped
from tests.e2e.watcher import Story, said
from tests.unit.cli.json_schema import problems

SMALL_PARTS = {"chunk_target_s": 0.001}
"""Parts of as few rows as there are."""
ROWS = 3_000
GONE_HERE, GONE_THERE, RENAMED, TWICE = range(100, 130), range(1_000, 1_050), range(2_000, 2_070), (7, 2_999)


def plant(deployment: Deployment, district: str) -> None:
    """Equal persons but for those above; `TWICE` have two rows at the district."""
    persons(deployment, district, range(ROWS))
    deployment.rows(district, "update identity set state_match_status = null where person_id %% 10 = 0", {})
    deployment.rows(district, "delete from identity where person_id = any(%s)", [list(GONE_HERE)])
    with deployment.connection("state").transaction():
        deployment.rows("state", "set local session_replication_role = replica")
        query = "delete from state_person where district_id = %s and district_person_id = any(%s)"
        deployment.rows("state", query, [district, list(GONE_THERE)])
    rename(deployment, district, RENAMED)
    persons(deployment, district, TWICE, there=False)
    deployment.rows(district, "analyze identity")
    deployment.rows("state", "analyze state_person")


EXPECTED = {
    "district_rows": ROWS - len(GONE_HERE) + len(TWICE),
    "state_rows": ROWS - len(GONE_THERE),
    "in_sync": ROWS - len(GONE_HERE) - len(GONE_THERE) - len(RENAMED) - len(TWICE),
    "missing_at_state": len(GONE_THERE),
    "missing_at_district": len(GONE_HERE),
    "duplicates": len(TWICE),
    "differing": len(RENAMED),
    "gone": 0,
    "not_verified": 0,
    "cancelled": 0,
    "fields": {"lastName": len(RENAMED)},
}
STATUSES = Counter(
    {
        "MISSING_AT_STATE": len(GONE_THERE),
        "MISSING_AT_DISTRICT": len(GONE_HERE),
        "DUPLICATE_KEY DUPLICATE_KEY": len(TWICE),
        "DIFFERS": len(RENAMED),
    }
)


def verify(deployment: Deployment, district: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run(deployment, "verify", "--district", district, "--object", "PersonIdentity", *arguments)


def begin(deployment: Deployment, district: str) -> Story:
    changes: dict[str, Any] = {"selection": All(), "mode": Mode.VERIFY, "report": Report.CHANGES}
    return deployment.watcher.story(deployment.submit(district, "PersonIdentity", (), **changes))


def parts(story: Story) -> int:
    return sum(chunk.state is ChunkState.DONE for chunk in story.chunks.values())


def assert_found(story: Story) -> None:
    """Keys in sync are counted, but for those that waited for a database: these were told to wait, and how it ended."""
    waited = [told for told in story.outcomes.values() if told[-1].status is Status.IN_SYNC]
    assert all(told[0].status is Status.DEFERRED for told in waited)
    assert story.counts() - Counter(said(told[-1]) for told in waited) == STATUSES
    chunks = story.chunks.values()
    assert sum(chunk.in_sync for chunk in chunks) + len(waited) == EXPECTED["in_sync"]
    assert sum(chunk.district_rows for chunk in chunks) == EXPECTED["district_rows"]
    assert sum(chunk.state_rows for chunk in chunks) == EXPECTED["state_rows"]


def test_what_is_found_is_what_was_planted_and_can_be_resynced(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS)
    plant(made, "NORTH")
    made.start_all()
    told = verify(made, "NORTH", "--output", "json")
    assert told.returncode == 3, told.stderr
    summary = json.loads(told.stdout)
    assert problems(summary, "verify.json") == []
    assert {name: summary[name] for name in EXPECTED} == EXPECTED
    assert ROWS // 20 < summary["expected_differences"] <= ROWS // 10
    request_id = summary["request_id"]
    assert f"resync submit --from-request {request_id} --wait\n" in told.stderr

    assert f"verifying PersonIdentity of NORTH as {request_id}\n" in told.stderr
    before = made.ends([made.topics.requests])
    for options in ((), ("--no-wait",)):
        other = verify(made, "LAKE", "--request-id", request_id, *options)
        assert (other.returncode, other.stdout) == (2, "")
        assert "--request-id: that request is about something else" in other.stderr
    again = verify(made, "NORTH", "--request-id", request_id, "--output", "json")
    assert made.ends([made.topics.requests]) == before, "something was sent"
    assert (again.returncode, json.loads(again.stdout)) == (3, summary)

    resync = run(made, "submit", "--from-request", request_id, "--wait", "--output", "json")
    assert resync.returncode == 0, resync.stderr
    assert [each["keys"] for each in json.loads(resync.stdout)["requests"]] == [len(RENAMED) + len(GONE_THERE)]
    after = json.loads(verify(made, "NORTH", "--output", "json").stdout)
    assert (after["differing"], after["missing_at_state"], after["missing_at_district"], after["duplicates"]) == (
        0, 0, len(GONE_HERE), len(TWICE),
    )  # fmt: skip

    none = verify(made, "LAKE")
    assert none.returncode == 0, none.stderr
    assert "COMPLETE" in none.stdout
    prove(made, [request_id])


def test_a_table_without_its_index_is_refused_with_what_mends_it(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS)
    made.rows("NORTH", "drop index identity_person")
    made.start_all()
    refused = verify(made, "NORTH")
    assert refused.returncode == 1
    assert 'district NORTH: CREATE INDEX CONCURRENTLY ON "identity" ("person_id")' in refused.stderr
    assert "NO_INDEX" in refused.stderr
    made.rows("NORTH", 'CREATE INDEX CONCURRENTLY ON "identity" ("person_id")')
    assert verify(made, "NORTH").returncode == 0


def test_all_adds_up_though_every_role_is_killed_in_the_middle(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS, limits=SMALL_PARTS)
    plant(made, "NORTH")
    made.start_all()
    story = begin(made, "NORTH")
    for wanted in (3, 9, 15):
        made.watcher.until(lambda wanted=wanted: parts(story) >= wanted, f"{wanted} parts", poll_s=0.01)  # type: ignore[misc]
        for role in ("process", "store"):
            made.role(role).kill()
            made.start(role, ready=False)
    made.watcher.until_ended([story.request_id], 60)
    assert_found(story)
    prove(made, [story.request_id])


def test_a_district_that_goes_away_in_the_middle_is_waited_for(deploy: Deploy, stack: Stack) -> None:
    made = deploy(settings=READ_SETTINGS, limits=SMALL_PARTS)
    plant(made, "RIVER")
    made.start_all()
    story = begin(made, "RIVER")
    made.watcher.until(lambda: parts(story) >= 5, "some parts", poll_s=0.01)
    made.disconnect()
    with stopped(stack, "postgres-RIVER"):
        before = parts(story)
        other = made.submit("LAKE", "PersonIdentity", [1])
        made.watcher.until_ended([other])
        made.watcher.until(lambda: made.committed(f"{made.name}-process"), "the group")
        assert not story.has_ended()
        assert parts(story) - before < 10
    made.watcher.until_ended([story.request_id], 60)
    assert_found(story)
    prove(made, [story.request_id])


GROUP = 50
"""People that come or go together."""
_COME_HERE = """
    insert into identity (person_id, last_name, first_name, modified_date)
    select k, 'On the way', 'Nobody', '2026-01-05 08:00' from unnest(%s::int[]) k
"""
_COME_THERE = """
    insert into state_person (district_id, district_person_id, legal_last_name, legal_first_name, district_modified_at)
    select %s, k, 'On the way', 'Nobody', '2026-01-05 08:00-06' from unnest(%s::int[]) k on conflict do nothing
"""
_GO_HERE = "delete from identity where person_id = any(%s)"
_GO_THERE = "delete from state_person where district_id = %s and district_person_id = any(%s)"


def movements(deployment: Deployment, district: str, keys: range) -> Iterator[int]:
    """People come, and half of them go, at the state a step later; gives how many groups have moved after each step."""
    for moved, first in enumerate(keys[::GROUP]):
        come = list(range(first, first + GROUP))
        for people, here, there in ((come, _COME_HERE, _COME_THERE), (come[::2], _GO_HERE, _GO_THERE)):
            deployment.rows(district, here, [people])
            yield moved
            with deployment.connection("state").transaction():
                deployment.rows("state", "set local session_replication_role = replica")
                deployment.rows("state", there, [district, people])
            yield moved


def test_rows_on_their_way_are_not_reported(deploy: Deploy) -> None:
    made = deploy(settings=READ_SETTINGS, limits=SMALL_PARTS)
    plant(made, "LAKE")
    made.start_all()
    story, steps, moved = begin(made, "LAKE"), movements(made, "LAKE", range(ROWS, 900_000)), 0
    while not story.has_ended():
        moved = next(steps)
        made.watcher.poll(0.01)
    assert moved >= 3
    told = story.counts()
    told.pop("NOT_FOUND", None)
    assert told == STATUSES
    prove(made, [story.request_id])
    assert story.ends[-1].state is RequestState.COMPLETE
