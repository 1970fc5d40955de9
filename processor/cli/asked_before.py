"""Whether the id that somebody gave stands for the same request already."""

from typing import TYPE_CHECKING

from processor.cli.exits import UsageError
from processor.cli.person import Person
from processor.core.request import Request

if TYPE_CHECKING:
    from processor.adapters.postgres.history_queries import HistoryQueries

_DRAW = "draw a new id by leaving the option out"


def is_known(queries: "HistoryQueries", person: Person, request: Request, option: str, what: str) -> bool:
    """Whether it was asked for: beyond the window of accepted ids it would be done once more.

    `what` was asked for: a request or a run, by this option. Raises UsageError where the id is that of another one.
    """
    row = queries.request(request.request_id)
    if row is None:
        if person.if_seen(queries.clearing(request.request_id)) is not None:
            raise UsageError(f"{option}: the history of that {what} was cleared; {_DRAW}")
        return False
    asked = _what(request)
    if person.if_seen(row) is None or {name: row[name] for name in asked} != asked:
        raise UsageError(f"{option}: that {what} is about something else; {_DRAW}")
    return True


def _what(request: Request) -> dict[str, str | None]:
    """As the history's row has it."""
    return {
        "district_id": request.district_id,
        "object": request.object,
        "mode": request.mode.value,
        "selection": request.selected_by,
        "filter": request.where,
        "school_year": request.school_year,
    }
