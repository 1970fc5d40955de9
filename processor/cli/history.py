"""`resync history`: the requests there were, newest first."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from processor.cli.clearings import empty_list_text
from processor.cli.output import Output, print_rows, say
from processor.cli.requests import document, moment, request_id_of, shown
from processor.core.model import RequestState

COLUMNS = (
    "request_id",
    "decided_at",
    "district_id",
    "object",
    "state",
    "keys",
    "failed_outcomes",
    "mode",
    "requested_by",
)
ALL_COLUMNS = (*COLUMNS, "reason", "requested_at", "run_id")


def history(
    *,
    district: Annotated[str | None, typer.Option("--district", "-d", help="Only this district.")] = None,
    object_name: Annotated[str | None, typer.Option("--object", help="Only this object.")] = None,
    requested_by: Annotated[
        str | None,
        typer.Option("--requested-by", "--person", help="Only those whose requester's name has this in it."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those since: 2h, 3d, 2026-09-01, 2026-09-01T08:00.")
    ] = None,
    status: Annotated[
        list[RequestState] | None,
        typer.Option(metavar="STATE", case_sensitive=False, help="Only in this state; may be repeated."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 20,
    older_than: Annotated[
        str | None, typer.Option(metavar="REQUEST", help="The next page: only those before this request.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")] = Output.TABLE,
) -> None:
    """List requests, newest first, with their state and how many keys failed."""
    since_time = None if since is None else moment("--since", since, datetime.now(UTC))
    page = None if older_than is None else request_id_of(older_than)

    from processor.adapters.postgres.history_queries import RequestFilter
    from processor.cli import parts
    from processor.settings import load_settings

    wanted = RequestFilter(
        district_id=district,
        object=object_name,
        requested_by=requested_by,
        since=since_time,
        states=[one.value for one in status] if status else None,
        older_than=page,
    )
    with parts.history_queries(load_settings()) as queries:
        found = queries.requests(wanted, limit + 1)
        why_empty = "" if found else empty_list_text(queries, wanted)
    rows = list(islice(found, limit))
    if output is Output.TABLE:
        print_rows(output, COLUMNS, map(shown, rows))
    else:
        print_rows(output, ALL_COLUMNS, map(document, rows))
    if not rows:
        say(why_empty)
    elif len(found) > limit:
        say(f"there are older ones: add --older-than {rows[-1]['request_id']}")
