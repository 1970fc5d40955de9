"""`resync show`: one request, as it was asked and as it stands."""

from typing import Annotated, Any

import typer

from processor.cli.exits import ExitCode
from processor.cli.following import explain
from processor.cli.output import Output, console, plain, print_csv, print_json, print_ndjson, print_table, say
from processor.cli.requests import document, request_id_of, shown
from processor.core.accept import printable
from processor.core.errors import Reason


def show(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")],
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")] = Output.TABLE,
) -> None:
    """Show one request: what was asked, by whom, how far it is, and counts by status and reason."""
    request_id = request_id_of(request)

    from processor.cli import parts
    from processor.settings import load_settings

    with parts.history_queries(load_settings()) as queries:
        row = queries.request(request_id)
        clearing = queries.clearing(request_id)
    if row is None and clearing is None:
        say(f"there is no history of {request_id}")
        raise typer.Exit(ExitCode.FAILED)
    found: dict[str, Any] = dict(row or {"request_id": request_id})
    cleared = document(clearing) if clearing is not None else None
    match output:
        case Output.TABLE:
            _tell(shown(found), shown(clearing) if clearing is not None else None)
        case Output.JSON:
            print_json({**document(found), "cleared": cleared})
        case Output.NDJSON:
            print_ndjson([{**document(found), "cleared": cleared}])
        case Output.CSV:
            print_csv(list(found), [document(found)])


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
    for reason in sorted({found.get("reason"), *(count["reason"] for count in counts)} & set(Reason)):
        out.print(explain(Reason(reason)))
