"""Judges the topics: are they there, and do they keep what the service needs for as long as it needs it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from processor.service.doctor.facts import Declared, Kafka, Topic
from processor.service.doctor.findings import Check, Finding, error, warning

_DAY_S = 86_400.0
_POLICY = "cleanup.policy"
_CREATE = "resync topics create"


@dataclass(frozen=True, slots=True)
class Needs:
    """`least_s` by topic: how long a record must be kept, and why. `tombstones`: topics whose tombstones are read."""

    least_s: Mapping[str, tuple[float, str]]
    history: str
    tombstones: tuple[str, ...]
    dead_letters: str
    transaction_timeout_s: float
    session_timeout_s: float


def judge_topics(kafka: Kafka, declared: Sequence[Declared], needs: Needs) -> Iterator[Finding]:
    yield from _counts(kafka, declared, needs.history)
    for spec in declared:
        topic = kafka.topics.get(spec.name)
        if spec.name in kafka.unseen:
            continue
        if topic is None:
            what = "the topic does not exist"
            yield error(Check.TOPICS, spec.name, what, "make what is missing; what exists is left as it is", _CREATE)
            continue
        if topic.config:
            yield from _cleanup(kafka, spec, topic)
            yield from _retention(kafka, spec, topic, needs)
        yield from _replication(kafka, spec.name, topic)
    yield from _largest(kafka, declared, needs.dead_letters)
    yield from _limits(kafka, needs)
    if kafka.unseen or kafka.hidden:
        yield warning(
            Check.REACH,
            "Kafka",
            f"this account may not see {', '.join((*sorted(kafka.unseen), *kafka.hidden))}, so they were not judged",
            "have the doctor use an account with DESCRIBE and DESCRIBE_CONFIGS on topics, groups and the cluster",
        )


def _counts(kafka: Kafka, declared: Sequence[Declared], history: str) -> Iterator[Finding]:
    lanes = {s.name: kafka.topics[s.name].partitions for s in declared if s.same_count and s.name in kafka.topics}
    most = max(lanes.values(), default=0)
    for name, count in lanes.items():
        if count < most:
            yield error(
                Check.PARTITIONS,
                name,
                f"has {count} partitions, another topic that is keyed by district has {most}: no process could own a"
                " district in all of them",
                "stop the roles once nothing is open, then add the partitions; a request that is repeated within 24 h"
                " of it may be done twice, which is harmless",
                f"kafka-topics.sh --bootstrap-server {kafka.servers} --alter --topic {name} --partitions {most}",
            )
    asked = next((spec.partitions for spec in declared if spec.same_count), most)
    if lanes and asked != most:
        yield _another_count("Kafka", f"topics keyed by district have {most}", "RESYNC_PARTITIONS", asked, most)
    for spec in declared:
        topic = kafka.topics.get(spec.name)
        if topic is None or spec.same_count or topic.partitions == spec.partitions:
            continue
        if spec.name == history:
            setting = "RESYNC_HISTORY_PARTITIONS"
            yield _another_count(spec.name, f"has {topic.partitions}", setting, spec.partitions, topic.partitions)
        else:
            yield warning(
                Check.PARTITIONS,
                spec.name,
                f"has {topic.partitions} partitions, one is enough",
                "nothing need be done; to have one, make the topic anew while it is empty",
            )


def _another_count(where: str, what: str, setting: str, asked: int, found: int) -> Finding:
    return warning(
        Check.PARTITIONS,
        where,
        f"{what} partitions, {setting} says {asked}: a topic made later would differ",
        "set it to what there is",
        f"export {setting}={found}",
    )


def _cleanup(kafka: Kafka, spec: Declared, topic: Topic) -> Iterator[Finding]:
    is_now, must_be = topic.config.get(_POLICY, ""), spec.config.get(_POLICY, "")
    if must_be and set(is_now.split(",")) != set(must_be.split(",")):
        yield error(
            Check.CLEANUP,
            spec.name,
            f"{_POLICY} is {is_now}, it must be {must_be}",
            "set it",
            _alter(kafka, spec.name, f"'{_POLICY}=[{must_be}]'" if "," in must_be else f"{_POLICY}={must_be}"),
        )


def _retention(kafka: Kafka, spec: Declared, topic: Topic, needs: Needs) -> Iterator[Finding]:
    if "delete" in spec.config.get(_POLICY, ""):
        kept_ms = int(topic.config.get("retention.ms", "-1"))
        least_s, why = needs.least_s.get(spec.name, (0.0, ""))
        mend = _alter(kafka, spec.name, f"retention.ms={spec.config['retention.ms']}")
        if 0 <= kept_ms < least_s * 1000:
            yield error(
                Check.RETENTION,
                spec.name,
                f"keeps records for {_time(kept_ms / 1000)}, less than the {_time(least_s)} of {why}",
                "keep them for longer",
                mend,
            )
        elif 0 <= kept_ms < _DAY_S * 1000 and spec.name in needs.least_s:
            yield warning(
                Check.RETENTION,
                spec.name,
                f"keeps records for {_time(kept_ms / 1000)}: roles that stand still for longer lose some",
                "keep them for longer than an outage over a weekend",
                mend,
            )
        if int(topic.config.get("retention.bytes", "-1")) >= 0:
            yield warning(
                Check.RETENTION,
                spec.name,
                "retention.bytes is set: under load records go before their time",
                "let time alone decide",
                _alter(kafka, spec.name, "retention.bytes=-1"),
            )
    elif spec.name in needs.tombstones and int(topic.config.get("delete.retention.ms", "0")) < _DAY_S * 1000:
        yield warning(
            Check.RETENTION,
            spec.name,
            f"keeps tombstones for {_time(int(topic.config.get('delete.retention.ms', '0')) / 1000)}: a store that was"
            " away for longer rebuilds its tables, and other readers miss what was cleared",
            "keep them for a day at least",
            _alter(kafka, spec.name, f"delete.retention.ms={int(_DAY_S * 1000)}"),
        )


def _replication(kafka: Kafka, name: str, topic: Topic) -> Iterator[Finding]:
    least = int(topic.config.get("min.insync.replicas", "0"))
    if topic.leaderless:
        yield error(
            Check.REPLICATION,
            name,
            f"{topic.leaderless} partitions have no leader, so nobody can read or write them",
            "bring back the brokers that have them",
            f"kafka-topics.sh --bootstrap-server {kafka.servers} --describe --unavailable-partitions --topic {name}",
        )
    elif topic.in_sync < least:
        fewer = max(1, topic.replicas - 1)
        yield error(
            Check.REPLICATION,
            name,
            f"a partition has {topic.in_sync} replicas in sync, min.insync.replicas is {least}: nothing can be written",
            "bring back the brokers that are away"
            if topic.replicas >= least
            else "ask for no more replicas than there are",
            None if topic.replicas >= least else _alter(kafka, name, f"min.insync.replicas={fewer}"),
        )
    elif topic.in_sync < topic.replicas:
        yield warning(
            Check.REPLICATION,
            name,
            f"a partition has {topic.in_sync} of {topic.replicas} replicas in sync",
            "look for the broker that is away or slow",
            f"kafka-topics.sh --bootstrap-server {kafka.servers} --describe --under-replicated-partitions"
            f" --topic {name}",
        )
    if topic.replicas == 1 and kafka.brokers > 1:
        yield warning(
            Check.REPLICATION,
            name,
            f"is on one of {kafka.brokers} brokers: with its disk, what it holds is lost",
            f"have {min(3, kafka.brokers)} replicas of each partition, by kafka-reassign-partitions.sh",
        )
    elif topic.replicas > 1 and least == 1:
        yield warning(
            Check.REPLICATION,
            name,
            "min.insync.replicas is 1: what one broker alone has acknowledged is lost with it",
            "have two acknowledge",
            _alter(kafka, name, "min.insync.replicas=2"),
        )
    elif 1 < topic.replicas == least:
        yield warning(
            Check.REPLICATION,
            name,
            f"min.insync.replicas is {least}, as many as there are replicas: one broker away stops all writing",
            "allow one to be away",
            _alter(kafka, name, f"min.insync.replicas={least - 1}"),
        )
    if topic.replicas > 1 and topic.config.get("unclean.leader.election.enable") == "true":
        yield warning(
            Check.REPLICATION,
            name,
            "unclean.leader.election.enable is true: a replica that lags may become leader, and records are lost",
            "let the partition wait instead",
            _alter(kafka, name, "unclean.leader.election.enable=false"),
        )


def _largest(kafka: Kafka, declared: Sequence[Declared], dead_letters: str) -> Iterator[Finding]:
    """A dead letter is a record with headers added."""
    sizes = {
        spec.name: int(kafka.topics[spec.name].config["max.message.bytes"])
        for spec in declared
        if spec.name in kafka.topics and "max.message.bytes" in kafka.topics[spec.name].config
    }
    largest = max((size for name, size in sizes.items() if name != dead_letters), default=0)
    if dead_letters in sizes and sizes[dead_letters] <= largest:
        yield warning(
            Check.LIMITS,
            dead_letters,
            f"max.message.bytes is {sizes[dead_letters]}, no more than that of a topic whose bad records it must take",
            "leave room for the headers",
            _alter(kafka, dead_letters, f"max.message.bytes={largest + 1024 * 1024}"),
        )


def _limits(kafka: Kafka, needs: Needs) -> Iterator[Finding]:
    for option, wanted_s, setting in (
        ("transaction.max.timeout.ms", needs.transaction_timeout_s, "RESYNC_TRANSACTION_TIMEOUT_S"),
        ("group.max.session.timeout.ms", needs.session_timeout_s, "RESYNC_SESSION_TIMEOUT_S"),
    ):
        most = kafka.limits.get(option)
        if most is not None and int(most) < wanted_s * 1000:
            yield error(
                Check.LIMITS,
                "Kafka",
                f"the broker's {option} is {most}, {setting} asks for {wanted_s * 1000:.0f} ms: no role can start",
                "ask for less",
                f"export {setting}={int(most) / 1000:g}",
            )
    least = kafka.limits.get("group.min.session.timeout.ms")
    if least is not None and int(least) > needs.session_timeout_s * 1000:
        yield error(
            Check.LIMITS,
            "Kafka",
            f"the broker's group.min.session.timeout.ms is {least}, RESYNC_SESSION_TIMEOUT_S asks for less: no role"
            " can start",
            "ask for more",
            f"export RESYNC_SESSION_TIMEOUT_S={int(least) / 1000:g}",
        )


def _alter(kafka: Kafka, topic: str, option: str) -> str:
    return (
        f"kafka-configs.sh --bootstrap-server {kafka.servers} --alter --entity-type topics --entity-name {topic}"
        f" --add-config {option}"
    )


def _time(seconds: float) -> str:
    for unit, length in (("days", _DAY_S), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:g} {unit}" if seconds % length == 0 else f"{seconds / length:.1f} {unit}"
    return f"{seconds:g} s"
