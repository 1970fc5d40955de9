"""One database as a reader sees it: against a real server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from processor.adapters.postgres.database import FETCHED_AT_ONCE, Database, ReaderOptions, Unreadable
from processor.service.ports import ReadTimedOut, SnapshotUnavailable

OPTIONS = ReaderOptions("resync/process/0", statement_timeout_s=0.2, connect_timeout_s=1)
SLOW, QUICK = sql.SQL("select pg_sleep(60)").format(), sql.SQL("select 7").format()


@contextmanager
def reading(settings: dict[str, str], options: ReaderOptions) -> Iterator[Database]:
    database = Database("state", settings["RESYNC_STATE_DSN"], options, "state")
    yield database
    database.close()


def test_a_database_that_is_slow_is_left_alone_where_others_wait_for_it(stack_settings: dict[str, str]) -> None:
    with reading(stack_settings, OPTIONS) as database:
        with pytest.raises(ReadTimedOut):
            database.rows(SLOW, {})
        with pytest.raises(SnapshotUnavailable, match="waiting before it is asked again"):
            database.rows(QUICK, {})


def test_it_is_asked_for_the_next_keys_at_once_where_nobody_waits(stack_settings: dict[str, str]) -> None:
    with reading(stack_settings, replace(OPTIONS, rests_after_timeout=False)) as database:
        with pytest.raises(ReadTimedOut):
            database.rows(SLOW, {})
        assert database.rows(QUICK, {}) == [(7,)]


def test_what_a_function_of_a_view_refuses_is_the_rows_fault_and_its_words_are_not_told(
    stack_settings: dict[str, str],
) -> None:
    guarded = """
        create or replace function guarded(of text) returns text language plpgsql as $$
        begin raise insufficient_privilege using message = of || ' is protected'; end $$
    """
    with psycopg.connect(stack_settings["RESYNC_STATE_DSN"], autocommit=True) as owner:
        owner.execute(guarded)
        with reading(stack_settings, OPTIONS) as database, pytest.raises(Unreadable, match=r"^42501$"):
            database.rows(sql.SQL("select guarded('Jane Doe')").format(), {})
        owner.execute("drop function guarded")


def test_a_reader_that_closes_its_connection_first_leaves_nothing_to_break(
    stack_settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a stop that meets the end of a read would end with its error, and close nothing more."""
    fileno = psycopg.Connection.fileno

    def closed_meanwhile(connection: "psycopg.Connection[Any]") -> int:
        connection.close()
        return fileno(connection)

    with reading(stack_settings, OPTIONS) as database:
        database.rows(QUICK, {})
        monkeypatch.setattr(psycopg.Connection, "fileno", closed_meanwhile)
        database.abandon()
        monkeypatch.undo()
        assert database.rows(QUICK, {}) == [(7,)]


@pytest.mark.parametrize("count", [0, 1, FETCHED_AT_ONCE, 2 * FETCHED_AT_ONCE + 1])
def test_all_rows_come_however_they_are_fetched(stack_settings: dict[str, str], count: int) -> None:
    asked = sql.SQL("select generate_series(1, %(count)s)").format()
    with reading(stack_settings, OPTIONS) as database:
        assert [row[0] for row in database.rows(asked, {"count": count})] == list(range(1, count + 1))
        database.disconnect()
        assert len(database.rows(asked, {"count": count})) == count, "it connects again"
