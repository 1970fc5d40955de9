"""Filters that pick a few of many records by what an index has read these few, on both sides of the demo's catalog."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.adapters.postgres.condition_sql import tables_of
from processor.adapters.postgres.database import Database, ReaderOptions
from processor.adapters.postgres.finder import column_types, find_statement
from processor.catalog_file import Secrets, load_catalog
from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import Catalog
from processor.core.request import Side
from processor.core.selection import names_of_person, select
from stack.layout import REPO

RECORDS = 20_000
MOST_READ_IN_VAIN = 3_000
"""Local times are searched a day around."""
_DISTRICT = f"""
insert into identity (person_id, last_name, first_name, modified_date)
select k, 'Last' || k, 'First', timestamp '2026-01-01' + k * interval '1 minute' from generate_series(1, {RECORDS}) k;
insert into enrollment (enrollment_id, person_id, grade, end_year, start_date)
select k, k, '05', 2026, date '1970-01-01' + k from generate_series(1, {RECORDS}) k;
create index on identity (last_name);
create index on identity (modified_date);
create index on enrollment (start_date);
analyze;
"""
_STATE = f"""
insert into state_person (district_id, district_person_id, legal_last_name, legal_first_name, district_modified_at)
select d, k, 'Last' || k, 'First', timestamptz '2026-01-01 06:00Z' + k * interval '1 minute'
from generate_series(1, {RECORDS}) k, unnest(array['NORTH', 'RIVER']) d;
insert into state_enrollment (district_id, district_enrollment_id, state_person_id, grade_level, entry_date)
select district_id, district_person_id, state_id, '5', date '1970-01-01' + district_person_id::int from state_person;
create index on state_person (legal_last_name);
create index on state_person (district_modified_at);
create index on state_enrollment (entry_date);
analyze;
"""


@pytest.fixture(scope="module")
def databases(stack_settings: dict[str, str]) -> Iterator[dict[Side, Database]]:
    server = stack_settings["RESYNC_STATE_DSN"]
    made = {}
    for side, file, filling in ((Side.DISTRICT, "district", _DISTRICT), (Side.STATE, "state", _STATE)):
        name = f"find_{uuid.uuid4().hex[:10]}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        dsn = make_conninfo(server, dbname=name)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(Path(REPO, "demo", "sql", f"{file}.sql").read_bytes())
            for statement in filling.split(";"):
                connection.execute(statement.encode())
        made[side] = (name, Database("test", dsn, ReaderOptions("resync/find/0", 10.0, 3)))
    yield {side: database for side, (_, database) in made.items()}
    for name, database in made.values():
        database.close()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(REPO / "demo" / "catalog.yaml", SchemaFiles().object, Secrets.LEFT_OUT)


CASES = [
    ("Enrollment", "key in (7, 9)", ["7", "9"]),
    ("Enrollment", "student.personID = 7", ["7"]),
    ("Enrollment", "personID in (9, 7) and not grade = 'K'", ["7", "9"]),
    ("Enrollment", "startDate < 1970-01-04", ["1", "2"]),
    ("PersonIdentity", "student.personID = 7", ["7"]),
    ("PersonIdentity", "lastName = 'Last77' and firstName is not null", ["77"]),
    ("PersonIdentity", "modified since '2026-01-14 21:20'", ["20000"]),
]


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[1])
def test_a_few_of_many(
    databases: dict[Side, Database], catalog: Catalog, side: Side, case: tuple[str, str, list[str]]
) -> None:
    object_name, where, keys = case
    kind, database = catalog.objects[object_name], databases[side]
    condition = select(where, kind, catalog, [side])
    types = column_types(database, tables_of(condition, side))
    statement, parameters = find_statement(kind, condition, names_of_person(kind, catalog, side), side, types)
    given = {**parameters, "district_id": "NORTH", "limit": 101}
    assert [row[0] for row in database.rows(statement, given)] == keys
    explained = sql.SQL("EXPLAIN (ANALYZE, FORMAT TEXT) {}").format(statement)
    plan = "\n".join(line for (line,) in database.rows(explained, given))
    assert sum(map(int, re.findall(r"Rows Removed by Filter: (\d+)", plan))) < MOST_READ_IN_VAIN, plan
    assert "Seq Scan" not in plan, plan
