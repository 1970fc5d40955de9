"""The tables are made once, whoever comes first, and never by an older release than the one that made them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from processor.adapters.postgres.history_connection import LIVE_SCHEMA
from processor.adapters.postgres.history_connection import connect as connect_as_store
from processor.adapters.postgres.history_filters import RequestFilter
from processor.adapters.postgres.history_queries import HistoryQueries
from processor.adapters.postgres.history_schema import SchemaTooNew, migrate, migrations


def connect(dsn: str) -> psycopg.Connection:
    return psycopg.connect(dsn, autocommit=True)


def test_many_at_once_make_the_tables_once(database: str) -> None:
    def make(_: int) -> int:
        with connect(database) as connection:
            return migrate(connection)

    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(make, range(4)))
    assert sorted(ran) == [0, 0, 0, len(migrations())]


def test_a_second_time_needs_no_right(database: str) -> None:
    with connect(database) as connection:
        migrate(connection)
        connection.execute("set default_transaction_read_only = on")
        assert migrate(connection) == 0


def test_views_are_replaced_in_place_when_they_changed(database: str) -> None:
    with connect(database) as connection:
        migrate(connection)
        connection.execute("grant usage on schema history to public; grant select on history.outcomes to public")
        connection.execute("comment on schema history is 'views of another release'")
        migrate(connection)
        granted = connection.execute("select has_table_privilege('public', 'history.outcomes', 'select')").fetchone()
        assert granted == (True,)


def test_tables_of_a_later_release_are_left_alone(database: str) -> None:
    with connect(database) as connection:
        migrate(connection)
        connection.execute("insert into resync_store.migrations (version, name) values (9999, 'later')")
        with pytest.raises(SchemaTooNew, match="9999"):
            migrate(connection)


def test_how_a_database_likes_its_dates_written_does_not_matter(database: str) -> None:
    moment = datetime(2026, 8, 1, 13, tzinfo=UTC)
    with connect(database) as connection:
        migrate(connection)
        connection.execute(
            "insert into resync_store.requests values ('r', 'NORTH', 'Thing', 'KEYS', null, 'me', 'SYNC', 'NONE',"
            " 'REPORT', 'ALL', 'DISTRICT', null, null, null, null, 'REJECTED', null, null, 0, %s)",
            (moment,),
        )
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("alter database {} set datestyle = 'SQL, DMY'").format(name))
    with closing(HistoryQueries(database, "test")) as queries:
        [row] = queries.requests(RequestFilter(), 2)
    assert row["decided_at"] == moment
    with connect_as_store(database, "test", LIVE_SCHEMA) as connection:
        assert connection.execute("select decided_at from requests").fetchone() == (moment,)
