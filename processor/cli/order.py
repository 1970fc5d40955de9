"""Orders about a request that is under way, as `resync release` and `resync cancel` give them."""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from processor.cli.clearings import tell_no_history
from processor.cli.exits import ExitCode, UsageError
from processor.cli.output import Output, print_csv, print_json, print_ndjson, say
from processor.cli.person import identified
from processor.cli.planned import ORDERED, guard_document, seen_planned, tell_planned
from processor.cli.requests import document
from processor.core.counted import counted
from processor.core.errors import Reason
from processor.core.history import Order, OrderAction, RequestState
from processor.core.printable import printable
from processor.service.client_ports import Row
from processor.service.follow import ENDED

if TYPE_CHECKING:
    from processor.adapters.postgres.history_queries import HistoryQueries
    from processor.cli.person import Person

LOOK_EVERY_S = 0.2
_COMMANDS = {OrderAction.RELEASE: "release", OrderAction.REJECT: "release --reject", OrderAction.CANCEL: "cancel"}
_CSV = ("request_id", "district_id", "object", "action", "is_carried_out", "state", "decision", "decided_by")


def give(action: OrderAction, request_id: str, output: Output, *, yes: bool, wait_s: float | None) -> None:
    """Shows what it is about, asks, and sends the order; waits until the history shows it, unless `wait_s` is None."""
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    with parts.history_queries(settings) as queries:
        row = person.if_seen(queries.request(request_id))
        if row is None:
            tell_no_history(queries, person, request_id, f"resync {_COMMANDS[action]}")
            raise typer.Exit(ExitCode.FAILED)
        if (why := not_fit(action, row)) is not None:
            say(f"{request_id} {why}")
            raise typer.Exit(ExitCode.FAILED)
        person.check_order(action, settings.topics.control, row)
        _tell(action, person, row)
        _confirm(action, yes=yes)
        # Never earlier than what it is about, by whatever clock: the store refuses older orders.
        ordered_at = max(datetime.now(UTC), row["decided_at"])
        order = Order(request_id, action, person.name, ordered_at)
        parts.open_control(settings, parts.open_codec(settings)).publish([order])
        found = row if wait_s is None else _await(queries, action, row, wait_s)
    _print(action, output, person, found, is_awaited=wait_s is not None)


def not_fit(action: OrderAction, row: Row) -> str | None:
    """Why nothing of the kind can be ordered about a request; None where it can."""
    if row["decision"] == RequestState.CANCELLED:
        what = "rejected" if row["reason"] == Reason.NOT_RELEASED else "cancelled"
        return f"is {what} already{_by(row)}"
    if row["state"] in ENDED:
        return f"has ended: {row['state']}"
    if action is not OrderAction.CANCEL and row["state"] != RequestState.HELD:
        return f"is not held: {row['state']}{_by(row)}"
    return None


def _by(row: Row) -> str:
    return f", by {printable(row['decided_by'])}" if row["decided_by"] else ""


def _tell(action: OrderAction, person: "Person", row: Row) -> None:
    """On stderr: what is released, rejected or cancelled."""
    asked = f"{row['mode']} of {row['object']} of {row['district_id']}, asked for by {printable(row['requested_by'])}"
    because = f" ({printable(row['request_reason'])})" if row["request_reason"] else ""
    say(f"{row['request_id']}: {asked}{because}, {row['state']}")
    planned = seen_planned(person, row)
    if planned is not None:
        if row["detail"]:
            say(f"  {row['detail']}")
        most = f"{row['guard_changes']} changes and {row['guard_deletes']} deletions"
        say(f"what it would change; without a release at most {most} pass:")
        tell_planned(planned, stderr=True)
    if action is OrderAction.CANCEL and row["open_outcomes"]:
        say(f"{counted(row['open_outcomes'], 'key')} on the way: what was sent is still answered")


def _confirm(action: OrderAction, *, yes: bool) -> None:
    """Raises typer.Abort on a no, and UsageError where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"nobody can be asked here whether it is to be {ORDERED[action]}: say so by --yes")
    typer.confirm(f"{action.capitalize()} it?", abort=True, err=True)


def _await(queries: "HistoryQueries", action: OrderAction, before: Row, wait_s: float) -> Row:
    """Until the history shows another decision. Ends the command with code 1 where none comes."""
    deadline = time.monotonic() + wait_s
    while time.monotonic() <= deadline:
        time.sleep(LOOK_EVERY_S)
        row = queries.request(before["request_id"])
        if row is not None and (row["decided_at"], row["decision"]) != (before["decided_at"], before["decision"]):
            if _is_carried_out(action, row) or row["state"] in ENDED:
                return row
            before = row
    say(
        f"the order was given, and is not carried out after {wait_s:g} s: do `resync store` and `resync process` run?"
        " Where the store refuses an order, its log says why"
    )
    raise typer.Exit(ExitCode.FAILED)


def _is_carried_out(action: OrderAction, row: Row) -> bool:
    """Whether the decision is what the order asked for; somebody else may have been quicker."""
    wanted = RequestState.ACCEPTED if action is OrderAction.RELEASE else RequestState.CANCELLED
    return bool(row["decision"] == wanted and row["decided_by"])


def _print(action: OrderAction, output: Output, person: "Person", row: Row, *, is_awaited: bool) -> None:
    is_carried_out = is_awaited and _is_carried_out(action, row)
    if is_carried_out:
        say(f"{ORDERED[action]}{_by(row)}; see it to its end with: resync watch {row['request_id']}")
    elif is_awaited:
        say(f"not {ORDERED[action]}: meanwhile it is {row['state']}{_by(row)}")
    else:
        say(f"ordered; see what comes of it with: resync show {row['request_id']}")
    told = order_document(action, row, seen_planned(person, row), is_carried_out=is_carried_out)
    match output:
        case Output.TABLE:
            pass
        case Output.JSON:
            print_json(told)
        case Output.NDJSON:
            print_ndjson([told])
        case Output.CSV:
            print_csv(_CSV, [told])
    if is_awaited and not is_carried_out:
        raise typer.Exit(ExitCode.FAILED)


def order_document(
    action: OrderAction,
    row: Row,
    planned: Mapping[str, Any] | None,
    *,
    is_carried_out: bool,
) -> dict[str, Any]:
    """As `schemas/cli/order.json` says."""
    names = ("request_id", "district_id", "object", "requested_by", "state", "decision", "reason", "detail")
    told = {name: row[name] for name in names}
    decided = {"decided_by": row["decided_by"], "decided_at": row["decided_at"]}
    rest = {"guard": guard_document(row), "planned": planned, "is_carried_out": is_carried_out}
    return document({**told, "action": action.value, **decided, **rest})
