"""Values that are equal although they look different, and values that cannot be carried, on real tables."""

import re
from typing import LiteralString, NamedTuple

from processor.core.correction import Parent
from processor.core.request import Dependencies
from tests.e2e.deployment import Deployment
from tests.e2e.people import enrollments, persons
from tests.e2e.promises import prove
from tests.e2e.watcher import said

PRIVATE = "Sésame\U0001f511"
TIMES_AND_IDS = re.compile(
    r"datetime\.datetime\([^)]*\)|\d{4}-\d\d-\d\dT[\d:.]+Z|\|\d{10}\.\d{3}\||[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
"""Digits that have nothing to do with values, and hold those of a value once in a while."""


class Case(NamedTuple):
    """What the district's row is changed by, and what is then said of it; `state` is the state's, before."""

    here: LiteralString
    told: str
    field: str = ""
    state: LiteralString = ""


CASES = {
    "quotes": Case("last_name = 'O''Brien \"X\" \\ %'", "APPLIED"),
    "emoji": Case("last_name = 'Zoë \U0001f600'", "APPLIED"),
    "trailing blanks": Case("last_name = last_name || '   '", "IN_SYNC"),
    "blanks inside": Case("last_name = last_name || ' x  y'", "APPLIED"),
    "decomposed": Case("last_name = 'Zoe\u0308'", "IN_SYNC", state="legal_last_name = 'Zo\u00eb'"),
    "null and empty": Case("middle_name = ''", "IN_SYNC", state="legal_middle_name = null"),
    "null where null is not empty": Case("home_language = null", "APPLIED", state="home_language_code = ''"),
    "letter case": Case("email = 'A@B.example'", "IN_SYNC", state="email_address = 'a@b.EXAMPLE'"),
    "padding": Case("suffix = 'Jr.'", "IN_SYNC", state="name_suffix = 'JR.'"),
    "more decimals": Case("income_ratio = 1.5000", "IN_SYNC"),
    "rounded": Case("income_ratio = 1.504", "IN_SYNC"),
    "other zone": Case(
        "modified_date = '2026-07-05 09:00'", "IN_SYNC", state="district_modified_at = '2026-07-05 14:00Z'"
    ),
    "infinite date": Case("birthdate = 'infinity'", "FAILED UNREPRESENTABLE", "birthDate"),
    "before Christ": Case("birthdate = '0044-03-15 BC'", "FAILED UNREPRESENTABLE", "birthDate"),
    "infinite time": Case("modified_date = '-infinity'", "FAILED UNREPRESENTABLE", "modifiedAt"),
    "not a number": Case("income_ratio = 'NaN'", "FAILED UNREPRESENTABLE", "familyIncomeRatio"),
    "too wide": Case("income_ratio = 123456.78", "FAILED UNREPRESENTABLE", "familyIncomeRatio"),
    "no flag": Case("is_student = '?'", "FAILED UNREPRESENTABLE", "isStudent"),
    "no translation": Case("gender = 'Q'", "FAILED UNMAPPED_VALUE", "gender"),
    "null not allowed": Case("last_name = null", "FAILED REJECTED_BY_STATE"),
    "check": Case("birthdate = '1850-01-01'", "FAILED REJECTED_BY_STATE"),
    "too long": Case("home_phone = repeat('5', 40)", "FAILED REJECTED_BY_STATE"),
    "untouched": Case("city = city", "IN_SYNC"),
}


def test_values_of_every_kind_in_one_request(running: Deployment) -> None:
    keys = dict(zip(CASES, running.take_keys(len(CASES)), strict=True))
    persons(running, "RIVER", keys.values())
    for name, key in keys.items():
        case = CASES[name]
        running.connection("RIVER").execute(f"update identity set {case.here} where person_id = {key}".encode())
        if case.state:
            change_state(running, case.state, key)
    asked = [running.submit("RIVER", "PersonIdentity", keys.values())]
    running.watcher.until_ended(asked)
    prove(running, asked)
    story = running.watcher.story(asked[0])
    told = {name: said(story.last(key)) for name, key in keys.items()}
    assert told == {name: case.told for name, case in CASES.items()}
    for name, case in CASES.items():
        if case.field:
            assert story.last(keys[name]).changed_fields == (case.field,)
    here = "select last_name from identity where person_id = %s"
    there = "select legal_last_name from state_person where district_id = 'RIVER' and district_person_id = %s"
    for name in ("quotes", "emoji", "blanks inside"):
        assert running.rows("RIVER", here, [keys[name]]) == running.rows("state", there, [keys[name]])


def change_state(deployment: Deployment, change: LiteralString, key: int) -> None:
    statement = f"update state_person set {change} where district_id = 'RIVER' and district_person_id = {key}"
    with deployment.connection("state").transaction():
        deployment.rows("state", "set local session_replication_role = replica")
        deployment.connection("state").execute(statement.encode())


def test_a_constraint_that_is_checked_late_fails_its_own_row_only(running: Deployment) -> None:
    """The school's reference is deferrable: left alone it would fail the whole batch at the commit."""
    keys = list(running.take_keys(10))
    persons(running, "LAKE", keys)
    enrollments(running, "LAKE", keys, keys, there=False)
    bad = keys[4]
    running.rows("LAKE", "update enrollment set school_number = 'NOSUCH' where enrollment_id = %s", [bad])
    asked = [running.submit("LAKE", "Enrollment", keys)]
    running.watcher.until_ended(asked)
    prove(running, asked)
    story = running.watcher.story(asked[0])
    assert said(story.last(bad)) == "FAILED REJECTED_BY_STATE"
    assert "state_enrollment_school" in (story.last(bad).detail or "")
    assert {said(story.last(key)) for key in keys if key != bad} == {"APPLIED"}


def test_a_missing_grandparent(running: Deployment) -> None:
    """Behavior, its enrollment and its person, all missing at the state."""
    alone, together = running.take_keys(2)
    for key in (alone, together):
        persons(running, "NORTH", [key], there=False)
        enrollments(running, "NORTH", [key], [key], there=False)
        running.rows("NORTH", "insert into behavior (behavior_id, enrollment_id) values (%s, %s)", [key, key])
    asked = [
        running.submit("NORTH", "Behavior", [alone]),
        running.submit("NORTH", "Behavior", [together], dependencies=Dependencies.PARENTS),
    ]
    running.watcher.until_ended(asked)
    prove(running, asked)
    failed, applied = map(running.watcher.story, asked)
    assert said(failed.last(alone)) == "FAILED PARENT_MISSING"
    assert failed.last(alone).parent == Parent("Enrollment", str(alone))
    assert {name: said(told[-1]) for (name, _), told in applied.outcomes.items()} == {
        "Behavior": "APPLIED",
        "Enrollment": "APPLIED DEPENDENCY",
        "PersonIdentity": "APPLIED DEPENDENCY",
    }


def test_values_stay_out_of_history_and_logs(running: Deployment) -> None:
    """P8, also where a value is what went wrong."""
    keys = list(running.take_keys(4))
    persons(running, "NORTH", keys)
    running.rows("NORTH", "update identity set last_name = %s where person_id = any(%s)", [PRIVATE, keys])
    faults = ("gender = '\u0416'", "birthdate = '1799-12-31'", "home_phone = repeat('1', 40)")
    for key, fault in zip(keys[1:], faults, strict=True):
        running.connection("NORTH").execute(f"update identity set {fault} where person_id = {key}".encode())
    asked = [running.submit("NORTH", "PersonIdentity", keys)]
    running.watcher.until_ended(asked)
    prove(running, asked)
    told = repr(running.watcher.story(asked[0])) + "".join(role.log.read_text() for role in running.roles.values())
    for known in (running.name, running.settings.bootstrap_servers):
        told = told.replace(known, "")
    told = TIMES_AND_IDS.sub("", told)
    assert [text for text in (PRIVATE, "\u0416", "1799", "11111") if text in told] == []
