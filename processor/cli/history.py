"""`resync history`: the requests there were, newest first."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from processor.cli.clearings import empty_list_text
from processor.cli.output import Output, print_rows, say
from processor.cli.requests import count_text, document, moment, place_of, place_text, shown
from processor.core.history import RequestState
from processor.service.client_ports import Row

SHOWN = (
    "request_id",
    "decided_at",
    "state",
    "district_id",
    "object",
    "keys",
    "counts",
    "mode",
    "requested_by",
    "requested_from",
    "reason",
    "request_reason",
)
"""For people: what tells requests apart stands first, where a terminal has place for it."""
ALL_COLUMNS = (
    "request_id",
    "decided_at",
    "requested_by",
    "requested_from",
    "district_id",
    "object",
    "mode",
    "state",
    "reason",
    "keys",
    "counts",
    "request_reason",
    "outcomes",
    "failed_outcomes",
    "dependencies",
    "requested_at",
    "school_year",
    "run_id",
)


def history(
    *,
    district: Annotated[str | None, typer.Option("--district", "-d", help="Only this district.")] = None,
    object_name: Annotated[str | None, typer.Option("--object", help="Only this object.")] = None,
    requested_by: Annotated[
        str | None,
        typer.Option("--requested-by", "--person", help="Only those whose requester's name has this in it."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those since: 2h, 3d, 2026-09-01, 2026-09-01T08:00 (UTC).")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only those before this time (UTC).")] = None,
    status: Annotated[
        list[RequestState] | None,
        typer.Option(metavar="STATE", case_sensitive=False, help="Only in this state; may be repeated."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 20,
    after: Annotated[
        str | None, typer.Option(metavar="PLACE", help="The next page: the place that this command named at its end.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")] = Output.TABLE,
) -> None:
    """List requests, newest first: when, who, from which side, what, how it stands and what became of its keys."""
    now = datetime.now(UTC)
    since_time = None if since is None else moment("--since", since, now)
    until_time = None if until is None else moment("--until", until, now)
    place = None if after is None else place_of(after)

    from processor.adapters.postgres.history_filters import RequestFilter
    from processor.cli import parts
    from processor.cli.person import identified
    from processor.settings import load_settings

    settings = load_settings()
    seen = identified(settings).seen(district)
    wanted = RequestFilter(
        district_id=district,
        object=object_name,
        requested_by=requested_by,
        since=since_time,
        until=until_time,
        states=[one.value for one in status] if status else None,
        after=place,
        seen_districts=None if seen is None else [district_id for district_id, _ in seen],
        seen_objects=None if seen is None else [object_id for _, object_id in seen],
    )
    with parts.history_queries(settings) as queries:
        found = queries.counted_as_seen(queries.requests(wanted, limit + 1), seen)
        why_empty = "" if found else empty_list_text(queries, wanted)
    rows = list(islice(found, limit))
    _print(output, rows)
    if not rows:
        say(why_empty)
    elif len(found) > limit:
        say(f"there are older ones: add --after {place_text(rows[-1]['decided_at'], rows[-1]['request_id'])}")


def _print(output: Output, rows: Sequence[Row]) -> None:
    match output:
        case Output.TABLE:
            print_rows(output, SHOWN, [_with_count_texts(shown(row)) for row in rows])
        case Output.CSV:
            print_rows(output, ALL_COLUMNS, [_with_count_texts(document(row)) for row in rows])
        case _:
            print_rows(output, ALL_COLUMNS, map(document, rows))


def _with_count_texts(row: Row) -> Row:
    return {**row, "counts": list(map(count_text, row["counts"]))}
