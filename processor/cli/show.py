"""`resync show`: one request, as it was asked, as it stands, and what mends its failures."""

from typing import Annotated, Any

import typer

from processor.cli.exits import ExitCode
from processor.cli.failures import asked_of, failure_documents, failure_lines
from processor.cli.following import explain
from processor.cli.output import Output, console, plain, print_csv, print_json, print_ndjson, print_table, say
from processor.cli.requests import document, request_id_of, shown
from processor.core.accept import printable
from processor.core.errors import Reason
from processor.core.history import Status
from processor.core.mend import Cause
from processor.service.client_ports import Row


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
        say(f"there is no history of {request_id}")
        raise typer.Exit(ExitCode.FAILED)
    found: dict[str, Any] = dict(row or {"request_id": request_id})
    cleared = document(clearing) if clearing is not None else None
    failures = {"failures": failure_documents(asked_of(row), causes) if causes else []} if row is not None else {}
    match output:
        case Output.TABLE:
            _tell(shown(found), shown(clearing) if clearing is not None else None)
            if row is not None:
                _tell_failures(row, causes)
        case Output.JSON:
            print_json({**document(found), **failures, "cleared": cleared})
        case Output.NDJSON:
            print_ndjson([{**document(found), **failures, "cleared": cleared}])
        case Output.CSV:
            print_csv(list(found), [document(found)])


def _tell_failures(row: Row, causes: list[Cause]) -> None:
    out = console()
    for cause in causes:
        out.print()
        for line in failure_lines(asked_of(row), cause):
            out.print(line)
    told = sum(cause.keys for cause in causes)
    if told < row["failed_outcomes"]:
        out.print(f"\n{row['failed_outcomes'] - told} more failed for other causes: resync report {row['request_id']}")


def _tell(found: dict[str, Any], clearing: dict[str, Any] | None) -> None:
    out = console()
    if clearing is not None:
        out.print(
            f"History cleared by {printable(clearing['cleared_by'])} at {clearing['cleared_at']} "
            f"({clearing['outcomes']} outcomes; scope: {printable(clearing['scope'])})"
        )
    counts = found.pop("counts", [])
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
