"""`resync clear`: the history of requests goes, and that it went stays."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli.clearings import clearing_text
from processor.cli.exits import ExitCode, UsageError
from processor.cli.known_names import warn_of_unknown
from processor.cli.output import print_table, say
from processor.cli.person import Person, identified
from processor.cli.progress import counting
from processor.cli.requests import moment, request_id_of, shown
from processor.core.history import Clear
from processor.service.client_ports import Row
from processor.service.follow import ENDED

if TYPE_CHECKING:
    from processor.adapters.postgres.history_filters import ClearFilter
    from processor.adapters.postgres.history_queries import HistoryQueries

MOST = 10_000
"""Requests a command; what is left is for the next."""
MOST_LOOKED_AT = 100
LOOK_EVERY_S = 0.2


def clear(
    requests: Annotated[list[str] | None, typer.Argument(metavar="[REQUEST]...", help="Ids of requests.")] = None,
    *,
    older_than: Annotated[
        str | None, typer.Option(metavar="TIME", help="All that ended before: 90d, 2026-09-01 (UTC).")
    ] = None,
    district: Annotated[
        str | None, typer.Option("--district", "-d", help="With --older-than: only of this district.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for the store.")] = 600.0,
) -> None:
    """Clear the history of requests that have ended, for good.

    What stays is that it was cleared, by whom, when, and how many outcomes there were. A request that still runs is
    refused: wait for its end, which `resync watch` shows.
    """
    if bool(requests) == (older_than is not None):
        raise UsageError("name requests, or all that ended before a time by --older-than")
    if requests and district is not None:
        raise UsageError("--district goes with --older-than: a request's id names its district")
    request_ids = list(dict.fromkeys(map(request_id_of, requests or [])))
    before = None if older_than is None else moment("--older-than", older_than, datetime.now(UTC))

    from processor.adapters.postgres.history_filters import ClearFilter
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    with parts.history_queries(settings) as queries:
        unknown = 0
        if before is None:
            ended, unknown = _named(queries, person, settings.topics.control, request_ids)
        else:
            may_clear = person.clearable(settings.topics.control, district)
            ended = _older(queries, ClearFilter(district_id=district, before=before, may_clear=may_clear))
        if ended:
            _confirm(ended, yes=yes)
            scope = "request" if before is None else f"older than {before.isoformat(timespec='seconds')}"
            wished_at = datetime.now(UTC)
            wishes = [Clear(row["request_id"], person.name, wished_at, row["last_touched_at"], scope) for row in ended]
            parts.open_control(settings, parts.open_codec(settings)).publish(wishes)
            _await_clearings(queries, ended, timeout)
        elif not unknown:
            say("nothing to clear")
            warn_of_unknown(settings, district=district)
    if before is not None and len(ended) == MOST:
        say(f"these were the oldest {MOST}: repeat the command for the rest")
    if unknown:
        raise typer.Exit(ExitCode.FAILED)


def _say_of_others(queries: "HistoryQueries", person: Person, request_ids: Sequence[str], found: Sequence[Row]) -> int:
    """Requests named that cannot be cleared; returns how many are not known at all."""
    missing = sorted(set(request_ids) - {row["request_id"] for row in found})
    marks = queries.cleared(missing) if missing else []
    cleared = {row["request_id"]: row for row in marks if person.if_seen(row)}
    for request_id in missing:
        if request_id in cleared:
            say(f"{request_id} was {clearing_text(cleared[request_id])}")
        else:
            say(f"there is no history of {request_id}")
    return len(missing) - len(cleared)


def _named(queries: "HistoryQueries", person: Person, topic: str, request_ids: Sequence[str]) -> tuple[list[Row], int]:
    """Those that can be cleared, and how many are not known. One that may not be, or runs, stops the whole command."""
    from processor.adapters.postgres.history_filters import ClearFilter

    found = [row for row in queries.to_clear(ClearFilter(request_ids), len(request_ids)) if person.if_seen(row)]
    unknown = _say_of_others(queries, person, request_ids, found)
    for row in found:
        person.check_clearing(topic, row)
    if still_open := [row for row in found if row["state"] not in ENDED]:
        say("not ended yet, so nothing is cleared:")
        print_table(("request_id", "district_id", "object", "state"), map(shown, still_open), stderr=True)
        raise typer.Exit(ExitCode.FAILED)
    return found, unknown


def _older(queries: "HistoryQueries", wanted: "ClearFilter") -> list[Row]:
    """Those that have ended and that this person may clear; of those that have not ended there is a word."""
    ended = queries.to_clear(replace(wanted, is_ended=True), MOST)
    if still_open := len(queries.to_clear(replace(wanted, is_ended=False), MOST)):
        say(f"{still_open} more have not ended and stay" if ended else f"{still_open} have not ended and stay")
    return ended


def _confirm(ended: Sequence[Row], *, yes: bool) -> None:
    """Raises typer.Abort on a no, and UsageError where nobody can be asked."""
    if yes:
        return
    outcomes = sum(row["outcomes"] for row in ended)
    what = f"{_requests(len(ended))} with {outcomes} outcomes"
    if not sys.stdin.isatty():
        raise UsageError(f"this clears the history of {what}, for good: say so by --yes")
    typer.confirm(f"Clear the history of {what}, for good?", abort=True, err=True)


def _await_clearings(queries: "HistoryQueries", ended: Sequence[Row], timeout_s: float) -> None:
    """Until all are cleared. Ends the command with code 1 where some are not."""
    as_of = {row["request_id"]: row["last_touched_at"] for row in ended}
    left = list(as_of)
    changed: list[str] = []
    deadline = time.monotonic() + timeout_s
    with counting("clearing") as show:
        while left and len(changed) < min(len(left), MOST_LOOKED_AT) and time.monotonic() <= deadline:
            time.sleep(LOOK_EVERY_S)
            cleared = {row["request_id"] for row in queries.cleared(left)}
            if not cleared:
                changed = _changed(queries, left[:MOST_LOOKED_AT], as_of)
            left = [request_id for request_id in left if request_id not in cleared]
            show(len(ended) - len(left), len(ended))
    if not left:
        say(f"cleared {_requests(len(ended))}")
        return
    say(f"{len(left)} of {_requests(len(ended))} not cleared")
    if changed:
        say("something of it was decided since you were asked: look at it, and repeat the command")
    else:
        say(
            f"not within {timeout_s:g} s: does `resync store` run? It goes on without you; where its own policy refuses"
            " the wish, its log says so"
        )
    raise typer.Exit(ExitCode.FAILED)


def _changed(queries: "HistoryQueries", request_ids: Sequence[str], as_of: dict[str, datetime]) -> list[str]:
    from processor.adapters.postgres.history_filters import ClearFilter

    rows = queries.to_clear(ClearFilter(request_ids), MOST_LOOKED_AT)
    return [row["request_id"] for row in rows if row["last_touched_at"] != as_of[row["request_id"]]]


def _requests(count: int) -> str:
    return f"{count} request{'' if count == 1 else 's'}"
