"""Tallies are what counting the outcomes gives, whatever changed them."""

import random
from datetime import timedelta

import psycopg
import pytest

from processor.adapters.postgres.history_schema import migrate, script
from processor.core.errors import Reason
from processor.core.history import ChunkState, Cleared, Status
from processor.service.history_changes import Changes
from tests.integration.history.told import Told
from tests.integration.store.records import DECIDED, applied_request, chunk_status, outcome, request_status
from tests.integration.store.world import World

COUNTED = """
select request_id, district_id, object, status, coalesce(reason, ''), count(*), count(asked_as)
from resync_store.outcomes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
"""
TALLIES = """
select request_id, district_id, object, status, reason, keys, asked from resync_store.tallies order by 1, 2, 3, 4, 5
"""
IDS = [f"0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c1{n}" for n in range(3)]


def some_changes(random: random.Random) -> Changes:
    """Some keys of some requests, told anew or taken away; sometimes a clearing."""
    changes = Changes()
    for _ in range(random.randrange(1, 40)):
        request_id, key = random.choice(IDS), str(random.randrange(25))
        asked_as = random.choice([key, None])
        told = outcome(
            request_id,
            key,
            random.choice([Status.SENT, Status.APPLIED, Status.FAILED, Status.CANCELLED]),
            reason=random.choice([None, Reason.CONFLICT, Reason.FORCED]),
            asked_as=asked_as,
            district_id=random.choice(["NORTH", "NORTH", "LAKE"]),
            decided_at=random.choice([DECIDED, DECIDED + timedelta(seconds=2)]),
        )
        changes.outcomes[request_id, told.object, key] = random.choice([told, told, told, None])
    return changes


@pytest.mark.parametrize("seed", range(3))
def test_tallies_are_the_counts_after_every_batch(told: Told, seed: int) -> None:
    chosen = random.Random(seed)
    for _ in range(25):
        told.change(some_changes(chosen))
        assert told.rows(TALLIES) == told.rows(COUNTED)
    assert told.rows(TALLIES)
    told.tell(Cleared(IDS[0], "NORTH", "PersonIdentity", "auditor", DECIDED, 1, "request"))
    assert told.rows(TALLIES) == told.rows(COUNTED)
    shown = told.rows("select distinct request_id from history.outcomes")
    assert {row[0] for row in shown} == {*IDS[1:]}, "what is cleared is hidden until its rows go with their tombstones"


def test_whoever_changes_outcomes_changes_tallies(told: Told) -> None:
    _, records = applied_request(5)
    told.tell(*records)
    told.execute("update resync_store.outcomes set status = 'FAILED' where key < '3'")
    told.execute("delete from resync_store.outcomes where key = '4'")
    assert told.rows(TALLIES) == told.rows(COUNTED)
    assert told.rows("select outcomes, failed_outcomes from history.requests") == [(4, 3)]
    told.execute("truncate resync_store.outcomes")
    assert told.rows(TALLIES) == []


def test_the_view_says_what_counting_says(told: Told) -> None:
    request_id = IDS[0]
    told.tell(
        request_status(request_id, 3),
        outcome(request_id, "1"),
        outcome(request_id, "2", Status.FAILED, reason=Reason.CONFLICT),
        outcome(request_id, "3", Status.SENT),
        outcome(request_id, "9", asked_as=None, reason=Reason.DEPENDENCY),
    )
    view = "select state, outcomes, open_outcomes, failed_outcomes, counts from history.requests"
    counts = [
        {"status": "APPLIED", "reason": None, "keys": 1},
        {"status": "APPLIED", "reason": "DEPENDENCY", "keys": 1},
        {"status": "FAILED", "reason": "CONFLICT", "keys": 1},
        {"status": "SENT", "reason": None, "keys": 1},
    ]
    assert told.rows(view) == [("ACCEPTED", 4, 1, 1, counts)]
    told.tell(outcome(request_id, "3", decided_at=DECIDED + timedelta(seconds=9)))
    assert [row[:4] for row in told.rows(view)] == [("COMPLETE_WITH_FAILURES", 4, 0, 1)]


def test_first_and_last_time_are_looked_up_and_follow_every_change(told: Told) -> None:
    request_id = IDS[0]
    times = "select first_decided_at, last_decided_at from history.requests"
    early, late = DECIDED - timedelta(seconds=5), DECIDED + timedelta(seconds=9)
    told.tell(
        request_status(request_id, 3),
        outcome(request_id, "1", first_decided_at=early, decided_at=DECIDED),
        outcome(request_id, "2", decided_at=late),
    )
    assert told.rows(times) == [(early, late)]
    told.tell(chunk_status(request_id, "0.0", ChunkState.DONE))
    told.execute("delete from resync_store.outcomes where key = '2'")
    assert told.rows(times) == [(early, DECIDED)]
    told.execute(
        "insert into resync_store.outcomes select request_id, object, 'k' || n, district_id, 'k' || n, status, reason,"
        " detail, changed_fields, parent_object, parent_key, correction_id, attempt, first_decided_at, sent_at,"
        " answered_at, decided_at from resync_store.outcomes, generate_series(1, 20000) n"
    )
    for statement in ("alter table resync_store.outcomes set (autovacuum_enabled = false)", "vacuum analyze"):
        told.execute(f"{statement}")
        plan = "\n".join(line for (line,) in told.rows(f"explain {times} where request_id = '{request_id}'"))
        assert "using outcomes_by_first_time" in plan, plan
        assert "using outcomes_by_last_time" in plan, plan


def test_a_wrong_tally_is_a_divergence(world: World) -> None:
    _, records = applied_request(4)
    world.produce(*records)
    world.catch_up(world.store())
    assert world.verify().divergences == 0
    world.execute("update resync_store.tallies set keys = keys + 1")
    found = world.verify()
    assert found.divergences == 1
    assert found.first is not None
    assert (found.first.table, found.first.columns) == ("tallies", ("keys",))
    world.replay()
    assert world.verify().divergences == 0


def test_a_store_of_before_gets_its_tallies_when_it_is_migrated(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create schema resync_store")
        connection.execute("set search_path to resync_store")
        connection.execute("create table migrations (version integer primary key, name text, applied_at timestamptz)")
        connection.execute(script("history/0001_tables.sql"))
        connection.execute("insert into migrations values (1, 'history/0001_tables.sql', now())")
        connection.execute(
            "insert into outcomes select 'r', 'Person', n::text, 'NORTH', nullif(n, 3)::text, 'APPLIED', null, null,"
            " '{}', null, null, null, 1, now(), null, null, now() from generate_series(1, 5) n"
        )
        migrate(connection)
        assert connection.execute(TALLIES.encode()).fetchall() == [("r", "NORTH", "Person", "APPLIED", "", 5, 4)]
