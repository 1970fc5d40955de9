"""Requests on their way: published, told by their ids, and followed to their ends where somebody waits."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from processor.cli.again import command
from processor.cli.output import Output, print_csv, print_json, print_line, print_ndjson, say
from processor.cli.person import Person
from processor.core.counted import counted
from processor.core.request import Keys, Mode, Request

if TYPE_CHECKING:
    from processor.core.catalog import Catalog
    from processor.settings import Settings


def warn_of_doubts(request: Request, catalog: "Catalog | None") -> None:
    """Of what the processor will refuse. It alone decides: its catalog may be another than the one here."""
    from processor.service.submit import doubts

    if catalog is not None:
        for doubt in doubts(request, catalog):
            say(f"warning: {doubt}")


def send(settings: "Settings", requests: Sequence[Request], output: Output) -> None:
    """Without any nothing is connected to."""
    if requests:
        publish(settings, requests)
        _tell_run(requests)
    _print_ids(output, requests)


def send_and_wait(
    settings: "Settings",
    person: Person,
    requests: Sequence[Request],
    output: Output,
    *,
    timeout_s: float,
    may_be_known: bool,
) -> None:
    """Everything needed for waiting is made ready first, so that what can be refused is refused before sending.

    An id that another district's request had before is followed as this one's alone.
    """
    from processor.adapters.kafka.history_follow import TopicFollower
    from processor.cli.following import await_end, exit_with, open_follower, result_document, tell_result
    from processor.service.seen import SeenFollower

    if not requests:
        _print_ids(output, requests)
        return

    def is_of_this(district_id: str, object_name: str) -> bool:
        return district_id == requests[0].district_id and person.may_see(district_id, object_name)

    request_ids = [request.request_id for request in requests]
    with ExitStack() as closing:
        follower = open_follower(settings, request_ids, closing, person.seen())
        if not isinstance(follower, TopicFollower):
            follower.standings(0)
        elif not may_be_known:
            follower.from_now()
        publish(settings, requests)
        _tell_run(requests)
        if output is Output.TABLE:
            _print_ids(output, requests)
        again = command("resync", "watch", *request_ids)
        results = await_end(SeenFollower(follower, is_of_this), request_ids, timeout_s, again)
    if output is Output.TABLE:
        for result in results:
            tell_result(result, stderr=True)
    else:
        _print_ids(output, requests, {result.request_id: result_document(result) for result in results})
    exit_with(results)


def publish(settings: "Settings", requests: Sequence[Request]) -> None:
    from processor.cli import parts

    parts.open_publisher(settings, parts.open_codec(settings)).publish(list(requests))


def _tell_run(requests: Sequence[Request]) -> None:
    if len(requests) > 1:
        keys = counted(sum(_count(request) or 0 for request in requests), "key")
        say(f"{keys} in {len(requests)} requests with run id {requests[0].run_id}")
        if requests[0].mode is not Mode.VERIFY:
            say("limits of the catalog hold for each of these requests, not for all together: --all is planned as one")


def _print_ids(
    output: Output, requests: Sequence[Request], results: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    ended = results or {}
    rows = [{"request_id": r.request_id, "keys": _count(r), "result": ended.get(r.request_id)} for r in requests]
    match output:
        case Output.TABLE:
            for request in requests:
                print_line(request.request_id)
        case Output.JSON:
            print_json({"run_id": requests[0].run_id if requests else None, "requests": rows})
        case Output.NDJSON:
            print_ndjson(rows)
        case Output.CSV:
            states = [{**row, "state": ended.get(str(row["request_id"]), {}).get("state")} for row in rows]
            print_csv(("request_id", "keys", "state"), states)


def _count(request: Request) -> int | None:
    """None where nobody has counted them yet."""
    return len(request.selection.keys) if isinstance(request.selection, Keys) else None
