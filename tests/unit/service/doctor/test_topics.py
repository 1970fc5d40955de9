from dataclasses import replace

import pytest

from processor.service.doctor.facts import Kafka, Topic
from processor.service.doctor.findings import Check, Finding, Level
from processor.service.doctor.topics import judge_topics
from tests.unit.service.doctor.seen import DAY_MS, NEEDS, SPECS, kafka, only, shape, spoiled, topic

CONFIGS = "kafka-configs.sh --bootstrap-server 127.0.0.1:9092 --alter --entity-type topics --entity-name"
ERROR, WARNING = Level.ERROR, Level.WARNING


def judged(seen: Kafka) -> list[Finding]:
    return list(judge_topics(seen, SPECS, NEEDS))


def without(seen: Kafka, name: str) -> Kafka:
    return replace(seen, topics={one: found for one, found in seen.topics.items() if one != name})


def replicated(replicas: int, in_sync: int, *, leaderless: int = 0, brokers: int = 3, **config: str) -> Kafka:
    """The history topic on several brokers."""
    found = topic(SPECS[4], **{"min.insync.replicas": "2", **{k.replace("_", "."): v for k, v in config.items()}})
    seen = kafka(brokers=brokers)
    others = {
        name: replace(one, replicas=3, in_sync=3, config={**one.config, "min.insync.replicas": "2"})
        for name, one in seen.topics.items()
    }
    spoilt = Topic(found.partitions, replicas, in_sync, leaderless, found.config)
    return replace(seen, topics={**others, "history": spoilt})


def test_what_is_well_is_left_at_peace() -> None:
    assert judged(kafka()) == []
    assert judged(replicated(3, 3)) == []


def test_a_missing_topic_is_made_by_our_own_command() -> None:
    found = only(judged(without(kafka(), "history")))
    assert (found.level, found.check, found.where) == (ERROR, Check.TOPICS, "history")
    assert found.command == "resync topics create"


def test_lanes_of_fewer_partitions_get_as_many_as_the_others() -> None:
    seen = kafka()
    fewer = replace(seen, topics={**seen.topics, "retry": replace(seen.topics["retry"], partitions=4)})
    found = only(judged(fewer))
    assert (found.level, found.check, found.where) == (ERROR, Check.PARTITIONS, "retry")
    assert found.command == "kafka-topics.sh --bootstrap-server 127.0.0.1:9092 --alter --topic retry --partitions 6"


@pytest.mark.parametrize(("name", "setting"), [("history", "RESYNC_HISTORY_PARTITIONS=9"), ("dead", None)])
def test_another_count_than_the_settings_say_is_a_warning(name: str, setting: str | None) -> None:
    seen = kafka()
    found = only(judged(replace(seen, topics={**seen.topics, name: replace(seen.topics[name], partitions=9)})))
    assert (found.level, found.check) == (WARNING, Check.PARTITIONS)
    assert found.command == (setting and f"export {setting}")


def test_more_lanes_than_the_settings_say_are_one_warning() -> None:
    seen = kafka()
    more = {name: replace(one, partitions=8) if one.partitions == 6 else one for name, one in seen.topics.items()}
    found = only(judged(replace(seen, topics=more)))
    assert (found.level, found.where, found.command) == (WARNING, "Kafka", "export RESYNC_PARTITIONS=8")


@pytest.mark.parametrize(
    ("name", "option", "value", "level", "check", "mend"),
    [
        ("history", "cleanup_policy", "delete", ERROR, Check.CLEANUP, "cleanup.policy=compact"),
        ("accepted", "cleanup_policy", "compact", ERROR, Check.CLEANUP, "'cleanup.policy=[compact,delete]'"),
        ("corrections", "retention_ms", "86399999", ERROR, Check.RETENTION, f"retention.ms={30 * DAY_MS}"),
        ("accepted", "retention_ms", "1000", ERROR, Check.RETENTION, f"retention.ms={2 * DAY_MS}"),
        ("retry", "retention_ms", "899999", ERROR, Check.RETENTION, f"retention.ms={30 * DAY_MS}"),
        ("retry", "retention_ms", "900000", WARNING, Check.RETENTION, f"retention.ms={30 * DAY_MS}"),
        ("requests", "retention_bytes", "1", WARNING, Check.RETENTION, "retention.bytes=-1"),
        ("history", "delete_retention_ms", "1", WARNING, Check.RETENTION, f"delete.retention.ms={DAY_MS}"),
        ("dead", "max_message_bytes", "1048588", WARNING, Check.LIMITS, "max.message.bytes=2097164"),
    ],
)
def test_an_option(name: str, option: str, value: str, level: Level, check: Check, mend: str) -> None:  # noqa: PLR0917
    found = only(judged(spoiled(name, **{option: value})))
    assert (found.level, found.check, found.where) == (level, check, name)
    assert found.command == f"{CONFIGS} {name} --add-config {mend}"


def test_what_is_kept_for_ever_or_long_enough_is_well() -> None:
    assert judged(spoiled("corrections", retention_ms="-1")) == []
    assert judged(spoiled("corrections", retention_ms=str(DAY_MS))) == []
    assert judged(spoiled("accepted", cleanup_policy="delete,compact")) == []


@pytest.mark.parametrize(
    ("seen", "level", "says", "mend"),
    [
        (replicated(3, 3, leaderless=2), ERROR, "2 partitions have no leader", "--unavailable-partitions"),
        (replicated(3, 1), ERROR, "nothing can be written", None),
        (replicated(1, 1, brokers=1), ERROR, "nothing can be written", "min.insync.replicas=1"),
        (replicated(3, 2), WARNING, "2 of 3 replicas in sync", "--under-replicated-partitions"),
        (replicated(3, 3, min_insync_replicas="1"), WARNING, "one broker alone", "min.insync.replicas=2"),
        (replicated(3, 3, min_insync_replicas="3"), WARNING, "stops all writing", "min.insync.replicas=2"),
        (replicated(1, 1, min_insync_replicas="1"), WARNING, "on one of 3 brokers", None),
        (
            replicated(3, 3, unclean_leader_election_enable="true"),
            WARNING,
            "may become leader",
            "unclean.leader.election.enable=false",
        ),
    ],
)
def test_replication(seen: Kafka, level: Level, says: str, mend: str | None) -> None:
    found = only(judged(seen))
    assert (found.level, found.check) == (level, Check.REPLICATION)
    assert says in found.what
    assert found.command is None if mend is None else mend in str(found.command)


def test_what_the_account_may_not_see_is_told_and_not_judged() -> None:
    seen = kafka()
    unseen = {name: replace(one, config={}) for name, one in seen.topics.items()}
    found = only(judged(replace(seen, topics=unseen, hidden=("the options of history", "the consumer groups"))))
    assert (found.level, found.check, found.where) == (WARNING, Check.REACH, "Kafka")
    assert "may not see the options of history, the consumer groups" in found.what


def test_a_topic_that_the_account_may_not_see_is_not_missing() -> None:
    found = only(judged(replace(without(kafka(), "history"), unseen=frozenset({"history"}))))
    assert (found.level, found.check, found.where) == (WARNING, Check.REACH, "Kafka")
    assert "may not see history," in found.what


@pytest.mark.parametrize(
    ("option", "value", "mend"),
    [
        ("transaction.max.timeout.ms", "10000", "export RESYNC_TRANSACTION_TIMEOUT_S=10"),
        ("group.max.session.timeout.ms", "6000", "export RESYNC_SESSION_TIMEOUT_S=6"),
        ("group.min.session.timeout.ms", "20000", "export RESYNC_SESSION_TIMEOUT_S=20"),
    ],
)
def test_a_limit_of_the_broker(option: str, value: str, mend: str) -> None:
    found = judged(kafka(limits={option: value}))
    assert shape(found) == [(ERROR, Check.LIMITS, "Kafka")]
    assert found[0].command == mend
