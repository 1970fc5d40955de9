"""What people are told where the history shows nothing: that it was cleared, by whom and when, or was never used."""

from typing import TYPE_CHECKING

from processor.cli.requests import shown
from processor.core.accept import printable
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from processor.adapters.postgres.history_filters import RequestFilter
    from processor.adapters.postgres.history_queries import HistoryQueries


def clearing_text(clearing: Row) -> str:
    """`cleared_at` is None where only the gap is seen."""
    when = f" at {shown(clearing)['cleared_at']}" if clearing["cleared_at"] is not None else ""
    return f"cleared by {printable(clearing['cleared_by'])}{when}"


def no_history_text(request_id: str, clearing: Row | None) -> str:
    """Why there is nothing of a request, as far as it may be told."""
    if clearing is None:
        return f"there is no history of {request_id}"
    return f"the history of {request_id} was {clearing_text(clearing)}"


def empty_list_text(queries: "HistoryQueries", wanted: "RequestFilter") -> str:
    """Why no request is listed. A clearing explains it only where nothing of its district and object is left."""
    among = " among those that you may see" if wanted.seen_districts is not None else ""
    if queries.has_requests(wanted, of_place=True):
        return f"no such requests{among}"
    clearing = queries.last_clearing(wanted)
    if clearing is not None:
        requests = clearing["requests"]
        of_them = "1 request was" if requests == 1 else f"{requests} requests were cleared, the last"
        return f"no requests{among}: {of_them} {clearing_text(clearing)}"
    return f"no such requests{among}" if queries.has_requests(wanted) else f"no requests{among}: never used"
