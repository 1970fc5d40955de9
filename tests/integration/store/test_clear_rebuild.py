"""What was cleared stays so when its tombstones are gone from the topic."""

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.core import ids
from processor.core.history import Status
from processor.service.materialize import Store
from tests.integration.store.clearing import (
    SEEN,
    assert_only_the_mark,
    clear_,
    clearings,
    ended_store,
    last_records,
    split_request,
)
from tests.integration.store.records import applied_request, outcome
from tests.integration.store.test_replay import COMPACTED_SOON
from tests.integration.store.waiting import run
from tests.integration.store.world import World


def compacted_away(world: World, request_id: str, store: Store) -> None:
    """Until the topic holds nothing of the request but its mark: records and tombstones are gone."""

    def is_gone() -> bool:
        world.produce(*applied_request(1)[1])  # the active segment is never compacted: appending rolls it
        return last_records(world, request_id).keys() == {ids.cleared_key(request_id)}

    run(store, is_gone, 90)


@pytest.mark.parametrize("world", [COMPACTED_SOON], indirect=True)
def test_compaction_and_a_rebuild_from_the_beginning_keep_it_cleared(world: World) -> None:
    request_id, records = split_request()
    store = ended_store(world, [(request_id, records)])
    clear_(world, store, request_id)
    compacted_away(world, request_id, store)
    world.catch_up(store)
    world.replay()
    assert clearings(world) == {request_id: 3}
    world.stop(store)
    tables = ", ".join(f"resync_store.{name}" for name in ("requests", "chunks", "outcomes", "clearings", "offsets"))
    world.execute(f"truncate {tables}")
    anew = world.store(control=True)
    world.produce(outcome(request_id, "1", Status.APPLIED, answered_at=SEEN))
    run(anew, lambda: clearings(world) == {request_id: 3} and world.is_settled(), 60)
    assert_only_the_mark(world, request_id)
    assert not [row for rows in world.visible().values() for row in rows if row[0] == request_id and len(row) != 7]
    assert world.verify().divergences == 0


@pytest.mark.parametrize("world", [COMPACTED_SOON], indirect=True)
@pytest.mark.parametrize("rebuilds", [True, False], ids=["rebuilds", "by the mark alone"])
def test_a_store_that_was_away_longer_than_tombstones_are_kept(
    world: World, capfd: pytest.CaptureFixture[str], *, rebuilds: bool
) -> None:
    """Its tables hold rows whose tombstones it can never read."""
    gone, kept = split_request(), applied_request(2)
    store = ended_store(world, [gone, kept])
    backup = copy_of(world)
    clear_(world, store, gone[0])
    compacted_away(world, gone[0], store)
    world.catch_up(store)
    world.stop(store)
    expected, live = world.tables(), world.dsn
    world.dsn = backup
    capfd.readouterr()
    away = world.store(control=True, rebuilds=rebuilds)
    run(away, lambda: clearings(world) == {gone[0]: 3} and world.is_settled(), 60)
    assert away.counts.rebuilds == int(rebuilds)
    assert ("longer than the topic keeps tombstones" in capfd.readouterr().out) == rebuilds
    found = world.tables()
    assert found == expected
    assert world.verify().divergences == 0
    assert_only_the_mark(world, gone[0])
    world.stop(away)
    world.dsn = live
    drop(live, backup)


def copy_of(world: World) -> str:
    """The history database as a backup of this moment has it."""
    name = world.rows("select current_database()")[0][0]
    world.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()", [name]
    )
    world.disconnect()
    server = make_conninfo(world.dsn, dbname="postgres")
    made = f"{name}_backup"
    statement = sql.SQL("create database {} template {}").format(sql.Identifier(made), sql.Identifier(name))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)
    return make_conninfo(world.dsn, dbname=made)


def drop(server: str, dsn: str) -> None:
    name = dict(part.split("=", 1) for part in dsn.split())["dbname"]
    with psycopg.connect(make_conninfo(server, dbname="postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.mark.parametrize("world", [{"delete.retention.ms": "4000"}], indirect=True)
def test_the_tables_of_a_store_at_work_are_never_taken_for_left(world: World) -> None:
    store = ended_store(world, [applied_request(1)], rebuilds=True)
    world.execute("update resync_store.offsets set kept_at = now() - interval '2 days'")
    run(store, lambda: world.rows("select from resync_store.offsets where kept_at < now() - interval '1 day'") == [])
    world.produce(*applied_request(1)[1])
    world.stop(store)
    again = world.store(ordinal=0, rebuilds=True)
    world.catch_up(again)
    assert again.counts.rebuilds == 0
