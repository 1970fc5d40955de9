"""`resync report`: what became of every key of a request."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli.clearings import tell_no_history
from processor.cli.exits import ExitCode, UsageError
from processor.cli.files import STDOUT, new_file, to_stdout
from processor.cli.known_names import warn_of_unknown
from processor.cli.output import (
    TablePages,
    print_csv,
    print_json_with_list,
    print_keys,
    print_line,
    print_ndjson,
    print_table,
    say,
)
from processor.cli.progress import Counting, counting, is_shown
from processor.cli.report_columns import ALL_COLUMNS, COLUMNS
from processor.cli.report_totals import Totals
from processor.cli.requests import document, request_id_of, shown, shown_key
from processor.core.counted import counted
from processor.core.errors import Reason
from processor.core.history import Status
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from processor.adapters.postgres.history_filters import KeyFilter
    from processor.adapters.postgres.history_queries import HistoryQueries

_SHOWN_EVERY = 1_000
_TABLE_PAGE = 500
"""Rows whose widths are measured together, so that a table of any length is printed as it is read."""


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


IN_FILES = frozenset({Form.XLSX, Form.PDF})


def report(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")],
    *,
    status: Annotated[
        list[Status] | None,
        typer.Option(metavar="STATUS", case_sensitive=False, help="Only keys of this status; may be repeated."),
    ] = None,
    reason: Annotated[
        list[Reason] | None,
        typer.Option(metavar="REASON", case_sensitive=False, help="Only keys with this reason; may be repeated."),
    ] = None,
    object_name: Annotated[str | None, typer.Option("--object", help="Only keys of this object.")] = None,
    keys_only: Annotated[
        bool, typer.Option("--keys-only", help="Print the keys alone, one a line, as `resync submit … -` reads them.")
    ] = False,
    parents: Annotated[
        str | None,
        typer.Option(metavar="OBJECT", help="Print the keys of the missing parents of this object alone, one a line."),
    ] = None,
    output: Annotated[
        Form | None,
        typer.Option(
            "--output", "--format", "-o", show_default="what FILE ends in, else table", help="Form of the report."
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write to this file, - being stdout; xlsx and pdf need one.", dir_okay=False),
    ] = None,
) -> None:
    """List every key of a request with its status and reason, in the order of the keys; table and json end with totals.

    Totals are of the keys listed: how many succeeded, failed, by reason.
    """
    request_id = request_id_of(request)
    form = form_of(output, to)
    if form in IN_FILES and to is None:
        raise UsageError(f"--output {form} needs --to FILE, or --to - for stdout")

    from processor.adapters.postgres.history_filters import KeyFilter
    from processor.cli import parts
    from processor.cli.person import identified
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    with parts.history_queries(settings) as queries:
        asked = person.if_seen(queries.request(request_id))
        if asked is None:
            tell_no_history(queries, person, request_id, "resync report")
            raise typer.Exit(ExitCode.FAILED)
        warn_of_unknown(settings, objects=[object_name, parents])
        [asked] = queries.counted_as_seen([asked], person.seen())
        wanted = KeyFilter(
            district_id=asked["district_id"],
            object=object_name,
            statuses=[one.value for one in status] if status else None,
            reasons=[one.value for one in reason] if reason else None,
            seen_objects=person.seen_objects(asked["district_id"]),
        )
        if parents is not None:
            print_keys(_parents(queries, request_id, wanted, parents))
        elif keys_only:
            print_keys(shown_key(row) for row in queries.outcomes(request_id, wanted))
        else:
            _write(queries, asked, wanted, form, None if to == STDOUT and form not in IN_FILES else to)
    if asked["in_sync_not_itemised"]:
        more = counted(asked["in_sync_not_itemised"], "more key was", "more keys were")
        say(f"{more} IN_SYNC and only counted")
    if asked["state"] == "ACCEPTED":
        say("the request has not ended yet")


def form_of(output: Form | None, to: Path | None) -> Form:
    """The one that was asked for, else that of the file's name; a table where the name says nothing."""
    if output is not None:
        return output
    ending = "" if to is None else to.suffix.removeprefix(".").lower()
    return Form(ending) if ending in set(Form) else Form.TABLE


def _write(queries: "HistoryQueries", asked: Row, wanted: "KeyFilter", form: Form, to: Path | None) -> None:
    request_id = asked["request_id"]
    is_counted = is_shown() and (to is not None or not sys.stdout.isatty())
    total = queries.count_outcomes(request_id, wanted) if is_counted or form is Form.PDF else 0
    rows = _failures_first(queries, request_id, wanted) if form is Form.PDF else queries.outcomes(request_id, wanted)
    causes = []
    if form in IN_FILES and asked["failed_outcomes"]:
        causes = queries.causes(request_id, wanted.district_id, wanted.seen_objects)
    with ExitStack() as opened:
        if is_counted:
            rows = _counted(rows, total, opened.enter_context(counting("keys")))
        target = opened.enter_context(to_stdout() if to == STDOUT else new_file(to)) if to is not None else None
        match form:
            case Form.XLSX if target is not None:
                from processor.cli.report_xlsx import write_xlsx

                write_xlsx(target, asked, causes, rows)
            case Form.PDF if target is not None:
                from processor.cli.report_pdf import write_pdf

                write_pdf(target, asked, causes, rows, total)
            case _:
                if target is not None:
                    opened.enter_context(redirect_stdout(opened.enter_context(target.open("w", encoding="utf-8"))))
                _print(form, asked, rows)


def _print(form: Form, asked: Row, rows: Iterator[Row]) -> None:
    totals = Totals()
    match form:
        case Form.JSON:
            of_request = {name: asked[name] for name in ("request_id", "state", "in_sync_not_itemised")}
            keys = map(document, totals.of(rows))
            print_json_with_list(of_request, "keys", keys, lambda: {"totals": totals.document()})
        case Form.NDJSON:
            print_ndjson(map(document, rows))
        case Form.CSV:
            print_csv(ALL_COLUMNS, map(document, rows))
        case _:
            pages = TablePages(COLUMNS)
            told = totals.of(rows)
            while page := list(islice(told, _TABLE_PAGE)):
                pages.print([{**shown(row), "key": shown_key(row)} for row in page])
            print_line(f"\n{totals.text()}")
            print_table(("status", "reason", "keys"), totals.counts())


def _failures_first(queries: "HistoryQueries", request_id: str, wanted: "KeyFilter") -> Iterator[Row]:
    """For a form that does not hold all keys."""
    for statuses in ([Status.FAILED], [status for status in Status if status is not Status.FAILED]):
        asked = [status.value for status in statuses if wanted.statuses is None or status in wanted.statuses]
        if asked:
            yield from queries.outcomes(request_id, replace(wanted, statuses=asked))


def _parents(queries: "HistoryQueries", request_id: str, wanted: "KeyFilter", parent: str) -> Iterator[str]:
    """Each once. They are held in memory: as many as there are parents, not children."""
    missing = replace(wanted, statuses=[Status.FAILED], reasons=[Reason.PARENT_MISSING], parent_object=parent)
    return iter(dict.fromkeys(row["parent_key"] for row in queries.outcomes(request_id, missing)))


def _counted(rows: Iterator[Row], total: int, count: Counting) -> Iterator[Row]:
    for done, row in enumerate(rows):
        if not done % _SHOWN_EVERY:
            count(done, total)
        yield row
