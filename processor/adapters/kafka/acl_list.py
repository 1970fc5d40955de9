"""The ACLs that make a policy true at the broker: who alone may write to and read from which topic."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from processor.core.policy import Policy, control_topics, request_topics
from processor.settings import Settings


class Operation(StrEnum):
    """Kafka's; READ and WRITE imply DESCRIBE."""

    READ = "READ"
    WRITE = "WRITE"
    DESCRIBE = "DESCRIBE"
    DESCRIBE_CONFIGS = "DESCRIBE_CONFIGS"


class Resource(StrEnum):
    TOPIC = "TOPIC"
    GROUP = "GROUP"
    TRANSACTIONAL_ID = "TRANSACTIONAL_ID"


class Pattern(StrEnum):
    LITERAL = "LITERAL"
    PREFIXED = "PREFIXED"


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """Allows one operation from any host."""

    principal: str
    resource: Resource
    name: str
    operation: Operation
    pattern: Pattern = Pattern.LITERAL


def wanted_acls(policy: Policy, settings: Settings) -> list[Acl]:
    """In order, each once."""
    return sorted(
        {
            *_writers(policy),
            *_process(policy, settings),
            *_apply(policy, settings),
            *_store(policy, settings),
            *_monitor(policy, settings),
        }
    )


def written_topics(policy: Policy, settings: Settings) -> list[str]:
    """Topics that nobody may write to but those whom the policy names: whoever else can goes round it."""
    requests = request_topics(policy, settings.topics.requests)
    return list(dict.fromkeys([*requests, *control_topics(policy, settings.topics.control), *_own_topics(settings)]))


def _own_topics(settings: Settings) -> list[str]:
    return [topic for name, topic in settings.topics.model_dump().items() if name != "requests"]


def _writers(policy: Policy) -> Iterator[Acl]:
    declared = [(topic.name, topic.writers) for topic in policy.topics.values()]
    declared += [(topic.name, topic.writers) for topic in policy.control.values()]
    for name, writers in declared:
        for principal in writers:
            yield from _all(principal, [name], Operation.WRITE, Operation.DESCRIBE)


def _process(policy: Policy, settings: Settings) -> Iterator[Acl]:
    """It also writes what it reads: a record in a foreign partition is moved."""
    names = settings.topics
    requests = request_topics(policy, names.requests)
    moved = [*requests, names.chunks, names.retry, names.answers, names.accepted]
    for principal in policy.services.process:
        yield from _all(principal, moved, Operation.READ, Operation.WRITE)
        yield from _all(principal, [names.corrections, names.history, names.dead_letters], Operation.WRITE)
        yield from _looks(principal, [*requests, *_own_topics(settings)])
        yield from _transacts(principal, settings, "process")


def _apply(policy: Policy, settings: Settings) -> Iterator[Acl]:
    names = settings.topics
    for principal in policy.services.apply:
        yield from _all(principal, [names.corrections], Operation.READ, Operation.WRITE)
        yield from _all(principal, [names.answers, names.dead_letters], Operation.WRITE)
        yield from _looks(principal, [names.requests, *_own_topics(settings)])
        yield from _transacts(principal, settings, "apply")


def _store(policy: Policy, settings: Settings) -> Iterator[Acl]:
    names = settings.topics
    controls = control_topics(policy, names.control)
    for principal in policy.services.store:
        yield from _all(principal, [names.history], Operation.READ, Operation.WRITE)
        yield from _all(principal, controls, Operation.READ)
        yield from _all(principal, [names.retry, names.chunks], Operation.WRITE)
        yield from _looks(principal, [names.requests, *controls, *_own_topics(settings)])
        yield Acl(principal, Resource.GROUP, settings.group("store"), Operation.READ)
    for principal in policy.services.readers:
        yield from _all(principal, [names.history], Operation.READ, Operation.DESCRIBE)


def _monitor(policy: Policy, settings: Settings) -> Iterator[Acl]:
    """It reads the record at which a group stands, of any topic that a group reads, and joins none."""
    names = settings.topics
    requests = request_topics(policy, names.requests)
    read = [*requests, names.chunks, names.retry, names.answers, names.corrections, names.history]
    groups = settings.group("process"), settings.watched_applier_group, settings.group("store")
    for principal in policy.services.monitor:
        yield from _all(principal, read, Operation.READ)
        yield from _looks(principal, [*requests, *_own_topics(settings)])
        for group in groups:
            yield Acl(principal, Resource.GROUP, group, Operation.DESCRIBE)


def _all(principal: str, topics: Iterable[str], *operations: Operation) -> Iterator[Acl]:
    for topic in topics:
        for operation in operations:
            yield Acl(principal, Resource.TOPIC, topic, operation)


def _looks(principal: str, topics: Iterable[str]) -> Iterator[Acl]:
    """A role looks at its start whether all topics are as they should be."""
    yield from _all(principal, topics, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)


def _transacts(principal: str, settings: Settings, role: str) -> Iterator[Acl]:
    prefix = f"{settings.group(role)}-"
    yield Acl(principal, Resource.GROUP, settings.group(role), Operation.READ)
    for operation in (Operation.WRITE, Operation.DESCRIBE):
        yield Acl(principal, Resource.TRANSACTIONAL_ID, prefix, operation, Pattern.PREFIXED)
