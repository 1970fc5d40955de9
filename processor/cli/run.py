"""`resync run`: verify, resync what differs, and verify again, as one run that goes on by itself."""

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
    Related,
    SchoolYear,
    StateOnly,
    Where,
    Why,
    all_or,
    catalog_or_warning,
    check_asked,
    id_option,
    optional_text,
    year_option,
)
from processor.cli.output import Output, print_line, say
from processor.cli.person import identified
from processor.cli.requests import text_option
from processor.cli.run_steps import RunFollower
from processor.cli.run_told import exit_with_run, print_run, tell_run
from processor.core.request import Dependencies, Mode, OnStateOnly, Report, Request
from processor.core.run import Step, step_id


def run(
    *,
    district: Annotated[str, DISTRICT],
    object_name: Annotated[str, OBJECT],
    where: Where = None,
    school_year: SchoolYear = None,
    dependencies: Related = Dependencies.NONE,
    on_state_only: StateOnly = OnStateOnly.REPORT,
    side: OnBehalf = None,
    run_id: Annotated[
        str | None,
        typer.Option(
            metavar="UUID", help="Drawn where not given. The same id begins nothing new, and tells the same run."
        ),
    ] = None,
    reason: Why = None,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Follow the run and print what came of it; else print its id alone."),
    ] = True,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="How long to wait; the run goes on after that.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of what is printed on stdout.")] = Output.TABLE,
) -> None:
    """Verify all records of an object, resync what differs, and verify again; print what was found before and after.

    The service goes from step to step, also when nobody waits. Where the resync would change more than the catalog lets
    pass it is held until somebody else releases it; then this command ends, and the same --run-id goes on to tell.
    Exits with 0 where all is in sync at the end, 3 where something still differs, 1 where it failed, waits or goes on.
    """
    run_id = id_option("--run-id", run_id)
    asked = Request(
        request_id=step_id(run_id, Step.VERIFY),
        district_id=text_option("--district", district),
        object=text_option("--object", object_name),
        selection=all_or(where),
        requested_by="",
        mode=Mode.VERIFY,
        dependencies=dependencies,
        on_state_only=on_state_only,
        report=Report.CHANGES,
        requested_at=datetime.now(UTC),
        school_year=year_option(school_year),
        reason=optional_text("--reason", reason),
        run_id=run_id,
        linked=True,
    )
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    first = replace(asked, requested_by=person.name, requested_from=side or person.side())
    check_asked(settings, person, first, catalog_or_warning(settings))
    publisher = parts.open_publisher(settings, parts.open_codec(settings))
    with ExitStack() as closing:
        queries = closing.enter_context(parts.history_queries(settings))
        if not is_known(queries, person, first, "--run-id", "run"):
            publisher.publish([first])
        if not wait:
            print_line(run_id)
            return
        if output is Output.TABLE:
            say(f"run {run_id}")
        told = RunFollower(queries, person, first).follow(timeout)
    print_run(output, told)
    tell_run(told)
    exit_with_run(told)
