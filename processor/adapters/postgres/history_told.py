"""Rows of the public views as what commands ask for."""

from dataclasses import replace

from processor.adapters.postgres.history_plans import plan_of
from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import RequestState, Status
from processor.core.mend import Cause
from processor.service.client_ports import Row
from processor.service.follow import NotedOutcome, Standing


def standing_of(row: Row | None, clearing: Row | None) -> Standing:
    known = row or clearing
    if known is None:
        return Standing()
    standing = Standing(cleared=clearing is not None, district_id=known["district_id"], object=known["object"])
    if row is None:
        return standing
    return replace(
        standing,
        state=RequestState(row["state"]),
        keys=row["keys"],
        settled=row["settled"],
        detail=row["detail"],
        planned=plan_of(row["planned"]),
        looked_at_again=row["looked_at_again"],
    )


def noted_of(row: Row) -> NotedOutcome:
    return NotedOutcome(
        row["object"],
        row["key"],
        row["asked_as"],
        Status(row["status"]),
        Reason(row["reason"]) if row["reason"] else None,
        row["detail"],
        tuple(row["changed_fields"]),
        Parent(row["parent_object"], row["parent_key"]) if row["parent_object"] else None,
    )


def cause_of(row: Row) -> Cause:
    return Cause(
        row["object"],
        Reason(row["reason"]),
        row["detail"],
        row["parent_object"],
        row["keys"],
        tuple(row["named"]),
        row["parent_keys"],
        tuple(row["parents"]),
    )
