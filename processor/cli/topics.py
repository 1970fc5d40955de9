"""`resync topics`: create what the service needs, or check it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from processor.cli.exits import ExitCode
from processor.cli.output import Output, print_json, print_rows, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.adapters.kafka.topics import TopicState

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Create or check the topics.")

OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")]


@app.command("create")
def create(output: OutputOption = Output.TABLE) -> None:
    """Create the topics that are missing, register the schemas, make the history tables.

    May be repeated: what exists is left as it is. Numbers of partitions are RESYNC_PARTITIONS and
    RESYNC_HISTORY_PARTITIONS and cannot be changed later.
    """
    from processor.adapters.kafka.topics import faults, topic_specs
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    states = parts.open_topics(settings).create(topic_specs(settings), settings.replication_factor)
    subjects = parts.register_schemas(settings)
    migrations = parts.migrate_history(settings) if settings.history_dsn else None
    document = {
        "topics": [_row(state) for state in states],
        "subjects": list(subjects),
        "migrations": migrations,
        "faults": faults(states),
    }
    _print(output, document, states)
    if settings.registry_url:
        say(f"schema registry: {len(subjects)} subjects hold this release's schemas")
    else:
        say("schema registry: none is set (RESYNC_REGISTRY_URL); records name their schemas by fingerprint")
    if migrations is None:
        say("history tables: not made, RESYNC_HISTORY_DSN is not set")
    else:
        say(f"history tables: {f'{migrations} migrations ran' if migrations else 'as they should be'}")


@app.command("check")
def check(output: OutputOption = Output.TABLE) -> None:
    """Compare the topics with what the service needs; exit code 1 if it cannot work with them."""
    from processor.adapters.kafka.topics import faults, topic_specs
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    states = parts.open_topics(settings).inspect(topic_specs(settings))
    document = {"topics": [_row(state) for state in states], "faults": faults(states)}
    _print(output, document, states)


def _print(output: Output, document: dict[str, Any], states: "Sequence[TopicState]") -> None:
    """Ends the command where the service cannot work with the topics."""
    if output is Output.JSON:
        print_json(document)
    else:
        columns = ("topic", "partitions", "state", "differs")
        print_rows(output, columns, [{**_row(state), "differs": _differences(state)} for state in states])
    for fault in document["faults"]:
        say(f"fault: {fault}")
    if document["faults"]:
        raise typer.Exit(ExitCode.FAILED)


def _row(state: "TopicState") -> dict[str, Any]:
    if state.created:
        found = "created"
    elif state.partitions is None:
        found = "missing"
    else:
        found = "differs" if state.differs else "exists"
    differs = {name: {"is": is_now, "should_be": wanted} for name, (is_now, wanted) in state.differs.items()}
    return {"topic": state.spec.name, "partitions": state.partitions, "state": found, "differs": differs}


def _differences(state: "TopicState") -> list[str]:
    return [f"{name} is {is_now}, settings say {wanted}" for name, (is_now, wanted) in state.differs.items()]
