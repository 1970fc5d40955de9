"""Following requests from a terminal: progress while they run, the result and an exit code at their end."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import TYPE_CHECKING, Any

import typer

from processor.cli.again import command
from processor.cli.clearings import clearing_text
from processor.cli.exits import ExitCode
from processor.cli.output import Output, console, print_json, print_ndjson, print_rows, print_table, say
from processor.cli.planned import planned_document, tell_held, tell_planned
from processor.cli.progress import counting
from processor.cli.requests import count_text, document, shown_key
from processor.core.counted import counted
from processor.core.errors import RULES, Mender, Reason
from processor.core.history import RequestState, Status
from processor.service.follow import (
    ClearedResult,
    NotedOutcome,
    RequestResult,
    Standing,
    Verdict,
    follow,
    verdict,
)

if TYPE_CHECKING:
    from rich.console import Console

    from processor.adapters.postgres.history_filters import Seen
    from processor.cli.progress import Counting
    from processor.service.follow import Follower
    from processor.settings import Settings

_CODES = {
    Verdict.DONE: ExitCode.DONE,
    Verdict.FAILED: ExitCode.FAILED,
    Verdict.DIFFERENT: ExitCode.DIFFERENT,
}
_UNHEARD_S = 10.0
NOTHING_MATCHED = "nothing matched: there is no such record at either side"
_CSV = ("request_id", "district_id", "object", "state", "reason", "detail", "keys", "counts")


def open_follower(
    settings: "Settings", request_ids: Sequence[str], closing: ExitStack, seen: "Seen" = None
) -> "Follower":
    """By the store's tables where they are known, else by the history topic, from its beginning.

    `seen`: what is counted at the end. The topic tells counts of the whole request only.
    """
    from processor.cli import parts

    if settings.history_dsn:
        return parts.open_follower(closing.enter_context(parts.history_queries(settings)), request_ids, seen)
    return closing.enter_context(parts.topic_follower(settings, request_ids))


def await_end(
    follower: "Follower", request_ids: Sequence[str], timeout_s: float | None, sent_by: str | None = None
) -> list["Result"]:
    """Shows progress; ends the command with code 1 where the time runs out.

    `sent_by`: where the requests were sent by this command, the one that looks again; then their ids are right.
    """
    waiting = _Waiting(sent_by or f"resync watch {' '.join(request_ids)}", is_sent=sent_by is not None)
    try:
        with counting("keys") as count:
            has_ended = follow(follower, timeout_s, lambda standings: waiting.show(standings, count))
    except KeyboardInterrupt:
        say(f"Interrupted; {waiting.goes_on}")
        raise
    if not has_ended:
        say(f"Not ended after {timeout_s:g} s; {waiting.goes_on}")
        raise typer.Exit(ExitCode.FAILED)
    return list(follower.results())


class _Waiting:
    """What somebody who waits is told, each thing once. `again` is the command that looks again."""

    def __init__(self, again: str, *, is_sent: bool) -> None:
        self._again = again
        self._is_sent = is_sent
        self._is_unknown = True
        self._started = monotonic()
        self._is_told = False
        self._told_held: set[str] = set()

    def show(self, standings: Mapping[str, Standing], count: "Counting") -> None:
        listed = list(standings.values())
        self._is_unknown = any(s.state is None for s in listed)
        count(sum(s.settled for s in listed), sum(s.keys for s in listed), beside_the_bar(listed))
        if self._is_unknown and not self._is_told and monotonic() - self._started > _UNHEARD_S:
            self._is_told = True
            doubt = "" if self._is_sent else "is the id right? "
            say(f"nothing of it for {_UNHEARD_S:.0f} s: {doubt}do `resync process` and `resync store` run?")
        for request_id, standing in standings.items():
            if standing.state is RequestState.HELD and request_id not in self._told_held:
                self._told_held.add(request_id)
                tell_held(request_id, standing.detail)
                if standing.planned is not None:
                    tell_planned(planned_document(standing.planned), stderr=True)

    @property
    def goes_on(self) -> str:
        if self._is_sent:
            return f"what was asked for was sent and goes on without you; look again with: {self._again}"
        if self._is_unknown:
            return (
                "nothing is known of it: the id may be mistyped, or it is not taken on yet. "
                f"Look again with: {self._again}"
            )
        return f"the request goes on without you; see it again with: {self._again}"


def beside_the_bar(standings: Sequence[Standing]) -> str:
    """Why nothing moves, where that is known."""
    if any(standing.state is RequestState.HELD for standing in standings):
        return "held"
    again = sum(standing.looked_at_again for standing in standings)
    return f"looking again at {counted(again, 'key')}" if again else ""


Result = RequestResult | ClearedResult


def exit_with(results: Iterable["Result"]) -> None:
    code = _CODES[verdict(results)]
    if code is not ExitCode.DONE:
        raise typer.Exit(code)


def print_results(output: Output, results: Sequence["Result"]) -> None:
    """On stdout."""
    documents = [result_document(result) for result in results]
    match output:
        case Output.TABLE:
            for result in results:
                tell_result(result, stderr=False)
        case Output.JSON:
            print_json({"requests": documents})
        case Output.NDJSON:
            print_ndjson(documents)
        case Output.CSV:
            print_rows(output, _CSV, [{**d, "counts": [count_text(c) for c in d["counts"]]} for d in documents])


def result_document(result: "Result") -> dict[str, Any]:
    """As `result` in `schemas/cli/common.json` says."""
    if isinstance(result, ClearedResult):
        empty: dict[str, Any] = dict.fromkeys(("district_id", "object", "reason", "detail", "keys"))
        who = document({"cleared_by": result.cleared_by, "cleared_at": result.cleared_at})
        return {"request_id": result.request_id, **empty, "state": "CLEARED", "counts": [], "outcomes": [], **who}
    return {
        "request_id": result.request_id,
        "district_id": result.district_id,
        "object": result.object,
        "state": result.state,
        "reason": result.reason,
        "detail": result.detail,
        "keys": result.keys,
        "counts": [{"status": c.status, "reason": c.reason, "keys": c.keys} for c in result.counts],
        "outcomes": [_outcome_document(outcome) for outcome in result.noted],
        "cleared_by": None,
        "cleared_at": None,
    }


def tell_result(result: "Result", *, stderr: bool) -> None:
    """For people: the state, counts, some outcomes, and of each reason what it means and who mends it."""
    out = console(stderr=stderr)
    if isinstance(result, ClearedResult):
        who = clearing_text({"cleared_by": result.cleared_by or "someone", "cleared_at": result.cleared_at})
        out.print(f"{result.request_id}: its history was {who}")
        return
    keys = counted(result.keys, "key")
    out.print(f"{result.request_id}: {result.state}, {keys} of {result.object} of {result.district_id}")
    if result.reason is not None:
        out.print(f"  {result.detail or ''}\n  {explain(result.reason)}")
    if result.counts:
        rows = [{"status": c.status, "reason": c.reason, "keys": c.keys} for c in result.counts]
        print_table(("status", "reason", "keys"), rows, stderr=stderr)
    elif result.state is RequestState.COMPLETE:
        out.print(NOTHING_MATCHED)
    if result.noted:
        columns = ("object", "key", "status", "reason", "detail", "changed_fields", "parent")
        out.print()
        print_table(columns, [_outcome_row(o) for o in result.noted], stderr=stderr)
        _tell_more(result, out)
    for reason in sorted({o.reason for o in result.noted if o.reason is not None}):
        out.print(explain(reason))
    if any(c.status == Status.FAILED and c.reason == Reason.PARENT_MISSING for c in result.counts):
        again = command("resync", "submit", "--from-request", result.request_id, "--dependencies", "parents")
        out.print(f"Parents that the district has are sent along with --dependencies parents: {again}")
        out.print(f"What mends each failure: resync show {result.request_id}")


def _tell_more(result: RequestResult, out: "Console") -> None:
    """How many keys a report lists besides those above, and how many no report does."""
    in_sync = sum(c.keys for c in result.counts if c.status == Status.IN_SYNC)
    only_counted = min(result.only_counted, in_sync)
    listed = sum(c.keys for c in result.counts) - only_counted
    if listed > len(result.noted):
        more = listed - len(result.noted)
        out.print(f"… {more} more of {listed} that are listed by: resync report {result.request_id}")
    if only_counted:
        out.print(f"{counted(only_counted, 'key')} IN_SYNC: only counted, not listed")


def explain(reason: Reason) -> str:
    rule = RULES[reason]
    mender = "" if rule.mender is Mender.NOBODY else f" (can be mended by: {rule.mender})"
    return f"{reason}: {rule.meaning}{mender}"


def _outcome_row(outcome: NotedOutcome) -> dict[str, Any]:
    document = _outcome_document(outcome)
    parent = f"{outcome.parent.object} {outcome.parent.key}" if outcome.parent else None
    return {**document, "key": shown_key(document), "parent": parent}


def _outcome_document(outcome: NotedOutcome) -> dict[str, Any]:
    return {
        "object": outcome.object,
        "key": outcome.key,
        "asked_as": outcome.asked_as,
        "status": outcome.status,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "changed_fields": list(outcome.changed_fields),
        "parent": {"object": outcome.parent.object, "key": outcome.parent.key} if outcome.parent else None,
    }
