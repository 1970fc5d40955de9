"""`resync watch`: follow requests from another terminal."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli.exits import ExitCode
from processor.cli.following import await_end, exit_with, open_follower, print_results
from processor.cli.output import Output
from processor.cli.requests import request_id_of

if TYPE_CHECKING:
    from processor.cli.person import Person
    from processor.settings import Settings


def watch(
    requests: Annotated[list[str], typer.Argument(metavar="REQUEST...", help="Ids of requests.")],
    *,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="How long to wait; without it, to the end.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")] = Output.TABLE,
) -> None:
    """Follow requests to their end, print what became of them and exit with what came of it.

    By the store's tables where RESYNC_HISTORY_DSN is set, else by the history topic alone.
    """
    request_ids = list(dict.fromkeys(request_id_of(request) for request in requests))

    from processor.cli.person import identified
    from processor.service.seen import SeenFollower
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    if settings.history_dsn:
        _refuse_runs(settings, person, request_ids)
    with ExitStack() as closing:
        follower = SeenFollower(open_follower(settings, request_ids, closing, person.seen()), person.may_see)
        results = await_end(follower, request_ids, timeout)
    print_results(output, results)
    exit_with(results)


def _refuse_runs(settings: "Settings", person: "Person", request_ids: Sequence[str]) -> None:
    """What is a run's id would be waited for without an end. Ends the command with code 1 where there is one."""
    from processor.cli import parts
    from processor.cli.clearings import steps_of, tell_no_history

    with parts.history_queries(settings) as queries:
        for request_id, standing in queries.standings(request_ids).items():
            if standing.state is None and not standing.cleared and steps_of(queries, person, request_id):
                tell_no_history(queries, person, request_id, "resync watch")
                raise typer.Exit(ExitCode.FAILED)
