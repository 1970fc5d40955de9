"""`resync clear`: the history of requests goes, and that it went stays."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli import progress
from processor.cli.exits import ExitCode, UsageError
from processor.cli.output import print_table, say
from processor.cli.requests import moment, request_id_of, shown
from processor.cli.submit import requester
from processor.core.model import Clear
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from processor.adapters.postgres.history_queries import HistoryQueries

MOST = 10_000
"""Requests a command; what is left is for the next."""
LOOK_EVERY_S = 0.2
ENDED = frozenset({"COMPLETE", "COMPLETE_WITH_FAILURES", "REJECTED", "CANCELLED"})


def clear(
    requests: Annotated[list[str] | None, typer.Argument(metavar="[REQUEST...]", help="Ids of requests.")] = None,
    *,
    older_than: Annotated[
        str | None, typer.Option(metavar="TIME", help="All that ended before: 90d, 2026-09-01.")
    ] = None,
    district: Annotated[str | None, typer.Option("--district", "-d", help="Only of this district.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for the store.")] = 600.0,
) -> None:
    """Clear the history of requests that have ended, for good.

    What stays is that it was cleared, by whom, when, and how many outcomes there were. A request that still runs is
    refused; cancel it, or wait for its end.
    """
    if bool(requests) == (older_than is not None):
        raise UsageError("name requests, or all that ended before a time by --older-than")
    request_ids = None if not requests else list(dict.fromkeys(map(request_id_of, requests)))
    before = None if older_than is None else moment(older_than, datetime.now(UTC))

    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    with parts.history_queries(settings) as queries:
        found = queries.to_clear(request_ids, district, before, MOST)
        _say_of_others(queries, request_ids or [], found)
        ended = [row for row in found if row["state"] in ENDED]
        refused = [row for row in found if row["state"] not in ENDED]
        if refused and request_ids is not None:
            say("these have not ended and are not cleared:")
            print_table(("request_id", "district_id", "object", "state"), map(shown, refused), stderr=True)
            raise typer.Exit(ExitCode.FAILED)
        if not ended:
            say("nothing to clear")
            return
        _confirm(ended, yes=yes)
        wish = datetime.now(UTC)
        scope = "request" if before is None else f"older than {before.isoformat(timespec='seconds')}"
        clears = [Clear(row["request_id"], requester(), wish, scope) for row in ended]
        parts.open_control(settings, parts.open_codec(settings)).publish(clears)
        left = _await_clearings(queries, [row["request_id"] for row in ended], timeout)
    if left:
        say(f"{left} of {len(ended)} not cleared within {timeout:.0f} s: is the store running? It goes on by itself")
        raise typer.Exit(ExitCode.FAILED)
    say(f"cleared {len(ended)} requests" if len(ended) > 1 else "cleared")
    if len(found) == MOST:
        say(f"these were the newest {MOST}: repeat the command for the rest")


def _say_of_others(queries: "HistoryQueries", request_ids: Sequence[str], found: Sequence[Row]) -> None:
    missing = sorted(set(request_ids) - {row["request_id"] for row in found})
    cleared = {row["request_id"]: shown(row) for row in queries.cleared(missing)}
    for request_id in missing:
        if request_id in cleared:
            row = cleared[request_id]
            say(f"{request_id} was cleared by {row['cleared_by']} at {row['cleared_at']}")
        else:
            say(f"there is no history of {request_id}")


def _confirm(ended: Sequence[Row], *, yes: bool) -> None:
    """Raises typer.Abort on a no, and UsageError where nobody can be asked."""
    if yes:
        return
    outcomes = sum(row["outcomes"] for row in ended)
    what = f"{len(ended)} request{'s' if len(ended) > 1 else ''} with {outcomes} outcomes"
    import sys

    if not sys.stdin.isatty():
        raise UsageError(f"this clears the history of {what}, for good: say so by --yes")
    typer.confirm(f"Clear the history of {what}, for good?", abort=True, err=True)


def _await_clearings(queries: "HistoryQueries", request_ids: Sequence[str], timeout_s: float) -> int:
    """How many are not cleared when the time is over."""
    deadline = time.monotonic() + timeout_s
    with progress.counting("clearing") as show:
        while True:
            done = len(queries.cleared(request_ids))
            show(done, len(request_ids))
            if done == len(request_ids) or time.monotonic() > deadline:
                return len(request_ids) - done
            time.sleep(LOOK_EVERY_S)
