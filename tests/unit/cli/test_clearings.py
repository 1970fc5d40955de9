"""What is said where the history has nothing of an id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from processor.cli.clearings import steps_of, tell_no_history
from processor.cli.person import Person
from processor.core.run import Step, step_id

if TYPE_CHECKING:
    from processor.adapters.postgres.history_queries import HistoryQueries

RUN_ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
VERIFY, RESYNC = step_id(RUN_ID, Step.VERIFY), step_id(RUN_ID, Step.RESYNC)


def step(request_id: str, state: str) -> dict[str, Any]:
    place = {"district_id": "NORTH", "object": "Enrollment", "filter": "grade = '9'", "school_year": "2027"}
    return {"request_id": request_id, "state": state, **place}


STEPS = {VERIFY: step(VERIFY, "COMPLETE"), RESYNC: step(RESYNC, "HELD")}


@dataclass
class Rows:
    rows: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    gone: dict[str, Any] | None = None

    def request(self, request_id: str) -> dict[str, Any] | None:
        return self.rows.get(request_id)

    def clearing(self, request_id: str) -> dict[str, Any] | None:  # noqa: ARG002
        return self.gone


def told(rows: Rows, capsys: pytest.CaptureFixture[str]) -> list[str]:
    tell_no_history(cast("HistoryQueries", rows), Person("clerk"), RUN_ID, "resync cancel")
    return capsys.readouterr().err.splitlines()


def test_a_run_is_told_with_its_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(Rows(STEPS), capsys) == [
        f"{RUN_ID} is no request but a run; its steps are requests:",
        f"  verify        {VERIFY}  COMPLETE",
        f"  resync        {RESYNC}  HELD",
        f"say which one, such as: resync cancel {RESYNC}",
        (
            "or see the run: resync run --district NORTH --object Enrollment --where 'grade = '\"'\"'9'\"'\"'' "
            f"--school-year 2027 --run-id {RUN_ID}"
        ),
    ]


def test_what_is_nothing_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(Rows(), capsys) == [f"there is no history of {RUN_ID}"]
    gone = {"district_id": "NORTH", "object": "Enrollment", "cleared_by": "lead", "cleared_at": None}
    assert told(Rows(STEPS, gone), capsys) == [f"the history of {RUN_ID} was cleared by lead"]


def test_a_run_that_may_not_be_seen_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Person, "may_see", lambda *_: False)
    assert steps_of(cast("HistoryQueries", Rows(STEPS)), Person("clerk"), RUN_ID) == []
