"""A state whose encoding lacks characters that districts have."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.core.correction import Result
from tests.integration.applier.world import World, create, update

TABLES = Path(__file__).with_name("tables.sql")
HELD = "\u00e9"
LACKING = "\u0416"
LACKS = "a character that the encoding of the state's database lacks (22P05)"


@pytest.fixture
def latin(stack_settings: dict[str, str]) -> Iterator[World]:
    server, name = stack_settings["RESYNC_STATE_DSN"], f"latin_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        statement = sql.SQL("create database {} template template0 encoding 'LATIN1' locale 'C'")
        connection.execute(statement.format(sql.Identifier(name)))
    dsn = make_conninfo(server, dbname=name)
    with psycopg.connect(dsn) as connection:
        connection.execute(TABLES.read_bytes())
    made = World(dsn)
    try:
        made.writer.ensure_schema()
        yield made
    finally:
        made.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def test_a_value_that_the_encoding_lacks_fails_its_own_key_and_names_the_field(latin: World) -> None:
    first, second, third = latin.apply(
        create("Person", "1", {"lastName": HELD}),
        create("Person", "2", {"lastName": "A", "firstName": LACKING}),
        create("Person", "3", {"lastName": "B"}),
    )

    assert (second.result, second.detail) == (Result.REJECTED_BY_STATE, f"firstName: {LACKS}")
    assert [first.result, third.result] == [Result.APPLIED] * 2
    assert latin.results(update("Person", "1", {"lastName": HELD}, {"firstName": LACKING})) == [
        Result.REJECTED_BY_STATE
    ]
    assert latin.rows("select person_id, last_name from person order by 1") == [(1, HELD), (3, "B")]


def test_a_key_that_the_encoding_lacks_fails_by_itself(latin: World) -> None:
    latin.apply(create("Person", "1", {"lastName": "A"}), create("Enrollment", "2", {"personID": "1"}))
    wrong = create("Behavior", LACKING, {"enrollmentID": "2"})
    first, second, third = latin.apply(
        create("Behavior", "a", {"enrollmentID": "2"}), wrong, create("Behavior", HELD, {"enrollmentID": "2"})
    )

    assert (second.result, second.detail) == (Result.REJECTED_BY_STATE, f"key: {LACKS}")
    assert [first.result, third.result] == [Result.APPLIED] * 2
    assert latin.said(wrong) == (Result.REJECTED_BY_STATE, f"key: {LACKS}"), "given again"
