"""The schemas of the commands' JSON say what the core says, and refuse what they should."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from processor.cli.dry_run import plan_rows
from processor.cli.following import result_document
from processor.cli.order import order_document
from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import Count, OrderAction, RequestState, Status
from processor.service.follow import ClearedResult, NotedOutcome, RequestResult
from stack.layout import REPO
from tests.unit.cli.json_schema import FOLDER, problems
from tests.unit.cli.plans import PLAN

REQUEST_ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
OUTCOME = NotedOutcome(
    "Enrollment",
    "7",
    "007",
    Status.FAILED,
    Reason.PARENT_MISSING,
    "personID",
    ("grade",),
    Parent("PersonIdentity", "3"),
)
RESULT = RequestResult(
    REQUEST_ID,
    "NORTH",
    "Enrollment",
    RequestState.COMPLETE_WITH_FAILURES,
    None,
    None,
    3,
    (Count("FAILED", "PARENT_MISSING", 1), Count("IN_SYNC", None, 2)),
    (OUTCOME,),
)


@pytest.mark.parametrize("result", [RESULT, ClearedResult(REQUEST_ID, "auditor", datetime.now(UTC))])
def test_a_result_is_as_its_schema_says(result: RequestResult | ClearedResult) -> None:
    assert problems({"requests": [json.loads(json.dumps(result_document(result)))]}, "watch.json") == []


ROW = {
    "request_id": REQUEST_ID,
    "district_id": "NORTH",
    "object": "Enrollment",
    "requested_by": "clerk",
    "state": "HELD",
    "decision": "HELD",
    "reason": Reason.MASS_CHANGE.value,
    "detail": "it would delete 3 records; without a release at most 0 pass",
    "decided_by": None,
    "decided_at": datetime.now(UTC),
    "guard_changes": 10,
    "guard_deletes": 0,
}
PLAN_OF_ROW = {
    "counts": [{"object": "Enrollment", "operation": "UPDATE", "field": "grade", "keys": 3}],
    "samples": [{"object": "Enrollment", "operation": "DELETE", "key": "7"}],
}


@pytest.mark.parametrize("planned", [PLAN_OF_ROW, None])
def test_an_order_is_as_its_schema_says(planned: dict[str, Any] | None) -> None:
    told = order_document(OrderAction.RELEASE, ROW, planned, is_carried_out=False)
    assert problems(json.loads(json.dumps(told)), "order.json") == []
    assert problems({**told, "is_carried_out": 0}, "order.json")


def test_a_plan_is_as_its_schema_says() -> None:
    document = {"requests": [], "counts": [], "keys": json.loads(json.dumps(plan_rows(PLAN)))}
    assert document["keys"]
    assert problems(document, "plan.json") == []


def test_the_schemas_list_every_reason_and_status() -> None:
    parts = json.loads((FOLDER / "common.json").read_text())["$defs"]
    assert set(parts["reason"]["enum"]) == {*map(str, Reason), None}
    assert set(parts["status"]["enum"]) == set(map(str, Status))


def test_every_schema_that_the_code_or_a_page_names_is_there() -> None:
    files = [*(REPO / "processor").rglob("*.py"), *(REPO / "docs").glob("*.md"), REPO / "README.md"]
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    named = {(file.name, name) for file, text in texts.items() for name in re.findall(r"schemas/cli/(\w+\.json)", text)}
    assert named
    assert [(file, name) for file, name in named if not (FOLDER / name).is_file()] == []


def test_what_is_missing_wrong_or_unknown_is_found() -> None:
    document = result_document(RESULT)
    assert problems({"requests": [{**document, "keys": "3"}]}, "watch.json")
    assert problems({"requests": [{**document, "value": "x"}]}, "watch.json")
    assert problems({"requests": [{**document, "request_id": "7"}]}, "watch.json")
    del document["state"]
    assert problems({"requests": [document]}, "watch.json") == ["$.requests[0]: state is missing"]
