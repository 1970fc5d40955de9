"""What a linked run found, did and found again: for people, as a document, and as an exit code."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer

from processor.cli.exits import ExitCode
from processor.cli.following import NOTHING_MATCHED, exit_with, explain
from processor.cli.output import Output, print_csv, print_json, print_line, print_ndjson, print_table, say
from processor.cli.requests import count_text
from processor.cli.run_steps import RUNNING, RunTold, StepTold
from processor.cli.summary import NUMBERS, Summary, print_chosen
from processor.core.history import Count, RequestState
from processor.core.run import Step
from processor.service.follow import ENDED

_CSV = ("run_id", "step", "request_id", "state", "status", "reason", "keys")


def print_run(output: Output, told: RunTold) -> None:
    """On stdout."""
    match output:
        case Output.TABLE:
            _print_tables(told)
        case Output.JSON:
            print_json(run_document(told))
        case Output.NDJSON:
            print_ndjson([run_document(told)])
        case Output.CSV:
            print_csv(_CSV, _rows(told))


def run_document(told: RunTold) -> dict[str, Any]:
    """As `schemas/cli/run.json` says."""
    return {
        "run_id": told.run_id,
        "district_id": told.first.district_id,
        "object": told.first.object,
        "filter": told.first.where,
        "school_year": told.first.school_year,
        "state": told.state,
        "steps": [_step_document(step) for step in told.steps],
        "before": _numbers(told.before),
        "after": _numbers(told.after),
    }


def _step_document(told: StepTold) -> dict[str, Any]:
    result = told.result
    return {
        "step": told.step,
        "request_id": told.request_id,
        "state": told.state,
        "reason": None if result is None else result.reason,
        "detail": told.detail,
        "counts": [] if result is None else [_count(count) for count in result.counts],
    }


def _count(count: Count) -> dict[str, Any]:
    return {"status": count.status, "reason": count.reason, "keys": count.keys}


def _numbers(summary: Summary | None) -> dict[str, Any] | None:
    return None if summary is None else asdict(summary)


def _rows(told: RunTold) -> list[dict[str, Any]]:
    """A row a count; one without for a step that has none."""
    rows = []
    for step in told.steps:
        document = _step_document(step)
        of_step = {"run_id": told.run_id, **{name: document[name] for name in ("step", "request_id", "state")}}
        rows += [{**of_step, **count} for count in document["counts"]] or [of_step]
    return rows


def _print_tables(told: RunTold) -> None:
    print_line(f"{told.first.object} of {told.first.district_id}: {told.state} (run {told.run_id})")
    print_chosen(told.first.where, told.first.school_year)
    rows = [
        {"step": step.step, "request": step.request_id, "state": step.state, "counts": _counts(step)}
        for step in told.steps
    ]
    print_table(("step", "request", "state", "counts"), rows)
    before, after = told.before, told.after
    if before is None:
        return
    print_line("")
    columns = ("what", "before", "after") if after is not None else ("what", "before")
    print_table(columns, _beside(before, after))


def _counts(told: StepTold) -> Sequence[str]:
    return [count_text(_count(count)) for count in (told.result.counts if told.result is not None else ())]


def _beside(before: Summary, after: Summary | None) -> list[dict[str, Any]]:
    sides = [asdict(before), asdict(after) if after is not None else {}]
    rows = [{"what": words, "before": sides[0][name], "after": sides[1].get(name)} for name, words in NUMBERS.items()]
    fields = dict.fromkeys([*before.fields, *(after.fields if after is not None else ())])
    for name in fields:
        now = None if after is None else after.fields.get(name, 0)
        rows.append({"what": f"differing in {name}", "before": before.fields.get(name, 0), "after": now})
    return rows


def tell_run(told: RunTold) -> None:
    """On stderr: why it stands still, and what can be done."""
    last = told.steps[-1]
    again = told.again
    if last.state == RequestState.HELD:
        say(f"step {last.step} is held: {last.detail or 'it would change more than the catalog lets pass'}")
        release = f"resync release {last.request_id}"
        say(f"somebody else than who asked for it releases it with: {release}, or rejects it with: {release} --reject")
        say(f"what it would change: resync show {last.request_id}")
        say(f"once released the run goes on by itself; see it again with: {again}")
    elif last.state == RUNNING:
        say(f"the run goes on without you; see it again with: {again}")
    elif last.result is None:
        say(f"the history of step {last.step} was cleared")
    elif last.result.reason is not None:
        say(f"{last.detail or ''}\n{explain(last.result.reason)}")
    elif last.step is Step.VERIFY and last.state != RequestState.CANCELLED:
        is_empty = told.before is not None and told.before.is_empty
        say(NOTHING_MATCHED if is_empty else "nothing was found that a resync would mend")
    for step in told.steps:
        if step.step is Step.RESYNC and step.state == RequestState.COMPLETE_WITH_FAILURES:
            say(f"what failed, and what mends it: resync show {step.request_id}")


def exit_with_run(told: RunTold) -> None:
    """By what came of it last: what the first verification found is mended, or found again."""
    if told.state not in ENDED:
        raise typer.Exit(ExitCode.FAILED)
    results = [step.result for step in told.steps if step.result is not None]
    exit_with(results[1:] or results)
