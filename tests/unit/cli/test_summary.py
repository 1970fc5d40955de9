"""The Verification Summary: counts by status become numbers that people ask for."""

import json
from dataclasses import asdict

import pytest

from processor.cli.output import Output
from processor.cli.summary import Summary, print_summary, tell_next
from processor.core.history import Count, RequestState
from processor.service.follow import RequestResult
from tests.unit.cli.json_schema import problems

REQUEST_ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
COUNTS = (
    Count("DIFFERS", None, 4),
    Count("DIFFERS", "UNREPRESENTABLE", 1),
    Count("DUPLICATE_KEY", "DUPLICATE_KEY", 2),
    Count("FAILED", "INVALID_KEY", 3),
    Count("IN_SYNC", None, 90),
    Count("IN_SYNC", "EXPECTED_DIFFERENCE", 10),
    Count("MISSING_AT_DISTRICT", None, 6),
    Count("MISSING_AT_STATE", None, 7),
    Count("NOT_FOUND", None, 8),
)


def summary(*counts: Count, **found: object) -> Summary:
    result = RequestResult(
        REQUEST_ID, "NORTH", "Enrollment", RequestState.COMPLETE, None, None, 0, counts, ()
    )  # fmt: skip
    return Summary.of(result, found)


ALL = summary(*COUNTS, district_rows=120, state_rows=119, fields={"grade": 1, "endDate": 4})


def test_each_status_has_its_number() -> None:
    assert (ALL.in_sync, ALL.expected_differences, ALL.differing, ALL.duplicates) == (100, 10, 5, 2)
    assert (ALL.missing_at_state, ALL.missing_at_district, ALL.gone, ALL.not_verified) == (7, 6, 8, 3)
    assert (ALL.district_rows, ALL.state_rows, list(ALL.fields)) == (120, 119, ["endDate", "grade"])


def test_the_document_is_as_its_schema_says(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(Output.JSON, ALL)
    document = json.loads(capsys.readouterr().out)
    assert document == asdict(ALL)
    assert problems(document, "verify.json") == []


def test_the_table_names_every_field_that_differs(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(Output.TABLE, ALL)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Enrollment of NORTH: COMPLETE ({REQUEST_ID})"
    assert [line.split() for line in lines[-2:]] == [
        ["differing", "in", "endDate", "4"],
        ["differing", "in", "grade", "1"],
    ]


def test_it_says_which_records_were_verified(capsys: pytest.CaptureFixture[str]) -> None:
    some = summary(*COUNTS, filter="grade = '9'", school_year="2027")
    print_summary(Output.TABLE, some)
    assert capsys.readouterr().out.splitlines()[1:3] == [
        "of school year 2027 alone",
        "of records alone that match: grade = '9'",
    ]
    print_summary(Output.JSON, some)
    assert problems(json.loads(capsys.readouterr().out), "verify.json") == []


def test_what_can_be_done_is_told_as_commands(capsys: pytest.CaptureFixture[str]) -> None:
    tell_next(ALL, 6)
    told = capsys.readouterr().err
    assert f"resync report {REQUEST_ID} --status failed\n" in told
    assert f"resync report {REQUEST_ID} --output xlsx --to verification.xlsx" in told
    assert f"Resync what differs: resync submit --from-request {REQUEST_ID} --wait\n" in told
    assert "add: --dependencies parents\n" in told
    assert f"--from-request {REQUEST_ID} --status missing_at_district --on-state-only delete\n" in told


def test_nothing_is_told_where_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    tell_next(summary(Count("IN_SYNC", None, 9), Count("IN_SYNC", "EXPECTED_DIFFERENCE", 1)), 0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ({}, "--all"),
        ({"school_year": "2027"}, "--all --school-year 2027"),
        ({"filter": "grade = 9", "school_year": "2027"}, "--where 'grade = 9' --school-year 2027"),
    ],
)
def test_more_deletions_than_keys_may_cause_are_planned_as_a_whole(
    found: dict[str, object], chosen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_next(summary(*COUNTS, **found), 5)
    told = capsys.readouterr().err
    command = f"resync submit --district NORTH --object Enrollment {chosen} --on-state-only delete --wait"
    assert f"Resync all, and delete what only the state has, where you may: {command}\n" in told
    assert "a request of keys deletes at most 5;" in told
    assert "missing_at_district" not in told


def test_without_a_catalog_the_number_of_deletions_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    tell_next(ALL, None)
    assert "--status missing_at_district" in capsys.readouterr().err


def test_what_was_cancelled_is_not_verified_and_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    some = summary(Count("CANCELLED", None, 366), Count("IN_SYNC", None, 9), school_year="2027")
    assert (some.not_verified, some.cancelled) == (366, 366)
    tell_next(some, None)
    told = capsys.readouterr().err
    assert "verify again: resync verify --district NORTH --object Enrollment --school-year 2027\n" in told
    assert f"and why: resync report {REQUEST_ID} --status cancelled\n" in told


def test_what_failed_and_what_was_cancelled_are_one_number(capsys: pytest.CaptureFixture[str]) -> None:
    some = summary(Count("CANCELLED", None, 6), Count("FAILED", "INVALID_KEY", 3))
    assert (some.not_verified, some.cancelled) == (9, 6)
    tell_next(some, None)
    assert f"resync report {REQUEST_ID} --status failed --status cancelled\n" in capsys.readouterr().err


def test_that_nothing_matched_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell_next(summary(filter="grade = '99'"), None)
    assert capsys.readouterr().err == "nothing matched: there is no such record at either side\n"
    assert not summary(Count("NOT_FOUND", None, 1)).is_empty
