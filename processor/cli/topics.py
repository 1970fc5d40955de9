"""`resync topics`: create what the service needs, or check it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from processor.cli.exits import ExitCode, UsageError
from processor.cli.output import Output, print_json, print_rows, say
from processor.core.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.adapters.kafka.acl_list import Acl
    from processor.adapters.kafka.acls import AclStates
    from processor.adapters.kafka.topics import TopicState
    from processor.core.policy import Policy
    from processor.settings import Settings

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
    declared = _declared(settings)
    states = parts.open_topics(settings).create(topic_specs(settings, *declared), settings.replication_factor)
    subjects = parts.register_schemas(settings, *declared)
    migrations = parts.migrate_history(settings) if settings.history_dsn else None
    document = {
        "topics": [_row(state) for state in states],
        "subjects": list(subjects),
        "migrations": migrations,
        "faults": faults(states),
    }
    _print(output, document, states)
    if settings.registry_url:
        say(f"schema registry: {counted(len(subjects), 'subject holds', 'subjects hold')} this release's schemas")
    else:
        say("schema registry: none is set (RESYNC_REGISTRY_URL); records name their schemas by fingerprint")
    if migrations is None:
        say("history tables: not made, RESYNC_HISTORY_DSN is not set")
    else:
        ran = counted(migrations, "migration") + " ran"
        say(f"history tables: {ran if migrations else 'as they should be'}")


@app.command("check")
def check(output: OutputOption = Output.TABLE) -> None:
    """Compare the topics with what the service needs; exit code 1 if it cannot work with them."""
    from processor.adapters.kafka.topics import faults, topic_specs
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    states = parts.open_topics(settings).inspect(topic_specs(settings, *_declared(settings)))
    document = {"topics": [_row(state) for state in states], "faults": faults(states)}
    _print(output, document, states)


@app.command("acls")
def acls(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Create those that are missing; none is taken away.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Print the broker's ACLs that make the policy true, and whether they exist; exit code 1 if it is not true.

    Whoever else may write to a topic of the service is named: such a writer goes round the policy.
    """
    from processor.adapters.kafka.acl_list import wanted_acls, written_topics
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    policy = parts.open_policy(settings)
    if policy is None:
        raise UsageError("RESYNC_POLICY is not set: it names the file that says who may write to which topic")
    wanted = wanted_acls(policy, settings)
    admin = parts.open_acls(settings)
    found = admin.inspect(wanted, written_topics(policy, settings))
    missing = [acl for acl in wanted if found.existing is not None and acl not in found.existing]
    if apply:
        admin.create(missing)
    faults = _acl_faults(policy, found, [] if apply else missing)
    rows = [_acl_row(acl, found, apply=apply) for acl in wanted]
    if output is Output.JSON:
        print_json({"acls": rows, "faults": faults})
    else:
        print_rows(output, ("principal", "resource", "name", "pattern", "operation", "state"), rows)
    for fault in faults:
        say(f"fault: {fault}")
    if faults:
        raise typer.Exit(ExitCode.FAILED)


def _acl_row(acl: "Acl", found: "AclStates", *, apply: bool) -> dict[str, Any]:
    if found.existing is None:
        state = "unknown"
    elif acl in found.existing:
        state = "exists"
    else:
        state = "created" if apply else "missing"
    return {
        "principal": acl.principal,
        "resource": acl.resource,
        "name": acl.name,
        "pattern": acl.pattern,
        "operation": acl.operation,
        "state": state,
    }


def _acl_faults(policy: "Policy", found: "AclStates", missing: "Sequence[Acl]") -> list[str]:
    faults = []
    if found.existing is None:
        faults.append("the broker has no authorizer, so everybody may write to every topic")
    if missing:
        faults.append(f"{counted(len(missing), 'ACL is', 'ACLs are')} missing: run `resync topics acls --apply`")
    services = policy.services
    if not (services.process and services.apply and services.store):
        faults.append("the policy does not name the Kafka principals of all roles (services: process, apply, store)")
    return faults + [
        f"{stranger.principal} may write to {stranger.topic}, which the policy does not say: remove the ACL, or name it"
        for stranger in found.strangers
    ]


def _declared(settings: "Settings") -> "tuple[list[str], list[str]]":
    """All request topics and all control topics, those that the policy declares among them."""
    from processor.cli import parts
    from processor.core.policy import control_topics, request_topics

    policy = parts.open_policy(settings)
    return request_topics(policy, settings.topics.requests), control_topics(policy, settings.topics.control)


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
