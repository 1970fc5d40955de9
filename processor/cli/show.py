"""`resync show`: one request, as it was asked, as it stands, and what mends its failures."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from processor.cli.clearings import tell_no_history
from processor.cli.exits import ExitCode
from processor.cli.failures import asked_of, failure_documents, failure_lines, failure_text
from processor.cli.following import explain
from processor.cli.output import (
    Output,
    console,
    plain,
    print_csv,
    print_json,
    print_ndjson,
    print_table,
)
from processor.cli.planned import guard_document, release_command, seen_planned, tell_planned
from processor.cli.requests import count_text, document, request_id_of, shown
from processor.core.counted import counted
from processor.core.errors import Reason
from processor.core.history import RequestState, Status
from processor.core.mend import Cause
from processor.core.printable import printable
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from processor.cli.person import Person

COLUMNS = (
    "request_id",
    "district_id",
    "object",
    "selection",
    "filter",
    "requested_by",
    "mode",
    "dependencies",
    "on_state_only",
    "report",
    "requested_from",
    "requested_at",
    "school_year",
    "request_reason",
    "run_id",
    "state",
    "reason",
    "detail",
    "keys",
    "decided_at",
    "outcomes",
    "open_outcomes",
    "failed_outcomes",
    "in_sync_not_itemised",
    "pending_chunks",
    "counts",
    "first_decided_at",
    "last_decided_at",
    "decision",
    "decided_by",
    "guard",
    "planned",
    "parked_keys",
    "linked",
    "failures",
    "cleared_by",
    "cleared_at",
    "scope",
)
"""Of CSV; the same for a request whose history was cleared."""


def show(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")],
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")] = Output.TABLE,
) -> None:
    """Show one request: what was asked, by whom, how far it is, counts, and failures by cause with what mends them."""
    request_id = request_id_of(request)

    from processor.cli import parts
    from processor.cli.person import identified
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    with parts.history_queries(settings) as queries:
        row = person.if_seen(queries.request(request_id))
        clearing = person.if_seen(queries.clearing(request_id))
        causes = []
        if row is not None:
            [row] = queries.counted_as_seen([row], person.seen())
        if row is not None and row["failed_outcomes"]:
            causes = queries.causes(request_id, row["district_id"], person.seen_objects(row["district_id"]))
        if row is None and clearing is None:
            tell_no_history(queries, person, request_id, "resync show")
            raise typer.Exit(ExitCode.FAILED)
    found = {"request_id": request_id} if row is None else _with_plan(person, row)
    cleared = document(clearing) if clearing is not None else None
    failures = {"failures": failure_documents(asked_of(row), causes) if causes else []} if row is not None else {}
    match output:
        case Output.TABLE:
            _tell(shown(found), shown(clearing) if clearing is not None else None)
            if row is not None:
                _tell_plan(found)
                _tell_failures(row, causes)
        case Output.JSON:
            print_json({**document(found), **failures, "cleared": cleared})
        case Output.NDJSON:
            print_ndjson([{**document(found), **failures, "cleared": cleared}])
        case Output.CSV:
            print_csv(COLUMNS, [_csv_row(found if row is not None else None, clearing, causes)])


def _with_plan(person: "Person", row: Row) -> dict[str, Any]:
    found = {name: value for name, value in row.items() if name not in {"guard_changes", "guard_deletes"}}
    return {**found, "guard": guard_document(row), "planned": seen_planned(person, row)}


def _tell_plan(found: dict[str, Any]) -> None:
    planned = found["planned"]
    if planned is None:
        return
    out = console()
    out.print(
        "\nIt would change:"
        if found["state"] == RequestState.HELD
        else "\nBefore anything was sent it would have changed:"
    )
    tell_planned(planned, stderr=False)
    if found["state"] == RequestState.HELD:
        command = release_command(found["request_id"])
        out.print(
            f"\nHeld: somebody else than who asked for it releases it with {command}, or rejects it with --reject"
        )


def _csv_row(row: Row | None, clearing: Row | None, causes: list[Cause]) -> Row:
    """Of a request whose history was cleared, as much as the clearing says."""
    found = {**(clearing or {}), **(row or {})}
    counts = list(map(count_text, found.get("counts", ())))
    return {**document(found), "counts": counts, "failures": "; ".join(map(failure_text, causes))}


def _tell_failures(row: Row, causes: list[Cause]) -> None:
    out = console()
    for cause in causes:
        out.print()
        for line in failure_lines(asked_of(row), cause):
            out.print(line)
    told = sum(cause.keys for cause in causes)
    if told < row["failed_outcomes"]:
        out.print(f"\n{row['failed_outcomes'] - told} more failed for other causes: resync report {row['request_id']}")


def _worth_telling(found: dict[str, Any]) -> dict[str, Any]:
    """Without the plan, which is told apart, and without what only few requests have."""
    silent = {"planned", *(name for name in ("parked_keys", "linked") if not found.get(name))}
    if found.get("decision") != RequestState.CANCELLED or found.get("state") == RequestState.CANCELLED:
        silent.add("decision")
    return {name: value for name, value in found.items() if name not in silent}


def _tell(found: dict[str, Any], clearing: dict[str, Any] | None) -> None:
    out = console()
    if clearing is not None:
        out.print(
            f"History cleared by {printable(clearing['cleared_by'])} at {clearing['cleared_at']} "
            f"({counted(clearing['outcomes'], 'outcome')}; scope: {printable(clearing['scope'])})"
        )
    counts = found.pop("counts", [])
    found = _worth_telling(found)
    width = max(map(len, found))
    for name, value in found.items():
        if value is not None:
            out.print(f"{name.replace('_', ' '):<{width}}  {printable(plain(value))}")
    if counts:
        out.print()
        print_table(("status", "reason", "keys"), counts)
    told = {found.get("reason"), *(count["reason"] for count in counts if count["status"] != Status.FAILED)}
    for reason in sorted(told & set(Reason)):
        out.print(explain(Reason(reason)))
