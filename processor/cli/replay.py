"""`resync replay`: the store's tables from the history topic alone, to replace the live ones or to prove them equal."""

from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli.exits import ExitCode
from processor.cli.output import print_line, say
from processor.cli.progress import counting

if TYPE_CHECKING:
    from processor.service.replay import Verified


def replay(
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Change nothing; compare, and exit with 3 if anything differs.")
    ] = False,
) -> None:
    """Rebuild the store's tables from the history topic, while traffic runs, and swap them in."""
    from processor.bootstrap import run_replay, run_verify_replay
    from processor.logs import log_as_text
    from processor.service.client_ports import NotSetUp
    from processor.settings import load_settings

    log_as_text()
    given = load_settings()
    settings = given.model_copy(update={"kafka_options": {"log_level": 2, **given.kafka_options}})
    if not settings.history_dsn:
        raise NotSetUp("RESYNC_HISTORY_DSN is not set: it says where the store's tables are")
    if verify:
        with counting("records of the history topic") as progress:
            verified = run_verify_replay(settings, progress)
        _tell_verified(verified)
    else:
        with counting("records of the history topic") as progress:
            replayed = run_replay(settings, progress)
        print_line(f"rebuilt from {replayed.records} records")
        if replayed.skipped:
            say(f"warning: {replayed.skipped} records were no history and were passed over")


def _tell_verified(verified: "Verified") -> None:
    print_line(f"compared {verified.compared} rows with {verified.replayed.records} records")
    if verified.unjudged:
        say(f"{verified.unjudged} rows were changed meanwhile and could not be judged; run it again to judge them")
    if verified.first is not None:
        print_line(f"{verified.divergences} rows differ; the first: {verified.first}")
        raise typer.Exit(ExitCode.DIFFERENT)
