"""`resync submit`: ask for records to be made equal at the state."""

import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from processor.cli.exits import UsageError
from processor.cli.keys import read_keys
from processor.cli.output import Output, print_csv, print_json, print_line, print_ndjson, say
from processor.cli.person import Person, identified
from processor.cli.requests import text_option
from processor.core.counted import counted
from processor.core.ids import is_request_id
from processor.core.request import Dependencies, Keys, Mode, OnStateOnly, Request, Side
from processor.service.submit import split

if TYPE_CHECKING:
    from processor.core.catalog import Catalog
    from processor.settings import Settings


def submit(
    *,
    district: Annotated[str, typer.Option("--district", "-d", help="The district, as the catalog names it.")],
    object_name: Annotated[str, typer.Option("--object", help="The object, such as PersonIdentity.")],
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEYS", help="Keys; - reads them from standard input, one a line."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="One key a line; of a .csv file the first column."),
    ] = None,
    mode: Annotated[
        Mode,
        typer.Option(
            metavar="[sync|force|verify]",
            case_sensitive=False,
            show_default="sync",
            help="force sends also what is equal; verify nothing.",
        ),
    ] = Mode.SYNC,
    dependencies: Annotated[
        Dependencies,
        typer.Option(
            metavar="[none|parents|children|all]",
            case_sensitive=False,
            show_default="none",
            help="Which related records go along.",
        ),
    ] = Dependencies.NONE,
    on_state_only: Annotated[
        OnStateOnly,
        typer.Option(
            metavar="[report|delete]",
            case_sensitive=False,
            show_default="report",
            help="What becomes of records that only the state has.",
        ),
    ] = OnStateOnly.REPORT,
    side: Annotated[
        Side | None,
        typer.Option(
            metavar="[district|state]",
            case_sensitive=False,
            help="On whose behalf; without it the side that the policy gives you, else the district's.",
        ),
    ] = None,
    request_id: Annotated[
        str | None, typer.Option(metavar="UUID", help="Drawn where not given. The same id does nothing twice.")
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for those who read the history.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing; print what it would become. Reads the databases itself.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, and exit with what came of it.")] = False,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait; the request goes on after that.")
    ] = 600.0,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of what is printed on stdout.")] = Output.TABLE,
) -> None:
    """Ask for records of one object of one district to be made equal at the state.

    Prints the request's id on stdout, and nothing else there; several ids where there are more keys than one request
    can carry: some 100,000, and the catalog's max_keys where what hangs below comes along or deletion is asked for.
    Keys that begin with a minus go after --.
    """
    if dry_run and wait:
        raise UsageError("--wait: there is nothing to wait for, because --dry-run sends nothing; leave one of them out")
    request = Request(
        request_id=_checked_id(request_id),
        district_id=text_option("--district", district),
        object=text_option("--object", object_name),
        selection=Keys(tuple(read_keys(keys or [], file))),
        requested_by="",
        mode=mode,
        dependencies=dependencies,
        on_state_only=on_state_only,
        requested_at=datetime.now(UTC),
        reason=None if reason is None else text_option("--reason", reason),
    )
    from processor.cli.parts import NO_OBJECTS
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    request = replace(request, requested_by=person.name, requested_from=side or person.side())
    catalog = _catalog(settings)
    _warn(settings, person, request, catalog)
    requests = split(request, (catalog or NO_OBJECTS).limits.max_keys)
    if dry_run:
        _dry_run(settings, requests, output)
    elif wait:
        _submit_and_wait(settings, person, requests, output, timeout_s=timeout, may_be_known=request_id is not None)
    else:
        _publish(settings, requests)
        _tell_run(requests)
        _print_ids(output, requests)


def _dry_run(settings: "Settings", requests: list[Request], output: Output) -> None:
    from processor.cli.dry_run import exit_code, plan_of, print_plan

    plan = plan_of(settings, requests)
    print_plan(output, plan)
    raise typer.Exit(exit_code(plan))


def _submit_and_wait(
    settings: "Settings",
    person: Person,
    requests: list[Request],
    output: Output,
    *,
    timeout_s: float,
    may_be_known: bool,
) -> None:
    """Everything needed for waiting is made ready first, so that what can be refused is refused before sending.

    An id that another district's request had before is followed as this one's alone.
    """
    from processor.adapters.kafka.history_follow import TopicFollower
    from processor.cli.following import await_end, exit_with, open_follower, result_document, tell_result
    from processor.service.seen import SeenFollower

    def is_of_this(district_id: str, object_name: str) -> bool:
        return district_id == requests[0].district_id and person.may_see(district_id, object_name)

    request_ids = [request.request_id for request in requests]
    with ExitStack() as closing:
        follower = open_follower(settings, request_ids, closing, person.seen())
        if not isinstance(follower, TopicFollower):
            follower.standings(0)
        elif not may_be_known:
            follower.from_now()
        _publish(settings, requests)
        _tell_run(requests)
        if output is Output.TABLE:
            _print_ids(output, requests)
        results = await_end(SeenFollower(follower, is_of_this), request_ids, timeout_s)
    if output is Output.TABLE:
        for result in results:
            tell_result(result, stderr=True)
    else:
        _print_ids(output, requests, {result.request_id: result_document(result) for result in results})
    exit_with(results)


def _publish(settings: "Settings", requests: list[Request]) -> None:
    from processor.cli import parts

    parts.open_publisher(settings, parts.open_codec(settings)).publish(requests)


def _checked_id(given: str | None) -> str:
    if given is None:
        return str(uuid.uuid4())
    if not is_request_id(given):
        raise UsageError("--request-id: a uuid is needed, 8-4-4-4-12 hexadecimal digits")
    return given.lower()


def _warn(settings: "Settings", person: Person, request: Request, catalog: "Catalog | None") -> None:
    """Says early what the processor will say. It alone decides: its catalog may be another than the one here.

    Raises NotAuthorized, before anything is said that not everybody may know.
    """
    from processor.cli.parts import NO_OBJECTS
    from processor.service.submit import doubts

    person.check_request(settings.topics.requests, request, catalog or NO_OBJECTS)
    if catalog is not None:
        for doubt in doubts(request, catalog):
            say(f"warning: {doubt}")


def _catalog(settings: "Settings") -> "Catalog | None":
    from processor.catalog_file import CatalogError
    from processor.cli import parts

    if not settings.catalog.is_file():
        return None
    try:
        return parts.open_catalog(settings)
    except CatalogError as fault:
        say(f"warning: keys were not checked, the catalog has mistakes: {fault}")
        return None


def _tell_run(requests: list[Request]) -> None:
    if len(requests) > 1:
        keys = counted(sum(map(_count, requests)), "key")
        say(f"{keys} in {len(requests)} requests with run id {requests[0].run_id}")
        if requests[0].on_state_only is OnStateOnly.DELETE:
            say("max_deletes of the catalog holds for each of these requests, not for all together")


def _print_ids(output: Output, requests: list[Request], results: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    ended = results or {}
    rows = [{"request_id": r.request_id, "keys": _count(r), "result": ended.get(r.request_id)} for r in requests]
    match output:
        case Output.TABLE:
            for request in requests:
                print_line(request.request_id)
        case Output.JSON:
            print_json({"run_id": requests[0].run_id, "requests": rows})
        case Output.NDJSON:
            print_ndjson(rows)
        case Output.CSV:
            states = [{**row, "state": ended.get(str(row["request_id"]), {}).get("state")} for row in rows]
            print_csv(("request_id", "keys", "state"), states)


def _count(request: Request) -> int:
    return len(request.selection.keys) if isinstance(request.selection, Keys) else 0
