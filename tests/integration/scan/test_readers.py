"""A database that may be read by several connections is read by as many, and by no more."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from processor.core.catalog import KeyType
from processor.service.ports import SnapshotUnavailable
from tests.awaiting import await_
from tests.integration.scan.world import world

READERS = 3
READING = (
    "select count(*), count(*) filter (where wait_event_type = 'Lock') from pg_stat_activity"
    " where datname = current_database() and application_name = 'resync/process/0'"
    " and backend_type = 'client backend'"
)


@pytest.mark.parametrize("side", ["district", "state"])
def test_keys_are_shared_out_to_as_many_readers_as_there_may_be(stack_settings: dict[str, str], side: str) -> None:
    keys = [str(key) for key in range(1_001)]
    with world(stack_settings, KeyType.INTEGER, readers=READERS) as here, ThreadPoolExecutor(1) as thread:
        here.fill(((key, "here") for key in keys), ((key, "there") for key in keys[:-1]))
        held_up = here.ours if side == "district" else here.theirs
        with psycopg.connect(held_up.info.dsn, autocommit=True) as watching:
            with held_up.transaction():
                held_up.execute("lock table item in access exclusive mode")
                reading = thread.submit(here.snapshots.read, {("D", "Item"): keys})
                await_(lambda: watching.execute(READING).fetchone() == (READERS, READERS), "all readers")
            found = reading.result(10)["D", "Item"]
            assert watching.execute(READING).fetchone() == (READERS, 0)
    assert not isinstance(found, SnapshotUnavailable)
    assert [key for both in found for key in both.keys] == keys
    at_district = {key: rows for both in found for key, rows in both.district.rows.items()}
    assert at_district == dict.fromkeys(keys, (("here",),))
    assert {key for both in found for key in both.state.rows} == set(keys[:-1])


def test_few_keys_are_read_by_one(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER, readers=READERS) as here:
        found = here.snapshots.read({("D", "Item"): [str(key) for key in range(100)]})["D", "Item"]
        with psycopg.connect(here.ours.info.dsn) as watching:
            assert watching.execute(READING).fetchone() == (1, 0)
    assert not isinstance(found, SnapshotUnavailable)
    assert len(found) == 1
