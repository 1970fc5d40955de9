"""The tables are made once, whoever comes first, and never by an older release than the one that made them."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

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
