"""`resync verify`: compare every record of an object of a district, change nothing, and tell what was found."""

import uuid
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli.exits import ExitCode, UsageError
from processor.cli.following import await_end, exit_with, tell_result
from processor.cli.output import Output
from processor.cli.person import identified
from processor.cli.requests import text_option
from processor.cli.summary import Summary, print_summary, tell_next
from processor.core.history import RequestState
from processor.core.ids import is_request_id
from processor.core.request import All, Mode, Report, Request, Side
from processor.service.follow import RequestResult
from processor.service.seen import SeenFollower

if TYPE_CHECKING:
    from processor.core.catalog import Catalog
    from processor.settings import Settings


def verify(
    *,
    district: Annotated[str, typer.Option("--district", "-d", help="The district, as the catalog names it.")],
    object_name: Annotated[str, typer.Option("--object", help="The object, such as PersonIdentity.")],
    side: Annotated[
        Side | None,
        typer.Option(
            metavar="[district|state]",
            case_sensitive=False,
            help="On whose behalf; without it the side that the policy gives you, else the district's.",
        ),
    ] = None,
    request_id: Annotated[
        str | None,
        typer.Option(metavar="UUID", help="Drawn where not given. The same id verifies once; later it tells the same."),
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for those who read the history.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the end and print the summary; else print the id alone.")
    ] = True,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="How long to wait; without it, to the end.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the summary.")] = Output.TABLE,
) -> None:
    """Compare all records of one object of one district with the state's, and print the Verification Summary.

    Nothing is changed. Exits with 0 where all is in sync, 3 where something differs, 1 where not all was verified.
    """
    if request_id is not None and not is_request_id(request_id):
        raise UsageError("--request-id: a uuid is needed, 8-4-4-4-12 hexadecimal digits")
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    request = Request(
        request_id=(request_id or str(uuid.uuid4())).lower(),
        district_id=text_option("--district", district),
        object=text_option("--object", object_name),
        selection=All(),
        requested_by=person.name,
        mode=Mode.VERIFY,
        report=Report.CHANGES,
        requested_from=side or person.side(),
        requested_at=datetime.now(UTC),
        reason=None if reason is None else text_option("--reason", reason),
    )
    person.check_request(settings.topics.requests, request, _catalog(settings))
    publisher = parts.open_publisher(settings, parts.open_codec(settings))
    if not wait:
        from processor.cli.output import print_line

        publisher.publish([request])
        print_line(request.request_id)
        return
    with ExitStack() as closing:
        queries = closing.enter_context(parts.history_queries(settings))
        follower = SeenFollower(parts.open_follower(queries, [request.request_id], person.seen()), person.may_see)
        follower.standings(0)
        publisher.publish([request])
        (result,) = await_end(follower, [request.request_id], timeout)
        if not isinstance(result, RequestResult) or result.state is RequestState.REJECTED:
            tell_result(result, stderr=True)
            raise typer.Exit(ExitCode.FAILED)
        summary = Summary.of(result, queries.verification(request.request_id) or {})
    print_summary(output, summary)
    tell_next(summary)
    exit_with([result])


def _catalog(settings: "Settings") -> "Catalog":
    """The processor decides by its own; here it only answers sooner."""
    from processor.cli import parts

    return parts.open_catalog(settings) if settings.catalog.is_file() else parts.NO_OBJECTS
