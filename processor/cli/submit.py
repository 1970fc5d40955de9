"""`resync submit`: ask for records to be made equal at the state."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
from processor.cli.exits import UsageError
from processor.cli.from_request import NOT_FINE, asked_again
from processor.cli.keys import NO_KEYS, read_keys
from processor.cli.output import Output
from processor.cli.person import identified
from processor.cli.requests import text_option
from processor.cli.sending import send, send_and_wait, warn_of_doubts
from processor.core.history import Status
from processor.core.request import Dependencies, Keys, Mode, OnStateOnly, Report, Request
from processor.service.submit import split_together

if TYPE_CHECKING:
    from processor.settings import Settings

_INSTEAD = (
    "resync verify with the same --district, --object, --where and --school-year compares these records, and sends"
    " nothing; what is submitted is held before it sends where it would change more than the catalog lets pass"
)


def submit(
    *,
    district: Annotated[str | None, DISTRICT] = None,
    object_name: Annotated[str | None, OBJECT] = None,
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEYS", help="Keys; - reads them from standard input, one a line."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="One key a line; of a .csv file the first column."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All records of the object.")] = False,
    where: Where = None,
    from_request: Annotated[
        str | None,
        typer.Option(metavar="REQUEST", help="Keys of an earlier request that are not fine; it says the district too."),
    ] = None,
    status: Annotated[
        list[Status] | None,
        typer.Option(
            metavar="STATUS",
            case_sensitive=False,
            show_default=", ".join(each.lower() for each in NOT_FINE),
            help="With --from-request: keys of this status; may be repeated.",
        ),
    ] = None,
    school_year: SchoolYear = None,
    mode: Annotated[
        Mode,
        typer.Option(
            metavar="[sync|force|verify]",
            case_sensitive=False,
            show_default="sync",
            help="force sends also what is equal; verify nothing.",
        ),
    ] = Mode.SYNC,
    dependencies: Related = Dependencies.NONE,
    on_state_only: StateOnly = OnStateOnly.REPORT,
    side: OnBehalf = None,
    request_id: Annotated[
        str | None, typer.Option(metavar="UUID", help="Drawn where not given. The same id does nothing twice.")
    ] = None,
    reason: Why = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Of keys: send nothing; print what they would become. Reads the databases itself."
        ),
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, and exit with what came of it.")] = False,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait; the request goes on after that.")
    ] = 600.0,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of what is printed on stdout.")] = Output.TABLE,
) -> None:
    """Ask for records of one object of one district to be made equal at the state.

    By their keys, or --all, or those that --where matches, or what --from-request left. Prints the request's id on
    stdout, and nothing else there; several ids where there are more keys than one request can carry: some 100,000, and
    the catalog's max_keys where what hangs below comes along or deletion is asked for. Keys that begin with a minus go
    after --.
    """
    if dry_run and wait:
        raise UsageError("--wait: there is nothing to wait for, because --dry-run sends nothing; leave one of them out")
    place = _named("--district", district, from_request), _named("--object", object_name, from_request)
    by_keys = bool(keys) or file is not None
    _check_one(by_keys=by_keys, everything=everything, where=where, from_request=from_request)
    is_whole = everything or where is not None
    if dry_run and is_whole:
        raise UsageError(f"--dry-run is for keys: {_INSTEAD}")
    if school_year is not None and not is_whole:
        raise UsageError("--school-year goes with --all or --where; keys are what they are in every year")
    if status and from_request is None:
        raise UsageError("--status says which keys of --from-request REQUEST are meant")
    asked = Request(
        request_id=id_option("--request-id", request_id),
        district_id=place[0],
        object=place[1],
        selection=all_or(where) if is_whole else Keys(() if from_request else tuple(read_keys(keys or [], file))),
        requested_by="",
        mode=mode,
        dependencies=dependencies,
        on_state_only=on_state_only,
        report=Report.CHANGES if is_whole else Report.ALL,
        requested_at=datetime.now(UTC),
        school_year=year_option(school_year),
        reason=optional_text("--reason", reason),
    )
    from processor.cli.parts import NO_OBJECTS
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    asked = replace(asked, requested_by=person.name, requested_from=side or person.side())
    catalog = catalog_or_warning(settings)
    known = catalog or NO_OBJECTS
    requests = [asked]
    if from_request is not None:
        statuses = status or NOT_FINE
        requests = asked_again(settings, person, known, asked, earlier=from_request, statuses=statuses)
    for request in requests:
        check_asked(settings, person, request, catalog)
        warn_of_doubts(request, catalog)
    sent = split_together(requests, known.limits.max_keys)
    if dry_run:
        _dry_run(settings, sent, output)
    elif wait:
        send_and_wait(settings, person, sent, output, timeout_s=timeout, may_be_known=request_id is not None)
    else:
        send(settings, sent, output)


def _check_one(*, by_keys: bool, everything: bool, where: str | None, from_request: str | None) -> None:
    """Raises UsageError unless it is said in one way which records are meant."""
    ways = {"KEYS": by_keys, "--all": everything, "--where": where is not None, "--from-request": bool(from_request)}
    given = [way for way, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)}: each says which records are meant; give one of them")
    if not given:
        raise UsageError(f"no keys: {NO_KEYS}; or say --all, --where FILTER or --from-request REQUEST")


def _named(option: str, given: str | None, from_request: str | None) -> str:
    """What an earlier request says may be left out."""
    if given is None and from_request is None:
        raise UsageError(f"{option} is missing; only --from-request REQUEST says it by itself")
    return "" if given is None else text_option(option, given)


def _dry_run(settings: "Settings", requests: Sequence[Request], output: Output) -> None:
    from processor.cli.dry_run import exit_code, plan_of, print_plan

    plan = plan_of(settings, requests)
    print_plan(output, plan)
    raise typer.Exit(exit_code(plan))
