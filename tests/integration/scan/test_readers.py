"""A database that may be read by several connections is read by as many, and by no more."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from processor.adapters.postgres.database import ReaderOptions
from processor.adapters.postgres.scans import PostgresScans
from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.core.catalog import KeyType
from processor.core.digest import same_digest
from processor.service.ports import BothSides, SnapshotUnavailable
from tests.awaiting import await_
from tests.integration.scan.world import world

READERS = 3
OPTIONS = ReaderOptions("resync/alone/0", statement_timeout_s=5.0, connect_timeout_s=5)
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
        wanted = {("D", "Item"): keys}
        held_up = here.ours if side == "district" else here.theirs
        with psycopg.connect(held_up.info.dsn, autocommit=True) as watching:
            with held_up.transaction():
                held_up.execute("lock table item in access exclusive mode")
                reading = thread.submit(here.snapshots.read, wanted, wanted)
                await_(lambda: watching.execute(READING).fetchone() == (READERS, READERS), "all readers")
            found = reading.result(10)["D", "Item"]
            assert watching.execute(READING).fetchone() == (READERS, 0)
    assert not isinstance(found, SnapshotUnavailable)
    assert [key for both in found for key in both.keys] == keys
    reads = [both for both in found if isinstance(both, BothSides)]
    at_district = {key: rows for both in reads for key, rows in both.district.rows.items()}
    assert at_district == dict.fromkeys(keys, (("here",),))
    assert {key for both in reads for key in both.state.rows} == set(keys[:-1])


@pytest.mark.parametrize("key_type", [KeyType.INTEGER, KeyType.TEXT])
def test_parts_of_a_scan_are_shared_out_and_are_what_one_reader_gives(
    stack_settings: dict[str, str], key_type: KeyType
) -> None:
    """Rows that are missing, differ, or are there twice, also where a range ends."""
    rows = [(key, "x") for key in range(1_500, 5_000) for _ in range(1 + (key % 250 < 2))]
    column = {KeyType.INTEGER: "bigint", KeyType.TEXT: "text"}[key_type]
    with world(stack_settings, key_type, column=column, readers=READERS) as here:
        here.fill(rows, ((key, "y" if key % 40 == 7 else "x") for key, _ in rows if key % 70))
        alone = PostgresSnapshots(here.catalog, here.theirs.info.dsn, OPTIONS)
        with closing(PostgresScans(here.catalog, alone)) as scans, closing(alone):
            one = replace(here, scans=scans)
            for size in (1_000, 1_499, 2_000, 10_000):
                for same in (None, same_digest):
                    assert [part for part, _ in here.windows(size, same)] == [
                        part for part, _ in one.windows(size, same)
                    ]
                for after in (None, "1700", "4999"):
                    assert here.scans.digests("D", "Item", after, size) == scans.digests("D", "Item", after, size)
        for side in (here.ours, here.theirs):
            with psycopg.connect(side.info.dsn) as watching:
                assert watching.execute(READING).fetchone() == (READERS, 0)


def test_few_keys_are_read_by_one(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER, readers=READERS) as here:
        found = here.snapshots.read({("D", "Item"): [str(key) for key in range(100)]})["D", "Item"]
        with psycopg.connect(here.ours.info.dsn) as watching:
            assert watching.execute(READING).fetchone() == (1, 0)
    assert not isinstance(found, SnapshotUnavailable)
    assert len(found) == 1
