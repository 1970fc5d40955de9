"""`resync replay`: the history topic read again, to rebuild the store's tables, to prove them right, or into a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli.exits import ExitCode, UsageError
from processor.cli.export import ExportForm
from processor.cli.output import print_line, say
from processor.cli.progress import counting
from processor.cli.requests import moment
from processor.core.counted import counted

if TYPE_CHECKING:
    from processor.service.verify_replay import Verified


def replay(
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Change nothing; compare, and exit with 3 if anything differs.")
    ] = False,
    export: Annotated[
        bool, typer.Option("--export", help="Change nothing; write the topic's records out. Needs no database.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="With --export: only what came since; 2h, 2026-09-01 (UTC)."),
    ] = None,
    district: Annotated[
        str | None, typer.Option("--district", "-d", help="With --export: only records of this district.")
    ] = None,
    form: Annotated[
        ExportForm | None, typer.Option("--format", help="With --export: ndjson where not given.", show_default=False)
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --export: a file instead of stdout.", dir_okay=False)
    ] = None,
) -> None:
    """Rebuild the store's tables from the history topic, while traffic runs, and swap them in.

    Or, with --verify, compare them with the topic; or, with --export, write the topic's committed records out up to
    where it ended when this began. Where a policy is set, rebuilding needs the right D and comparing the right R, both
    for everything; what is written out is what the right R covers.
    """
    if not export and any(one is not None for one in (since, district, form, to)):
        raise UsageError("--from, --district, --format and --to go with --export")
    if export and verify:
        raise UsageError("--export and --verify do not go together")
    if export:
        _export(since, district, form or ExportForm.NDJSON, to)
    else:
        _rebuild(verify=verify)


def _export(since: str | None, district: str | None, form: ExportForm, to: Path | None) -> None:
    from processor.cli.export import export_topic
    from processor.cli.person import identified
    from processor.service.export import Wanted
    from processor.settings import load_settings

    since_time = None if since is None else moment("--from", since, datetime.now(UTC))
    settings = load_settings()
    person = identified(settings)
    may_see = None if person.seen(district) is None else person.may_see
    export_topic(settings, Wanted(since_time, district, may_see), form, to)


def _rebuild(*, verify: bool) -> None:
    from processor.bootstrap.replay import run_replay, run_verify_replay
    from processor.cli.person import identified
    from processor.core.policy import Right
    from processor.logs import log_as_text
    from processor.service.client_ports import NotSetUp
    from processor.settings import load_settings

    log_as_text()
    given = load_settings()
    person = identified(given)
    if verify:
        person.check_everywhere(Right.SEE, "compare all of the history with the topic")
    else:
        person.check_everywhere(Right.CLEAR, "rebuild the history, which drops whatever the topic no longer has")
    settings = given.model_copy(update={"kafka_options": {"log_level": 2, **given.kafka_options}})
    if not settings.history_dsn:
        raise NotSetUp("RESYNC_HISTORY_DSN is not set: it says where the store's tables are")
    if verify:
        with counting("records of the history topic") as progress:
            verified = run_verify_replay(settings, progress)
        tell_verified(verified)
    else:
        with counting("records of the history topic") as progress:
            replayed = run_replay(settings, progress)
        print_line(f"rebuilt from {counted(replayed.records, 'record')}")
        if replayed.skipped:
            skipped = counted(replayed.skipped, "record was", "records were")
            say(f"warning: {skipped} no history and passed over")


def tell_verified(verified: "Verified") -> None:
    records = counted(verified.replayed.records, "record")
    if verified.first is not None:
        verdict = ""
    else:
        verdict = ": what could be judged agrees" if verified.unjudged else ": they agree"
    print_line(f"compared {counted(verified.compared, 'row')} with {records}{verdict}")
    if verified.unjudged:
        changed = counted(verified.unjudged, "row was", "rows were")
        say(f"{changed} changed meanwhile and could not be judged; run it again to judge that")
    if verified.first is not None:
        print_line(f"{counted(verified.divergences, 'row differs', 'rows differ')}; the first: {verified.first}")
        raise typer.Exit(ExitCode.DIFFERENT)
