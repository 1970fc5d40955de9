"""The end of a verification: awaited, told as the Verification Summary, and the exit code."""

from typing import TYPE_CHECKING

import typer

from processor.cli import parts
from processor.cli.again import same_request
from processor.cli.exits import ExitCode
from processor.cli.following import await_end, exit_with, tell_result
from processor.cli.output import Output, say
from processor.cli.person import Person
from processor.cli.summary import Summary, print_summary, tell_next
from processor.core.history import RequestState
from processor.core.request import Request
from processor.service.follow import RequestResult
from processor.service.seen import SeenFollower

if TYPE_CHECKING:
    from processor.adapters.postgres.history_queries import HistoryQueries
    from processor.core.catalog import Catalog


def tell_end(
    queries: "HistoryQueries",
    person: Person,
    request: Request,
    catalog: "Catalog | None",
    *,
    timeout_s: float | None,
    output: Output,
) -> None:
    """Waits at most `timeout_s`, without it to the end. Raises typer.Exit unless all is in sync."""
    say(f"verifying {request.object} of {request.district_id} as {request.request_id}")
    follower = SeenFollower(parts.open_follower(queries, [request.request_id], person.seen()), person.may_see)
    again = same_request("verify", request, "--request-id", request.request_id)
    (result,) = await_end(follower, [request.request_id], timeout_s, again)
    if not isinstance(result, RequestResult) or result.state is RequestState.REJECTED:
        tell_result(result, stderr=True)
        raise typer.Exit(ExitCode.FAILED)
    summary = Summary.of(result, queries.verification(request.request_id) or {})
    print_summary(output, summary)
    tell_next(summary, None if catalog is None else catalog.limits.max_deletes)
    exit_with([result])
