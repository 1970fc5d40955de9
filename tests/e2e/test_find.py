"""`resync find` on the demo's catalog: what is found, for whom, and that its keys can be asked for."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import run
from tests.e2e.console import Ended, resync
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, enrollments, persons, rename
from tests.people_of_policy import policy_of
from tests.unit.cli.json_schema import problems

GRANT: dict[str, Any] = {"sides": ["DISTRICT"], "districts": ["NORTH"], "rights": ["R", "see-values"]}
PEOPLE: dict[str, dict[str, Any]] = {
    "clerk": {**GRANT, "objects": ["PersonIdentity", "Enrollment"]},
    "registrar": {**GRANT, "objects": ["Enrollment"]},
    "reader": {**GRANT, "objects": "all", "rights": ["R"]},
}


def find(deployment: Deployment, object_name: str, where: str, *more: object, **env: str) -> Ended:
    return resync(deployment.env | env, "find", "NORTH", object_name, "--where", where, *map(str, more))


def among(keys: Iterable[int]) -> str:
    return f"({', '.join(map(str, keys))})"


def found(ended: Ended) -> list[tuple[str, str | None, str | None]]:
    assert ended.code == 0, ended.err
    document = ended.json()
    assert problems(document, "find.json") == []
    return [(row["key"], row["last_name"], row["first_name"]) for row in document]


def named(keys: Iterable[int], persons: Iterable[int]) -> list[tuple[str, str | None, str | None]]:
    return [(str(key), f"Last{person}", f"First{person}") for key, person in zip(keys, persons, strict=True)]


@pytest.mark.parametrize("side", ["district", "state"])
def test_records_are_found_on_either_side_with_the_name_of_their_person(running: Deployment, side: str) -> None:
    keys = running.take_keys(3)
    persons(running, "NORTH", keys)
    enrollments(running, "NORTH", keys, [keys[2], keys[1], keys[0]])
    form = ("--side", side, "--output", "json")
    both = named(keys, [keys[2], keys[1], keys[0]])
    within = f"student.personID in {among(keys)}"
    assert found(find(running, "Enrollment", within, *form)) == both
    assert found(find(running, "Enrollment", f"{within} and grade = '5' and schoolYear = 2026", *form)) == both
    assert found(find(running, "Enrollment", f"{within} and not grade in ('5')", *form)) == []
    assert found(find(running, "Enrollment", f"{within} and student.lastName = 'Last{keys[0]}'", *form)) == both[2:]
    assert found(find(running, "Enrollment", f"key = {keys[1]} and startDate > 2025-08-19", *form)) == both[1:2]
    assert found(find(running, "Enrollment", within, "--school-year", 2026, *form)) == both
    assert found(find(running, "Enrollment", within, "--school-year", 2027, *form)) == []
    # 08:00 in Chicago, kept as local time here and in UTC there.
    since = f"key in {among(keys)} and modified since"
    assert len(found(find(running, "PersonIdentity", f"{since} 2026-01-05T08:00", *form))) == 3
    assert len(found(find(running, "PersonIdentity", f"{since} 2026-01-05T14:00:00Z", *form))) == 3
    assert found(find(running, "PersonIdentity", f"{since} '2026-01-05 08:00:00.000001'", *form)) == []
    # 'Y' and 0 here, true and false there.
    assert len(found(find(running, "PersonIdentity", f"key in {among(keys)} and isStudent = true", *form))) == 3
    assert found(find(running, "PersonIdentity", f"key in {among(keys)} and isStaff = true", *form)) == []


def test_only_the_district_s_own_connection_is_needed(running: Deployment) -> None:
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    own = {"RESYNC_DISTRICT_DSN_NORTH": running.env["RESYNC_DISTRICT_DSN_NORTH"]}
    few = {name: value for name, value in running.env.items() if "_DSN" not in name}
    where = ("find", "NORTH", "PersonIdentity", "--output", "json", "--where", f"key = {key}")
    assert found(resync(few | own, *where)) == named([key], [key])
    lacking: list[tuple[tuple[str, ...], str]] = [
        ((), "district NORTH: the environment has no RESYNC_DISTRICT_DSN_NORTH"),
        (("--side", "state"), "RESYNC_STATE_DSN"),
    ]
    for more, lacks in lacking:
        ended = resync(few, *where, *more)
        assert (ended.code, ended.out) == (2, "")
        assert lacks in ended.err


def test_what_is_more_than_the_limit_is_told_and_the_order_is_that_of_the_keys(running: Deployment) -> None:
    keys = running.take_keys(12)
    persons(running, "NORTH", reversed(keys), there=False)
    where = f"key in {among(keys)}"
    some = find(running, "PersonIdentity", where, "--limit", 11, "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(some.out)))
    assert [row["key"] for row in rows] == [str(key) for key in keys[:11]]
    assert some.err == "there are more than these 11: raise --limit (at most 100000) or narrow the filter\n"
    whole = find(running, "PersonIdentity", where, "--limit", 12)
    assert whole.err == ""
    assert whole.out.splitlines()[0].split() == ["key", "last", "name", "first", "name"]
    assert len(whole.out.splitlines()) == 13


def test_what_is_found_can_be_asked_for(running: Deployment, tmp_path: Path) -> None:
    keys = running.take_keys(6)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys[:4], "O'Drifted")
    where = f"lastName = 'O''Drifted' and key in {among(keys)}"
    for name, some in (("keys.txt", "<="), ("keys.csv", ">")):
        listed = tmp_path / name
        ended = find(running, "PersonIdentity", f"{where} and key {some} {keys[1]}", "--keys-file", listed)
        assert ended.code == 0, ended.err
        asked = run(
            running, "submit", "--district", "NORTH", "--object", "PersonIdentity", "--wait", "--file", str(listed)
        )
        assert asked.returncode == 0, asked.stderr
        assert "COMPLETE, 2 keys" in asked.stderr
    assert_same(running, "NORTH", keys)
    piped = find(running, "PersonIdentity", where, "--keys-file", "-")
    assert piped.out.splitlines() == [str(key) for key in keys[:4]]


def test_nothing_is_told_to_who_may_not_see_values(running: Deployment, tmp_path: Path) -> None:
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    enrollments(running, "NORTH", [key], [key])
    policy = {"RESYNC_POLICY": str(policy_of(PEOPLE, tmp_path))}

    def told(who: str, object_name: str, where: str, district: str = "NORTH") -> Ended:
        env = running.env | policy | {"RESYNC_TOKEN": who}
        return resync(env, "find", district, object_name, "--where", where, "--output", "json")

    for district, object_name in (("NORTH", "PersonIdentity"), ("NORTH", "Nothing"), ("NOWHERE", "PersonIdentity")):
        ended = told("reader", object_name, "no = filter", district)
        assert (ended.code, ended.out) == (1, "")
        expected = f"NOT_AUTHORIZED: reader may not see values of {object_name} here: it needs see-values"
        assert ended.err == f"resync: {expected}\n"
    assert told("clerk", "PersonIdentity", f"key = {key}", "RIVER").code == 1
    assert found(told("clerk", "Enrollment", f"key = {key}")) == named([key], [key])
    assert found(told("clerk", "Enrollment", f"student.lastName = 'Last{key}'")) == named([key], [key])

    nameless = told("registrar", "Enrollment", f"student.personID = {key}")
    assert found(nameless) == [(str(key), None, None)]
    assert nameless.err == "names are left out: you may not see values of PersonIdentity here\n"
    oracle = told("registrar", "Enrollment", f"student.lastName starts with 'Last' and key = {key}")
    assert (oracle.code, oracle.out) == (1, "")
    assert "may not see values of PersonIdentity" in oracle.err


HOSTILE = [
    "",
    "1=1",
    "true",
    "key = 1; drop table identity",
    "key = 1 or 1 = 1",
    "key = 1 -- ",
    'lastName = "x" or ""=""',
    "lastName = 'x",
    "lastName = 'x' union select ssn from identity",
    "exists (select 1)",
    "pg_sleep(10) = 1",
    "identity.ssn = '1'",
    "key = (select 1)",
    "lastName = '\u0000'",
    "ｌastName = 'x'",
    "(" * 1_900,
    "not " * 400 + "key = 1",
]


@pytest.mark.parametrize("where", [where for where in HOSTILE if "\x00" not in where])
def test_what_is_no_filter_is_refused_in_one_line(running: Deployment, where: str) -> None:
    ended = find(running, "PersonIdentity", where)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("resync: filter, position ")
    assert len(ended.err.splitlines()) == 1


def test_hostile_texts_are_texts(running: Deployment) -> None:
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    for name in ("x'; drop table identity; --", "%(p0)s %s {0} $1 \\", "Robert\u202e\u0301🙂", "' or ''='"):
        rename(running, "NORTH", [key], name)
        quoted = name.replace("'", "''")
        where = f"key = {key} and lastName = '{quoted}' and lastName in ('{quoted}', 'x') and lastName starts with "
        assert [row[0] for row in found(find(running, "PersonIdentity", f"{where} '{quoted}'", "-o", "json"))] == [
            str(key)
        ]


def test_a_filter_may_match_everything(running: Deployment) -> None:
    persons(running, "NORTH", running.take_keys(2))
    ended = find(running, "PersonIdentity", "key is not null or key is null", "--limit", 1, "-o", "ndjson")
    assert (ended.code, len(ended.out.splitlines())) == (0, 1)
    assert "there are more than these 1" in ended.err


def test_a_closed_year_is_refused(running: Deployment) -> None:
    for where, more in (("schoolYear = 2019", ()), ("grade = '5'", ("--school-year", "2019"))):
        ended = find(running, "Enrollment", where, *more)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == "resync: YEAR_NOT_OPEN: only these school years are open: 2025, 2026, 2027\n"


def test_a_database_that_takes_too_long_is_let_go(running: Deployment) -> None:
    with running.connection("NORTH").transaction():
        running.rows("NORTH", "lock table identity in access exclusive mode")
        ended = find(running, "PersonIdentity", "key = 1", "--timeout", 0.5)
    assert (ended.code, ended.out) == (4, "")
    assert "not done within 0.5 s; narrow the filter or give it more time" in ended.err
