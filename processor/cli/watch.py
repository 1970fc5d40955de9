"""`resync watch`: follow requests from another terminal."""

from contextlib import ExitStack
from typing import Annotated

import typer

from processor.cli.following import await_end, exit_with, open_follower, print_results
from processor.cli.output import Output
from processor.cli.requests import request_id_of


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
    with ExitStack() as closing:
        follower = SeenFollower(open_follower(settings, request_ids, closing, person.seen()), person.may_see)
        results = await_end(follower, request_ids, timeout)
    print_results(output, results)
    exit_with(results)
