"""Whether databases are there, seen while nobody reads their records: against real servers."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from processor.adapters.postgres.database import Database, ReaderOptions, Unreadable
from processor.adapters.postgres.watch import DatabaseWatch
from processor.service.ports import SnapshotImpossible, SnapshotUnavailable
from stack.layout import Stack
from tests.awaiting import await_
from tests.e2e.servers import frozen, stopped

OPTIONS = ReaderOptions("resync/watch/0", statement_timeout_s=1.0, connect_timeout_s=1)
EVERY_S = 0.5
AWAY = "postgres-RIVER"


@contextmanager
def watching(settings: dict[str, str], *districts: str) -> Iterator[tuple[DatabaseWatch, dict[str, Database]]]:
    databases = {
        name: Database(f"district {name}", settings.get(f"RESYNC_DISTRICT_DSN_{name}", ""), OPTIONS)
        for name in districts
    }
    state = Database("state", settings["RESYNC_STATE_DSN"], OPTIONS, "state")
    watch = DatabaseWatch(databases, state, every_s=EVERY_S, patience_s=3.0)
    watch.start()
    yield watch, databases
    watch.close()
    for database in (*databases.values(), state):
        database.close()


def test_a_stopped_district_is_seen_and_seen_again_when_it_is_back(
    stack: Stack, stack_settings: dict[str, str]
) -> None:
    with watching(stack_settings, "NORTH", "RIVER") as (watch, _):
        assert (watch.check().ok, watch.ups()) == (False, {})
        watch.own(lambda _district: True)
        await_(lambda: watch.ups() == {"NORTH": True, "RIVER": True}, "both")
        with stopped(stack, AWAY):
            await_(lambda: watch.ups() == {"NORTH": True, "RIVER": False}, "the absence")
            assert watch.check().detail == "state up; 1 of 2 districts up"
            assert watch.check().ok
        await_(lambda: watch.ups() == {"NORTH": True, "RIVER": True}, "the return", 30)


def test_a_frozen_district_is_let_go_and_keeps_no_other_from_its_turn(
    stack: Stack, stack_settings: dict[str, str]
) -> None:
    with watching(stack_settings, "NORTH", "RIVER") as (watch, databases):
        watch.own(lambda _district: True)
        await_(lambda: watch.ups() == {"NORTH": True, "RIVER": True}, "both")
        with frozen(stack, AWAY):
            await_(lambda: watch.ups().get("RIVER") is False, "the absence", 15)
            asked = databases["NORTH"].asked_at
            await_(lambda: databases["NORTH"].asked_at > asked, "the other's turn")


def test_only_owned_districts_are_asked_on_one_connection_each(stack_settings: dict[str, str]) -> None:
    with watching(stack_settings, "NORTH", "RIVER") as (watch, databases):
        watch.own(lambda district: district == "NORTH")
        await_(lambda: watch.ups() == {"NORTH": True}, "the owned one")
        first = databases["NORTH"].asked_at
        await_(lambda: databases["NORTH"].asked_at > first + EVERY_S, "another turn")
        assert databases["RIVER"].is_up is None
        with psycopg.connect(stack_settings["RESYNC_DISTRICT_DSN_NORTH"]) as connection:
            query = "select count(*) from pg_stat_activity where application_name = %s"
            assert connection.execute(query, (OPTIONS.application_name,)).fetchone() == (1,)
        watch.own(lambda _district: False)
        assert watch.ups() == {}


def test_a_ping_leaves_a_database_alone_while_its_gate_is_closed() -> None:
    database = Database("district GONE", "host=127.0.0.1 port=1", OPTIONS)
    database.ping()
    assert database.is_up is False
    database.is_up = None
    database.ping()
    assert database.is_up is None, "it was asked again at once"
    with pytest.raises(SnapshotUnavailable, match="waiting before it is asked again"):
        database.rows(sql.SQL("select 1").format(), {})


def test_a_name_that_the_database_does_not_know_is_told_and_a_value_never(stack_settings: dict[str, str]) -> None:
    database = Database("district NORTH", stack_settings["RESYNC_DISTRICT_DSN_NORTH"], OPTIONS)
    for query, told in (
        ("select no_such from pg_class", 'UndefinedColumn (42703): column "no_such" does not exist; check the catalog'),
        ("select 1 from no_such", 'UndefinedTable (42P01): relation "no_such" does not exist; check the catalog'),
    ):
        with pytest.raises(SnapshotImpossible) as caught:
            database.rows(sql.Composed([sql.SQL(query)]), {"value": "S3CR3T"})
        assert str(caught.value).startswith(f"district NORTH: {told}")
    with pytest.raises(Unreadable, match=r"\A22P02\Z"):
        database.rows(sql.Composed([sql.SQL("select cast(%(value)s as integer)")]), {"value": "S3CR3T"})
    database.close()
