"""What people are told where the history shows nothing: that it was cleared, by whom and when, or was never used."""

from typing import TYPE_CHECKING

from processor.cli.again import command as again
from processor.cli.again import same_records
from processor.cli.output import say
from processor.cli.requests import shown
from processor.core.printable import printable
from processor.core.run import Step, step_id
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from processor.adapters.postgres.history_filters import RequestFilter
    from processor.adapters.postgres.history_queries import HistoryQueries
    from processor.cli.person import Person


def clearing_text(clearing: Row) -> str:
    """`cleared_at` is None where only the gap is seen."""
    when = f" at {shown(clearing)['cleared_at']}" if clearing["cleared_at"] is not None else ""
    return f"cleared by {printable(clearing['cleared_by'])}{when}"


def no_history_text(request_id: str, clearing: Row | None) -> str:
    """Why there is nothing of a request, as far as it may be told."""
    if clearing is None:
        return f"there is no history of {request_id}"
    return f"the history of {request_id} was {clearing_text(clearing)}"


def tell_no_history(queries: "HistoryQueries", person: "Person", request_id: str, command: str) -> None:
    """On stderr why there is nothing of a request; where the id is a run's, its steps, of which `command` takes ids."""
    clearing = person.if_seen(queries.clearing(request_id))
    steps = [] if clearing is not None else steps_of(queries, person, request_id)
    if not steps:
        say(no_history_text(request_id, clearing))
        return
    say(f"{request_id} is no request but a run; its steps are requests:")
    for step, row in steps:
        say(f"  {step:<{max(map(len, Step))}}  {row['request_id']}  {row['state']}")
    _, last = steps[-1]
    say(f"say which one, such as: {command} {last['request_id']}")
    place = (last["district_id"], last["object"], last["filter"], last["school_year"])
    say(f"or see the run: {again(*same_records('run', *place), '--run-id', request_id)}")


def steps_of(queries: "HistoryQueries", person: "Person", run_id: str) -> list[tuple[Step, Row]]:
    """The steps of a linked run that have begun, as far as they may be seen; none where the id is no run's."""
    rows = [(step, person.if_seen(queries.request(step_id(run_id, step)))) for step in Step]
    return [(step, row) for step, row in rows if row is not None]


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
