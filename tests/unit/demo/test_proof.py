"""What the proof says of rows and outcomes that are not as they should be."""

from typing import Any

import pytest

from demo.proof.claims import Claim, Record, check_outcomes
from demo.proof.untouched import _check_change

RECORD: Record = ("PersonIdentity", "NORTH", "1")


def row(**columns: str) -> dict[str, Any]:
    return {"district_id": "NORTH", "district_person_id": 1, "phone_number": "555-0000", "city_name": "X"} | columns


@pytest.mark.parametrize(
    ("applied", "now", "said"),
    [
        ({}, row(phone_number="555-0004"), None),
        ({}, row(phone_number="555-0123"), "has lost what others wrote in its phone_number"),
        ({}, row(), "has lost what others wrote in its phone_number"),
        ({}, row(phone_number="555-0004", city_name="Y"), "changed in city_name"),
        ({RECORD: {"phone_number"}}, row(phone_number="555-0123"), None),
    ],
)
def test_what_others_write_meanwhile_stays(
    applied: dict[Record, set[str]], now: dict[str, Any], said: str | None
) -> None:
    found = list(_check_change("PersonIdentity", row(), now, applied, {RECORD: {"phone_number": "555-0004"}}))
    assert [said in text for text in found if said] == ([True] if said else [])
    assert bool(found) == bool(said)


@pytest.mark.parametrize(("district_id", "says"), [("NORTH", []), ("LAKE", ["said to be one of LAKE"])])
def test_an_outcome_is_of_the_district_that_was_asked_for(district_id: str, says: list[str]) -> None:
    claim = Claim("r", district_id, "PersonIdentity", "1", "NOT_FOUND", None, None, [], None, None, 1)
    expected: dict[str, Any] = {
        "object": "PersonIdentity",
        "key": "1",
        "kind": "no side has the key",
        "status": "NOT_FOUND",
    }
    expected |= {"reason": None, "names": "", "changed": None, "parent": None, "attempts": None}
    request = {"request_id": "r", "district_id": "NORTH", "object": "PersonIdentity", "expected": [expected]}
    assert [text.partition("outcome is ")[2] for text in check_outcomes([claim], [request])] == says
