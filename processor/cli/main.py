"""The console script `resync`: finds the command, and turns faults into one line and an exit code.

A command's module is imported when the command is run, so that `resync --help` answers at once.
"""

import atexit
import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from processor.cli.exits import ending_of
from processor.logs import quiet_clients

if TYPE_CHECKING:
    # typer 0.20 and later bring click along under this name.
    from typer._click import Command, Context


class Entry(NamedTuple):
    """Where a command is; `name` in the module is its function, or a Typer of several."""

    module: str
    name: str
    help: str


COMMANDS = {
    "submit": Entry("submit", "submit", "Ask for records to be made equal at the state."),
    "verify": Entry("verify", "verify", "Compare all records of an object; change nothing."),
    "run": Entry("run", "run", "Verify, resync what differs, verify again."),
    "watch": Entry("watch", "watch", "Follow requests to their end."),
    "history": Entry("history", "history", "List requests, newest first."),
    "show": Entry("show", "show", "Show one request and how it stands."),
    "report": Entry("report", "report", "List what became of every key of a request."),
    "record": Entry("record", "record", "Show all that the history knows of one record."),
    "find": Entry("find", "find", "List records that a filter matches, by name."),
    "clear": Entry("clear", "clear", "Clear the history of requests, for good."),
    "release": Entry("release", "release", "Release a held request, or reject it."),
    "cancel": Entry("cancel", "cancel", "Stop a request that is under way."),
    "topics": Entry("topics", "app", "Create or check the topics."),
    "doctor": Entry("doctor", "doctor", "Look at everything that the service needs, and say how to mend it."),
    "policy": Entry("policy", "app", "Check who may ask for what; draw a token."),
    "replay": Entry("replay", "replay", "Rebuild the store's tables from the topic, or verify them."),
    "process": Entry("roles", "process", "Role: compare, decide, send corrections."),
    "apply": Entry("roles", "apply", "Role: apply corrections at the state."),
    "store": Entry("roles", "store", "Role: keep the history in Postgres."),
    "monitor": Entry("roles", "monitor", "Role: watch the other roles from outside, for metrics."),
}
ROLES = frozenset({"process", "apply", "store", "monitor"})
YOUNG_OBJECTS = 50_000
"""What a command's imports make is there to stay: the collector of cycles is not to walk through it again and again."""


class Commands(TyperGroup):
    """Knows the names and a line about each; loads a command only to run it."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 (typer's)
        super().__init__(**attributes)
        stubs = {name: TyperCommand(name, help=entry.help, rich_markup_mode=None) for name, entry in COMMANDS.items()}
        self.commands.update(stubs)

    def resolve_command(self, ctx: "Context", args: list[str]) -> "tuple[str | None, Command | None, list[str]]":
        entry = COMMANDS.get(args[0])
        if entry is None:
            return super().resolve_command(ctx, args)
        return args[0], _load(args[0], entry), args[1:]

    def invoke(self, ctx: "Context") -> Any:  # noqa: ANN401 (typer's)
        try:
            return super().invoke(ctx)
        except typer.BadParameter as fault:
            fault.message = _in_words(fault.message, getattr(fault.param, "metavar", None))
            raise


def _in_words(message: str, metavar: str | None) -> str:
    """Without the name of a class; choices as everything prints them, unless the help spells them by itself."""
    told = message.removeprefix("Value error, ")
    given, is_choice, choices = told.rpartition(" is not one of ")
    if metavar is None or not metavar.isupper():
        return told
    return f"{given}{is_choice}{choices.upper()}" if is_choice else told


def _load(name: str, entry: Entry) -> "Command":
    found = getattr(import_module(f"processor.cli.{entry.module}"), entry.name)
    if isinstance(found, typer.Typer):
        return get_command(found)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(found)
    return get_command(app)


app = typer.Typer(cls=Commands, add_completion=False, rich_markup_mode=None, no_args_is_help=True)


def _version(wanted: bool) -> None:  # noqa: FBT001 (typer calls it with the flag)
    if wanted:
        from importlib.metadata import version

        typer.echo(f"resync {version('selective-sync')}")
        raise typer.Exit


@app.callback()
def resync(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Selective Sync: repairs exactly the records that someone names, and tells what became of each.

    Settings come from the environment (RESYNC_…). Exit codes: 0 all synced or not found, 1 something failed or timed
    out, 2 usage or configuration, 3 differences found, 4 service unreachable.
    """


def _open_streams() -> None:
    """A standard stream that was closed (`<&-`) is an empty one; else its descriptor would become a socket's."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (open until the process ends)


def main() -> None:
    _open_streams()
    is_role = sys.argv[1:2] and sys.argv[1] in ROLES
    if not is_role:
        quiet_clients()
        gc.set_threshold(YOUNG_OBJECTS, 20, 20)
        # Nor at the end, where that takes longer than many a command (ADR 0241).
        atexit.register(gc.freeze)
    try:
        get_command(app)(prog_name="resync")
    except Exception as fault:
        ending = ending_of(fault)
        if is_role:
            import structlog

            structlog.get_logger("resync").critical(ending.text, exc_info=None if ending.is_known else fault)
            # At once: a Kafka client that is stuck would keep an orderly end waiting for ever.
            sys.stderr.flush()
            os._exit(ending.code)
        elif os.environ.get("RESYNC_TRACE"):
            raise
        else:
            sys.stderr.write(f"resync: {ending.text}\n")
        sys.exit(ending.code)
