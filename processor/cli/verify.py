"""`resync verify`: compare every record of an object of a district, change nothing, and tell what was found."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from processor.cli.asked_before import is_known
from processor.cli.asking import (
    DISTRICT,
    OBJECT,
    OnBehalf,
    SchoolYear,
    Where,
    Why,
    all_or,
    catalog_or_warning,
    check_asked,
    id_option,
    optional_text,
    year_option,
)
from processor.cli.output import Output, print_line
from processor.cli.person import identified
from processor.cli.requests import text_option
from processor.core.request import Mode, Report, Request


def verify(
    *,
    district: Annotated[str, DISTRICT],
    object_name: Annotated[str, OBJECT],
    where: Where = None,
    school_year: SchoolYear = None,
    side: OnBehalf = None,
    request_id: Annotated[
        str | None,
        typer.Option(metavar="UUID", help="Drawn where not given. The same id verifies once; later it tells the same."),
    ] = None,
    reason: Why = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the end and print the summary; else print the id alone.")
    ] = True,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="How long to wait; without it, to the end.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the summary.")] = Output.TABLE,
) -> None:
    """Compare all records of one object of one district with the state's, and print the Verification Summary.

    Or those of a school year, or those that a filter matches at either side. Nothing is changed. Exits with 0 where all
    is in sync, 3 where something differs, 1 where not all was verified.
    """
    asked = Request(
        request_id=id_option("--request-id", request_id),
        district_id=text_option("--district", district),
        object=text_option("--object", object_name),
        selection=all_or(where),
        requested_by="",
        mode=Mode.VERIFY,
        report=Report.CHANGES,
        requested_at=datetime.now(UTC),
        school_year=year_option(school_year),
        reason=optional_text("--reason", reason),
    )
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    # It connects meanwhile.
    publisher = parts.open_publisher(settings, parts.open_codec(settings))
    person = identified(settings)
    request = replace(asked, requested_by=person.name, requested_from=side or person.side())
    catalog = catalog_or_warning(settings)
    check_asked(settings, person, request, catalog)
    with ExitStack() as closing:
        is_looked_up = wait or (request_id is not None and bool(settings.history_dsn))
        if is_looked_up:
            parts.check_history(settings)
        if request_id is None:
            # An id that was just drawn is nobody's, and the scan begins while Postgres's client is imported (ADR 0217).
            publisher.publish([request])
        queries = closing.enter_context(parts.history_queries(settings)) if is_looked_up else None
        if request_id is not None and not (queries and is_known(queries, person, request, "--request-id", "request")):
            publisher.publish([request])
        if queries is None or not wait:
            print_line(request.request_id)
            return
        # What tells the end is imported while the scan runs.
        from processor.cli.verified import tell_end

        tell_end(queries, person, request, catalog, timeout_s=timeout, output=output)
