"""`resync submit --dry-run`: the plan that the requests would become now. Field names are shown, never values."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from processor.cli.exits import ExitCode
from processor.cli.following import explain
from processor.cli.output import Output, console, print_csv, print_json, print_ndjson, print_table
from processor.cli.requests import shown_key
from processor.core.correction import Op
from processor.core.errors import Reason
from processor.core.history import RequestState, RequestStatus, Status
from processor.core.plan import Plan
from processor.core.request import Request
from processor.service.follow import DIFFERENT, MOST_NOTED

if TYPE_CHECKING:
    from processor.settings import Settings

COLUMNS = ("object", "key", "asked_as", "op", "status", "reason", "detail", "changed_fields", "parent")
SHOWN = ("object", "key", "op", "status", "reason", "detail", "changed_fields", "parent")
_OPS = {Op.CREATE: "create", Op.UPDATE: "update", Op.DELETE: "delete"}


def plan_of(settings: "Settings", requests: Iterable[Request]) -> Plan:
    """Reads both sides as the processor would, and sends nothing."""
    from processor.bootstrap.dry_run import preview

    plan = Plan()
    for request in requests:
        plan.add(preview(settings, request))
    return plan


def print_plan(output: Output, plan: Plan) -> None:
    rows = plan_rows(plan)
    match output:
        case Output.TABLE:
            _tell(plan, rows)
        case Output.JSON:
            print_json({"requests": _requests(plan), "counts": _counts(rows), "keys": rows})
        case Output.NDJSON:
            print_ndjson(rows)
        case Output.CSV:
            print_csv(COLUMNS, rows)


def plan_rows(plan: Plan) -> list[dict[str, Any]]:
    """A row for each key. Status SENT is of those to which a correction would be sent; `op` says which."""
    ops = {correction.source.correction_id: _OPS[correction.op] for correction in plan.corrections}
    last = {(o.request_id, o.object, o.key): o for o in plan.outcomes()}
    return [
        {
            "object": outcome.object,
            "key": outcome.key,
            "asked_as": outcome.asked_as,
            "op": ops.get(outcome.correction_id or "") if outcome.status is Status.SENT else None,
            "status": outcome.status,
            "reason": outcome.reason,
            "detail": outcome.detail,
            "changed_fields": list(outcome.changed_fields),
            "parent": {"object": outcome.parent.object, "key": outcome.parent.key} if outcome.parent else None,
        }
        for outcome in last.values()
    ]


def exit_code(plan: Plan) -> ExitCode:
    """What the real run is to be expected to find; a forced sending of equal rows is no difference."""
    statuses = {o.status for o in plan.outcomes() if not (o.status is Status.SENT and o.reason is Reason.FORCED)}
    if Status.FAILED in statuses or any(r["state"] == RequestState.REJECTED for r in _requests(plan)):
        return ExitCode.FAILED
    if Status.DEFERRED in statuses:
        return ExitCode.UNREACHABLE
    return ExitCode.DIFFERENT if statuses & {Status.SENT, *DIFFERENT} else ExitCode.DONE


def _requests(plan: Plan) -> list[dict[str, Any]]:
    return [
        {"keys": record.keys, "state": record.state, "reason": record.reason, "detail": record.detail}
        for record in plan.history
        if isinstance(record, RequestStatus)
    ]


def _counts(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    counted = Counter((row["status"], row["op"] or "", row["reason"] or "") for row in rows)
    return [
        {"status": status, "op": op or None, "reason": reason or None, "keys": keys}
        for (status, op, reason), keys in sorted(counted.items())
    ]


def _tell(plan: Plan, rows: list[dict[str, Any]]) -> None:
    out = console()
    rejected = [request for request in _requests(plan) if request["state"] == RequestState.REJECTED]
    out.print(f"Nothing was sent. {'It would become:' if rows or rejected else 'No key would be asked for.'}")
    for request in rejected:
        out.print(f"REJECTED: {request['detail']}\n{explain(request['reason'])}")
    if not rows:
        return
    print_table(("status", "op", "reason", "keys"), _counts(rows))
    order = {Status.FAILED: 0, Status.DEFERRED: 0, Status.IN_SYNC: 2, Status.NOT_FOUND: 2}
    noted = sorted(rows, key=lambda row: order.get(row["status"], 1))[:MOST_NOTED]
    out.print()
    print_table(SHOWN, [{**row, "key": shown_key(row), "parent": _parent(row["parent"])} for row in noted])
    if len(rows) > len(noted):
        out.print(f"… {len(rows) - len(noted)} more; --output csv lists all")
    for reason in sorted({row["reason"] for row in noted if row["reason"] is not None}):
        out.print(explain(reason))


def _parent(parent: dict[str, str] | None) -> str | None:
    return None if parent is None else f"{parent['object']} {parent['key']}"
