"""A linked run as people, programs and exit codes have it, at every point that it can stand at."""

import json
from collections.abc import Sequence

import pytest
import typer

from processor.cli.output import Output
from processor.cli.run_steps import RUNNING, RunTold, StepTold
from processor.cli.run_told import exit_with_run, print_run, tell_run
from processor.cli.summary import Summary
from processor.core.errors import Reason
from processor.core.history import Count, RequestState
from processor.core.request import Filter, Mode, Request
from processor.core.run import Step, step_id
from processor.service.follow import RequestResult
from tests.unit.cli.json_schema import problems

RUN_ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
FIRST = Request(
    step_id(RUN_ID, Step.VERIFY),
    "NORTH",
    "Enrollment",
    Filter("grade = '9'"),
    "clerk",
    mode=Mode.VERIFY,
    school_year="2027",
    run_id=RUN_ID,
    linked=True,
)
BEFORE = (Count("DIFFERS", None, 4), Count("IN_SYNC", None, 90), Count("MISSING_AT_STATE", None, 6))
RESYNCED = (Count("APPLIED", None, 10),)
AFTER = (Count("IN_SYNC", None, 100),)


def ended(step: Step, counts: Sequence[Count], state: RequestState = RequestState.COMPLETE, **more: object) -> StepTold:
    request_id = step_id(RUN_ID, step)
    reason = Reason.YEAR_NOT_OPEN if state is RequestState.REJECTED else None
    detail = "only 2028 is open" if reason else None
    result = RequestResult(request_id, "NORTH", "Enrollment", state, reason, detail, 0, tuple(counts), ())
    is_told = step is not Step.RESYNC and reason is None
    return StepTold(step, request_id, state, detail, result, Summary.of(result, more) if is_told else None)


def run_of(*steps: StepTold) -> RunTold:
    return RunTold(FIRST, list(steps))


VERIFIED = ended(Step.VERIFY, BEFORE, district_rows=100, state_rows=94, fields={"grade": 4, "endDate": 1})
HELD = StepTold(Step.RESYNC, step_id(RUN_ID, Step.RESYNC), RequestState.HELD, "it would change 10 records")
WHOLE = run_of(
    VERIFIED,
    ended(Step.RESYNC, RESYNCED),
    ended(Step.VERIFY_AGAIN, AFTER, district_rows=100, state_rows=100, fields={}),
)
FAILED = ended(Step.RESYNC, [Count("FAILED", "PARENT_MISSING", 1)], RequestState.COMPLETE_WITH_FAILURES)
STATES = [
    (WHOLE, 0),
    (run_of(VERIFIED, HELD), 1),
    (run_of(VERIFIED, StepTold(Step.RESYNC, HELD.request_id, RUNNING)), 1),
    (run_of(StepTold(Step.VERIFY, VERIFIED.request_id, RUNNING)), 1),
    (run_of(ended(Step.VERIFY, [], RequestState.REJECTED)), 1),
    (run_of(ended(Step.VERIFY, AFTER)), 0),
    (run_of(ended(Step.VERIFY, [Count("MISSING_AT_DISTRICT", None, 1)])), 3),
    (run_of(VERIFIED, ended(Step.RESYNC, RESYNCED), ended(Step.VERIFY_AGAIN, BEFORE)), 3),
    (run_of(VERIFIED, FAILED, ended(Step.VERIFY_AGAIN, AFTER)), 1),
    (run_of(StepTold(Step.VERIFY, VERIFIED.request_id, "CLEARED")), 1),
]


@pytest.mark.parametrize(("told", "code"), STATES)
def test_it_exits_with_what_came_of_it_last(told: RunTold, code: int) -> None:
    if code == 0:
        exit_with_run(told)
        return
    with pytest.raises(typer.Exit) as ending:
        exit_with_run(told)
    assert ending.value.exit_code == code


@pytest.mark.parametrize("told", [told for told, _ in STATES])
def test_the_document_is_as_its_schema_says(told: RunTold, capsys: pytest.CaptureFixture[str]) -> None:
    print_run(Output.JSON, told)
    document = json.loads(capsys.readouterr().out)
    assert problems(document, "run.json") == []
    assert document["state"] == told.steps[-1].state
    assert [step["step"] for step in document["steps"]] == [step.step for step in told.steps]
    tell_run(told)
    for form in (Output.TABLE, Output.NDJSON, Output.CSV):
        print_run(form, told)
    assert capsys.readouterr().out


def test_what_was_found_stands_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    print_run(Output.TABLE, WHOLE)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [" ".join(line) for line in lines[1:3]] == [
        "of school year 2027 alone",
        "of records alone that match: grade = '9'",
    ]
    assert ["differing", "4", "0"] in lines
    assert ["missing", "at", "the", "state", "6", "0"] in lines
    assert ["differing", "in", "grade", "4", "0"] in lines
    assert [line[-1] for line in lines if "resync" in line[:1]] == ["APPLIED=10"]


def test_a_step_that_is_held_says_who_can_release_it_and_how_to_see_the_run_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell_run(run_of(VERIFIED, HELD))
    told = capsys.readouterr().err
    assert "step resync is held: it would change 10 records" in told
    assert f"resync release {HELD.request_id}, or rejects it with: resync release {HELD.request_id} --reject" in told
    again = "resync run --district NORTH --object Enrollment --where 'grade = '\"'\"'9'\"'\"'' --school-year 2027"
    assert f"{again} --run-id {RUN_ID}\n" in told


def test_where_nothing_differs_nothing_is_resynced(capsys: pytest.CaptureFixture[str]) -> None:
    tell_run(run_of(ended(Step.VERIFY, AFTER)))
    assert capsys.readouterr().err == "nothing was found that a resync would mend\n"


def test_where_nothing_matches_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    tell_run(run_of(ended(Step.VERIFY, ())))
    assert capsys.readouterr().err == "nothing matched: there is no such record at either side\n"


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (StepTold(Step.VERIFY, VERIFIED.request_id, "CLEARED"), "the history of step verify was cleared\n"),
        (ended(Step.VERIFY, [], RequestState.CANCELLED), ""),
    ],
)
def test_what_ended_otherwise_is_not_said_to_be_well(
    last: StepTold, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_run(run_of(last))
    assert capsys.readouterr().err == says


def test_a_refusal_is_told_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    tell_run(run_of(ended(Step.VERIFY, [], RequestState.REJECTED)))
    assert "only 2028 is open\nYEAR_NOT_OPEN: " in capsys.readouterr().err
