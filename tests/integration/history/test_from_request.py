"""Keys of an earlier request that are not fine, asked for again out of the store's tables."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processor.cli.exits import UsageError
from processor.cli.from_request import NOT_FINE, asked_again
from processor.cli.known_names import catalog_at_hand
from processor.cli.person import identified
from processor.core.errors import Reason
from processor.core.history import HistoryRecord, Status
from processor.core.ids import unread_range
from processor.core.keys import invalid_key_id
from processor.core.request import Dependencies, Keys, Request
from processor.service.submit import split_together
from processor.settings import load_settings
from stack.layout import REPO
from tests.integration.history.told import Told
from tests.integration.store.records import outcome, request_status
from tests.people_of_policy import policy_of
from tests.unit.cli.json_schema import problems

REQUEST_ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
AGAIN = Request(
    "5f0d1c52-6a0e-4a3c-9b1e-0d9f6b2c7a10", "", "", Keys(()), "clerk", dependencies=Dependencies.PARENTS, reason="again"
)
ENROLLMENT: dict[str, Any] = {"object": "Enrollment"}
OUTCOMES: list[HistoryRecord] = [
    *(outcome(REQUEST_ID, f"1{index}", status) for index, status in enumerate(Status)),
    outcome(REQUEST_ID, "70", Status.FAILED, reason=Reason.PARENT_MISSING, **ENROLLMENT),
    outcome(REQUEST_ID, "71", Status.APPLIED, **ENROLLMENT),
    outcome(REQUEST_ID, invalid_key_id("x"), Status.FAILED, reason=Reason.INVALID_KEY, asked_as="x"),
    outcome(REQUEST_ID, unread_range("0.7"), Status.CANCELLED, asked_as="all keys after 19"),
]
Again = Callable[..., list[Request]]


@pytest.fixture
def again(told: Told, monkeypatch: pytest.MonkeyPatch) -> Again:
    told.tell(request_status(REQUEST_ID, len(OUTCOMES)), *OUTCOMES)
    monkeypatch.setenv("RESYNC_HISTORY_DSN", told.dsn)
    monkeypatch.setenv("RESYNC_CATALOG", str(REPO / "demo" / "catalog.yaml"))

    def ask(asked: Request = AGAIN, *, statuses: tuple[Status, ...] = NOT_FINE) -> list[Request]:
        settings = load_settings()
        catalog = catalog_at_hand(settings)
        assert catalog is not None
        return asked_again(settings, identified(settings), catalog, asked, earlier=REQUEST_ID, statuses=statuses)

    return ask


def keys_of(requests: list[Request]) -> list[tuple[str, tuple[str, ...]]]:
    assert all(request.district_id == "NORTH" and request.reason == "again" for request in requests)
    return [(each.object, each.selection.keys) for each in requests if isinstance(each.selection, Keys)]


def of_statuses(*statuses: Status) -> tuple[str, ...]:
    """In the order of the history."""
    return tuple(sorted(f"1{index}" for index, status in enumerate(Status) if status in statuses))


def test_keys_that_are_not_fine_are_asked_for_object_by_object_parents_first(
    again: Again, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = again()
    assert keys_of(requests) == [("PersonIdentity", of_statuses(*NOT_FINE)), ("Enrollment", ("70",))]
    told = capsys.readouterr().err
    assert "2 outcomes are of no key" in told
    assert "has not ended yet (ACCEPTED)" in told
    one, other = split_together(requests, 5_000)
    assert (one.request_id, one.run_id, other.run_id) == (AGAIN.request_id, AGAIN.request_id, AGAIN.request_id)
    assert other.request_id not in {AGAIN.request_id, REQUEST_ID}


def test_other_statuses_and_one_object_can_be_asked_for(again: Again) -> None:
    state_only = (Status.STATE_ONLY, Status.MISSING_AT_DISTRICT)
    assert keys_of(again(statuses=state_only)) == [("PersonIdentity", of_statuses(*state_only))]
    assert keys_of(again(Request("7", "NORTH", "Enrollment", Keys(()), "clerk", reason="again"))) == [
        ("Enrollment", ("70",))
    ]


def test_a_district_of_its_own_is_that_of_the_earlier_request(again: Again) -> None:
    with pytest.raises(UsageError, match="the earlier request is of NORTH"):
        again(Request("7", "RIVER", "", Keys(()), "clerk"))


def test_only_what_may_be_seen_is_asked_for(again: Again, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    grant = {"sides": ["DISTRICT"], "districts": ["NORTH"], "rights": ["R", "W"]}
    people = {
        "persons": {**grant, "objects": ["PersonIdentity"]},
        "enrollments": {**grant, "objects": ["Enrollment"]},
    }
    monkeypatch.setenv("RESYNC_POLICY", str(policy_of(people, tmp_path)))
    monkeypatch.setenv("RESYNC_TOKEN", "persons")
    assert [name for name, _ in keys_of(again())] == ["PersonIdentity"]


def test_a_request_of_which_nothing_is_left_sends_nothing(told: Told) -> None:
    told.tell(request_status(REQUEST_ID, 1), outcome(REQUEST_ID, "1"))
    ended = told.run("submit", "--from-request", REQUEST_ID, "--wait")
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    assert "no such keys: nothing is asked for" in ended.stderr
    assert problems(told.json("submit", "--from-request", REQUEST_ID), "submit.json") == []


def test_a_request_that_is_not_known_is_told(told: Told) -> None:
    ended = told.run("submit", "--from-request", REQUEST_ID)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"there is no history of {REQUEST_ID}" in ended.stderr
