"""The keys of an earlier request that are not fine, from the store's tables, to be asked for again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from processor.cli.clearings import tell_no_history
from processor.cli.exits import ExitCode, UsageError
from processor.cli.output import say
from processor.cli.person import Person
from processor.cli.requests import request_id_of
from processor.core.counted import counted
from processor.core.errors import Reason
from processor.core.history import Status
from processor.core.ids import is_unread_range
from processor.core.request import Keys, OnStateOnly, Request
from processor.service.follow import ENDED

if TYPE_CHECKING:
    from processor.adapters.postgres.history_queries import HistoryQueries
    from processor.core.catalog import Catalog
    from processor.service.client_ports import Row
    from processor.settings import Settings

NOT_FINE = (Status.FAILED, Status.DIFFERS, Status.MISSING_AT_STATE, Status.CANCELLED)
"""What is asked for again where nobody says otherwise; what only the state has is left until somebody may delete it."""


def asked_again(
    settings: "Settings",
    person: Person,
    catalog: "Catalog",
    asked: Request,
    *,
    earlier: str,
    statuses: Sequence[Status],
) -> list[Request]:
    """As `asked`, with keys of the earlier request: one of each object that has some, parents first.

    The district is the earlier one's; the object too where `asked` names one. Only what this person may see. Raises
    UsageError for what is no id or of another district; ends the command where there is no history of it.
    """
    from processor.cli import parts

    request_id = request_id_of(earlier)
    with parts.history_queries(settings) as queries:
        row = person.if_seen(queries.request(request_id))
        if row is None:
            tell_no_history(queries, person, request_id, "resync submit --from-request")
            raise typer.Exit(ExitCode.FAILED)
        if asked.district_id not in {"", row["district_id"]}:
            raise UsageError(f"--district: the earlier request is of {row['district_id']}; leave the option out")
        if row["state"] not in ENDED:
            say(f"the request has not ended yet ({row['state']}): what is still open is not asked for again")
        for line in left_behind(row, asked, statuses):
            say(line)
        seen = person.seen_objects(row["district_id"])
        found = _keys(queries, row, asked.object or None, statuses, seen)
    if not found:
        say("that request has no such keys: nothing is asked for")
    return [
        replace(asked, district_id=row["district_id"], object=name, selection=Keys(tuple(found[name])))
        for name in sorted(found, key=_depth(catalog))
    ]


def left_behind(row: "Row", asked: Request, statuses: Sequence[Status]) -> Iterator[str]:
    """What of the earlier request's row does not go into what is asked for."""
    only_counted = row["in_sync_not_itemised"] if Status.IN_SYNC in statuses else 0
    if only_counted:
        were = counted(only_counted, "key IN_SYNC was", "keys IN_SYNC were")
        yield f"{were} counted, not listed, and cannot be asked for from there: --all or --where asks for them"
    if row["on_state_only"] == OnStateOnly.DELETE and asked.on_state_only is not OnStateOnly.DELETE:
        yield "that request had --on-state-only delete, which is not carried over: say it again where it is meant"


def _keys(
    queries: "HistoryQueries",
    row: "Row",
    object_name: str | None,
    statuses: Sequence[Status],
    seen_objects: Sequence[str] | None,
) -> Mapping[str, Sequence[str]]:
    """By object."""
    from processor.adapters.postgres.history_filters import KeyFilter

    wanted = KeyFilter(
        district_id=row["district_id"],
        object=object_name,
        statuses=[status.value for status in statuses],
        seen_objects=seen_objects,
    )
    found: dict[str, list[str]] = {}
    unnamed = 0
    for outcome in queries.outcomes(row["request_id"], wanted):
        if outcome["reason"] == Reason.INVALID_KEY or is_unread_range(outcome["key"]):
            unnamed += 1
        else:
            found.setdefault(outcome["object"], []).append(outcome["key"])
    if unnamed:
        of_no_key = counted(unnamed, "outcome is of no key", "outcomes are of no key")
        say(f"{of_no_key}, but of a text that is none or of all that was not read, and left out: see resync show")
    return found


def _depth(catalog: "Catalog") -> Callable[[str], tuple[int, str]]:
    """Objects that the catalog here does not have come last."""
    return lambda name: (catalog.objects[name].depth if name in catalog.objects else len(catalog.objects), name)
