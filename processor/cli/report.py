"""`resync report`: what became of every key of a request."""

import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated

import typer

from processor.cli.clearings import no_history_text
from processor.cli.exits import ExitCode
from processor.cli.output import Output, TablePages, print_csv, print_json_list, print_ndjson, say
from processor.cli.progress import counting, is_shown
from processor.cli.requests import document, request_id_of, shown, shown_key
from processor.core.model import Status
from processor.service.client_ports import Row

COLUMNS = ("object", "key", "status", "reason", "detail", "changed_fields", "parent_object", "parent_key", "decided_at")
ALL_COLUMNS = (
    "object",
    "key",
    "asked_as",
    "status",
    "reason",
    "detail",
    "changed_fields",
    "parent_object",
    "parent_key",
    "correction_id",
    "attempt",
    "first_decided_at",
    "sent_at",
    "answered_at",
    "decided_at",
)
_SHOWN_EVERY = 1_000
_TABLE_PAGE = 500
"""Rows whose widths are measured together, so that a table of any length is printed as it is read."""


def report(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")],
    *,
    status: Annotated[
        list[Status] | None,
        typer.Option(metavar="STATUS", case_sensitive=False, help="Only keys of this status; may be repeated."),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")] = Output.TABLE,
) -> None:
    """List every key of a request with its status and reason, in the order of the keys."""
    request_id = request_id_of(request)
    statuses = [one.value for one in status] if status else None

    from processor.cli import parts
    from processor.settings import load_settings

    with parts.history_queries(load_settings()) as queries:
        asked = queries.request(request_id)
        if asked is None:
            say(no_history_text(queries, request_id))
            raise typer.Exit(ExitCode.FAILED)
        rows = queries.outcomes(request_id, statuses)
        if sys.stdout.isatty() or not is_shown():
            _print(output, rows)
        else:
            with counting("keys") as count:
                _print(output, _counted(rows, queries.count_outcomes(request_id, statuses), count))
    if asked["in_sync_not_itemised"]:
        say(f"{asked['in_sync_not_itemised']} more keys were IN_SYNC and are only counted")
    if asked["state"] == "ACCEPTED":
        say("the request has not ended yet")


def _print(output: Output, rows: Iterator[Row]) -> None:
    match output:
        case Output.TABLE:
            pages = TablePages(COLUMNS)
            while page := list(islice(rows, _TABLE_PAGE)):
                pages.print([{**shown(row), "key": shown_key(row)} for row in page])
        case Output.JSON:
            print_json_list(map(document, rows))
        case Output.NDJSON:
            print_ndjson(map(document, rows))
        case Output.CSV:
            print_csv(ALL_COLUMNS, map(document, rows))


def _counted(rows: Iterator[Row], total: int, count: Callable[[int, int], None]) -> Iterator[Row]:
    for done, row in enumerate(rows):
        if not done % _SHOWN_EVERY:
            count(done, total)
        yield row
