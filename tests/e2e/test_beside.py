"""Small requests beside large ones: shown by what is committed while a read of a large one is held open."""

import signal
from collections import Counter
from time import monotonic

import pytest

from processor.core.digest import LEAST_KEYS
from processor.core.partition import partition_of
from processor.core.request import Mode
from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.deployment import PARTITIONS, Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove, settle
from tests.e2e.servers import locked
from tests.e2e.test_whole_objects import SMALL_PARTS, assert_found, begin, parts, plant
from tests.e2e.watcher import Story

PATIENT = {**READ_SETTINGS, "statement_timeout_s": 60}
STOPPED_S = 5.0
READERS = (
    "select application_name, wait_event_type from pg_stat_activity"
    " where application_name like 'resync/process%%' and backend_type = 'client backend'"
    " and datname = current_database()"
)


WAITING = ("resync/process-bulk/0", "Lock")
READERS_EACH = 3


def held_up(made: Deployment, story: Story) -> None:
    """The part that is in hand waits for a lock at the district."""
    made.watcher.until(lambda: WAITING in made.rows("NORTH", READERS), "a part that waits")
    made.read_all()
    assert not story.has_ended()


def readers(made: Deployment, district: str = "NORTH") -> Counter[str]:
    return Counter(name for name, _ in made.rows(district, READERS))


def test_a_key_of_the_same_district_is_answered_while_a_part_is_being_read(deploy: Deploy) -> None:
    made = deploy(settings=PATIENT, limits=SMALL_PARTS | {"readers": READERS_EACH, "max_keys": 300})
    plant(made, "NORTH")
    made.start_all()
    story = begin(made, "NORTH")
    made.watcher.until(lambda: parts(story) >= 3, "some parts", poll_s=0.01)
    chunks = (made.topics.chunks, partition_of("NORTH", PARTITIONS))
    with locked(made.dsns["NORTH"], "identity"):
        held_up(made, story)
        before, offset = parts(story), made.committed(f"{made.name}-process")[chunks]
        asked = [made.submit("NORTH", "Enrollment", [key]) for key in (1, 2)]
        asked.append(made.submit("LAKE", "PersonIdentity", [1]))
        made.watcher.until_ended(asked)
        assert (parts(story), made.committed(f"{made.name}-process")[chunks]) == (before, offset)
        assert readers(made)["resync/process/0"] == 1
        assert readers(made)["resync/process-bulk/0"] <= READERS_EACH
        asked.append(read_by_as_many_as_there_may_be(made, "RIVER"))
    made.watcher.until_ended([story.request_id], 60)
    assert_found(story)
    prove(made, [story.request_id, *asked])


def read_by_as_many_as_there_may_be(made: Deployment, district: str) -> str:
    """The keys of a large request, while the part of another district waits."""
    with locked(made.dsns[district], "identity"):
        large = made.submit(district, "PersonIdentity", range(301), mode=Mode.VERIFY)
        made.watcher.until(lambda: made.rows(district, READERS).count(WAITING) == READERS_EACH, "all readers")
        assert readers(made, district)["resync/process-bulk/0"] == READERS_EACH
    made.watcher.until_ended([large])
    assert readers(made, "state")["resync/process-bulk/0"] == READERS_EACH
    return large


def test_a_process_ends_quickly_and_is_killed_while_a_part_is_being_read(deploy: Deploy) -> None:
    made = deploy(settings=PATIENT, limits=SMALL_PARTS)
    plant(made, "NORTH")
    made.start_all()
    story = begin(made, "NORTH")
    made.watcher.until(lambda: parts(story) >= 3, "some parts", poll_s=0.01)
    with locked(made.dsns["NORTH"], "identity"):
        held_up(made, story)
        started = monotonic()
        assert made.role("process").stop() == 0
        assert monotonic() - started < STOPPED_S
        made.start("process")
        held_up(made, story)
        made.role("process").kill()
        made.start("process")
    made.watcher.until_ended([story.request_id], 60)
    assert_found(story)
    prove(made, [story.request_id])


def test_a_process_ends_quickly_and_is_killed_with_batches_in_hand(deploy: Deploy) -> None:
    """Requests of several modes for the same keys, as many as are told by digests: each is carried out once."""
    made = deploy(settings={**PATIENT, "batch_max_records": 2})
    keys = made.take_keys(LEAST_KEYS)
    for district in ("NORTH", "RIVER"):
        persons(made, district, keys)
        rename(made, district, keys)
    made.start_all()
    asked = [made.submit("NORTH", "PersonIdentity", keys, mode=Mode.VERIFY)]
    made.watcher.until_ended(asked)

    def in_hand() -> None:
        made.watcher.until(lambda: ("resync/process/0", "Lock") in made.rows("NORTH", READERS), "a batch that waits")

    with locked(made.dsns["NORTH"], "identity"):
        for mode in (Mode.SYNC, Mode.FORCE, Mode.VERIFY):
            asked += [made.submit(district, "PersonIdentity", keys, mode=mode) for district in ("NORTH", "RIVER")]
        in_hand()
        started = monotonic()
        assert made.role("process").stop() == 0
        assert monotonic() - started < STOPPED_S
        made.start("process")
        in_hand()
        made.role("process").kill()
        made.start("process")
    made.watcher.until_ended(asked, 60)
    prove(made, asked)
    for district in ("NORTH", "RIVER"):
        assert_same(made, district, keys)


def test_all_adds_up_though_partitions_move_while_a_part_is_being_read(deploy: Deploy) -> None:
    """Both ways: the part that was in hand comes to nothing, and its next owner reads it again."""
    made = deploy(settings={**PATIENT, "session_timeout_s": 6}, limits=SMALL_PARTS)
    plant(made, "NORTH")
    made.start_all()
    story = begin(made, "NORTH")
    made.watcher.until(lambda: parts(story) >= 3, "some parts", poll_s=0.01)
    with locked(made.dsns["NORTH"], "identity"):
        held_up(made, story)
        made.start("process", 1)
        made.watcher.until(
            lambda: ("resync/process-bulk/1", "Lock") in made.rows("NORTH", READERS), "the part at its next owner"
        )
    moved = parts(story)
    made.watcher.until(lambda: parts(story) >= moved + 3, "more parts", poll_s=0.01)
    second = made.role("process-1")
    second.was_ended_by_test = True
    second.signal(signal.SIGTERM)
    made.watcher.until_ended([story.request_id], 60)
    assert second.await_end() == 0
    assert_found(story)
    prove(made, [story.request_id])


SLOW = """
    create function is_slow(key int) returns boolean language plpgsql as $$ begin
        if key = 7 and exists (select from slow_key) then perform pg_sleep(60); end if;
        return false;
    end $$;
    create table slow_key as select 1;
    alter table identity rename to identity_of_all;
    create view identity as select * from identity_of_all where not is_slow(person_id);
"""


@pytest.mark.parametrize(
    ("mode", "told"),
    [(Mode.VERIFY, {"IN_SYNC": 39, "DEFERRED SNAPSHOT_UNAVAILABLE": 1}), (Mode.SYNC, {"IN_SYNC": 39})],
)
def test_keys_beside_one_that_is_always_too_slow_are_compared_and_it_waits(
    deploy: Deploy, mode: Mode, told: dict[str, int]
) -> None:
    """The request is read by ever smaller pieces; the key itself waits, as for a database that is away."""
    made = deploy(settings={**READ_SETTINGS, "statement_timeout_s": 1})
    persons(made, "NORTH", range(40))
    made.rows("NORTH", SLOW)
    made.start_all()
    asked = made.submit("NORTH", "PersonIdentity", range(40), mode=mode)
    story = made.watcher.story(asked)
    made.watcher.until(lambda: story.counts() == told, "all keys but the slow one", 60)
    assert not story.has_ended()
    made.rows("NORTH", "drop table slow_key")
    made.rows("NORTH", "create or replace function is_slow(key int) returns boolean language sql as 'select false'")
    made.watcher.until_ended([asked], 120)
    settle(made)
    assert story.counts() == {"IN_SYNC": 40}
    prove(made, [asked])
