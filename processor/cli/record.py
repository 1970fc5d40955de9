"""`resync record`: all that the history knows of one record."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli.exits import ExitCode
from processor.cli.output import Output, print_rows, say
from processor.cli.requests import document, record_place_of, record_place_text, shown, shown_key
from processor.core.printable import printable

if TYPE_CHECKING:
    from processor.settings import Settings

SHOWN = (
    "decided_at",
    "request_id",
    "object",
    "key",
    "status",
    "reason",
    "detail",
    "changed_fields",
    "mode",
    "requested_by",
    "requested_from",
    "request_reason",
    "answered_at",
)
"""For people."""
ALL_COLUMNS = (
    "decided_at",
    "request_id",
    "requested_by",
    "requested_from",
    "mode",
    "request_reason",
    "status",
    "reason",
    "detail",
    "changed_fields",
    "parent_object",
    "parent_key",
    "answered_at",
    "asked_as",
    "correction_id",
    "attempt",
    "first_decided_at",
    "sent_at",
    "requested_at",
    "run_id",
    "object",
    "key",
)


def record(
    district: Annotated[str, typer.Argument(metavar="DISTRICT", help="The district, as the catalog names it.")],
    object_name: Annotated[str, typer.Argument(metavar="OBJECT", help="The object, such as PersonIdentity.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="The record's key at the district.")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    after: Annotated[
        str | None, typer.Option(metavar="PLACE", help="The next page: the place that this command named at its end.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")] = Output.TABLE,
) -> None:
    """Show every request that touched one record, newest first: when, who, why, and what came of it.

    Also its children's keys that failed because it was missing at the state.
    """
    place = None if after is None else record_place_of(after)

    from processor.adapters.postgres.history_filters import RecordFilter
    from processor.cli import parts
    from processor.cli.person import identified
    from processor.settings import load_settings

    settings = load_settings()
    person = identified(settings)
    may_see = person.may_see(district, object_name)
    canonical = _canonical(settings, object_name, key)
    with parts.history_queries(settings) as queries:
        wanted = RecordFilter(district, object_name, canonical, person.seen_objects(district), place)
        found = queries.record(wanted, limit + 1) if may_see else []
    rows = list(islice(found, limit))
    if output is Output.TABLE:
        print_rows(output, SHOWN, [{**shown(row), "key": shown_key(row)} for row in rows])
    else:
        print_rows(output, ALL_COLUMNS, map(document, rows))
    if len(found) > limit:
        say(f"there are older ones: add --after {record_place_text(rows[-1])}")
    if not rows:
        say(f"the history knows nothing of {printable(f'{object_name} {key} of {district}')}")
        raise typer.Exit(ExitCode.FAILED)


def _canonical(settings: "Settings", object_name: str, key: str) -> str:
    """As the history has it, where the catalog is at hand and knows the object."""
    from processor.catalog_file import CatalogError
    from processor.cli import parts
    from processor.core.errors import InvalidKey
    from processor.core.keys import canonical_key, invalid_key_id

    if not settings.catalog.is_file():
        return key
    try:
        kind = parts.open_catalog(settings).objects.get(object_name)
        return key if kind is None else canonical_key(key, kind.key_type)
    except CatalogError:
        return key
    except InvalidKey:
        return invalid_key_id(key)
