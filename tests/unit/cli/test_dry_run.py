import pytest

from processor.cli.dry_run import exit_code, plan_rows
from processor.cli.exits import ExitCode
from processor.core.errors import Reason
from processor.core.history import KeyOutcome, RequestState, RequestStatus, Status
from processor.core.plan import Plan
from processor.core.request import Keys, Request
from tests.unit.cli.plans import AT, PLAN, outcome

REJECTED = RequestStatus(
    Request("0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11", "ATLANTIS", "PersonIdentity", Keys(("1",)), "clerk"),
    RequestState.REJECTED,
    Reason.UNKNOWN_DISTRICT,
    None,
    0,
    AT,
)


def test_a_key_that_would_be_sent_names_the_operation_and_the_fields_but_no_value() -> None:
    rows = {row["key"]: row for row in plan_rows(PLAN)}
    assert rows["2"]["op"] == "update"
    assert rows["2"]["changed_fields"] == ["lastName"]
    assert rows["1"]["op"] is None
    values = {v for c in PLAN.corrections for v in (*(c.before or {}).values(), *(c.after or {}).values()) if v}
    shown = " ".join(map(str, (value for row in rows.values() for value in row.values())))
    assert [value for value in values if len(value) > 4 and value in shown] == []


def test_the_last_outcome_of_a_key_counts() -> None:
    plan = Plan(history=[outcome("1", Status.SENT), outcome("1", Status.FAILED, Reason.PARENT_MISSING)])
    assert [row["status"] for row in plan_rows(plan)] == [Status.FAILED]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([outcome("1", Status.IN_SYNC), outcome("2", Status.NOT_FOUND)], ExitCode.DONE),
        ([outcome("1", Status.SENT, Reason.FORCED)], ExitCode.DONE),
        ([outcome("1", Status.SENT)], ExitCode.DIFFERENT),
        ([outcome("1", Status.STATE_ONLY)], ExitCode.DIFFERENT),
        ([outcome("1", Status.SENT), outcome("2", Status.DEFERRED)], ExitCode.UNREACHABLE),
        ([outcome("1", Status.SENT), outcome("2", Status.FAILED, Reason.INVALID_KEY)], ExitCode.FAILED),
        ([REJECTED], ExitCode.FAILED),
    ],
)
def test_the_exit_code_is_what_the_run_would_come_to(
    history: list[KeyOutcome | RequestStatus], expected: ExitCode
) -> None:
    assert exit_code(Plan(history=[*history])) is expected
