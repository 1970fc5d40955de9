"""What a request would change as a column of the store's tables, and requests as their rows tell them."""

import json
from collections.abc import Mapping
from typing import Any

from processor.core.correction import Op
from processor.core.errors import Reason
from processor.core.history import Guard, PlanCounts, Planned, RequestState, RequestStatus, Sample
from processor.core.request import (
    All,
    Dependencies,
    Filter,
    Keys,
    Mode,
    OnStateOnly,
    Report,
    Request,
    Selection,
    Side,
)


def plan_json(plan: PlanCounts | None) -> str | None:
    """Operations are named as people know them. NUL, which Postgres does not take, becomes U+FFFD."""
    if plan is None:
        return None
    counts = [
        {"object": each.object, "operation": each.op.name, "field": each.field, "keys": each.keys}
        for each in plan.counts
    ]
    samples = [{"object": each.object, "operation": each.op.name, "key": each.key} for each in plan.samples]
    return json.dumps({"counts": counts, "samples": samples}).replace("\\u0000", "\\ufffd")


def plan_of(column: Mapping[str, Any] | None) -> PlanCounts | None:
    if column is None:
        return None
    return PlanCounts(
        tuple(Planned(c["object"], Op[c["operation"]], c["field"], c["keys"]) for c in column["counts"]),
        tuple(Sample(s["object"], Op[s["operation"]], s["key"]) for s in column["samples"]),
    )


def guard_of(changes: int | None, deletes: int | None) -> Guard | None:
    return None if changes is None or deletes is None else Guard(changes, deletes)


def status_of(row: Mapping[str, Any]) -> RequestStatus:
    """From a row of `requests`, of a request that was taken on: only such have texts as they came."""
    return RequestStatus(
        request=Request(
            request_id=row["request_id"],
            district_id=row["district_id"],
            object=row["object"],
            selection=_selection(row),
            requested_by=row["requested_by"],
            mode=Mode(row["mode"]),
            dependencies=Dependencies(row["dependencies"]),
            on_state_only=OnStateOnly(row["on_state_only"]),
            report=Report(row["report"]),
            requested_from=Side(row["requested_from"]),
            requested_at=row["requested_at"],
            school_year=row["school_year"],
            reason=row["request_reason"],
            run_id=row["run_id"],
            linked=row["linked"],
        ),
        state=RequestState(row["state"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        detail=row["detail"],
        keys=row["keys"],
        decided_at=row["decided_at"],
        guard=guard_of(row["guard_changes"], row["guard_deletes"]),
        planned=plan_of(row["planned"]),
        decided_by=row["decided_by"],
    )


def _selection(row: Mapping[str, Any]) -> Selection:
    """Keys stand in no status."""
    match row["selection"]:
        case "ALL":
            return All()
        case "FILTER":
            return Filter(row["filter"] or "")
        case _:
            return Keys(())
