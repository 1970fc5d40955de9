"""Faults of topics, groups and subjects: `resync doctor` names each, and its command mends it."""

import json
from dataclasses import dataclass

from confluent_kafka import TopicPartition
from confluent_kafka.admin import (
    NewPartitions,
)
from confluent_kafka.schema_registry import SchemaRegistryClient

from processor.codec.registry import Compatibility, Registry
from stack.layout import REPO
from tests.e2e.conftest import Deploy
from tests.e2e.deployment import PARTITIONS, Deployment
from tests.e2e.diagnosis import alter, ask, carry_out, commit, healthy


@dataclass(frozen=True)
class Odd:
    """An option of a topic, set to something else."""

    topic: str
    option: str
    value: str
    check: str
    says: str
    level: str = "error"


ODD = (
    Odd("corrections", "retention_ms", "3600000", "retention", "less than the 24 h of limits.answer_deadline_s"),
    Odd("answers", "retention_ms", "3600000", "retention", "keeps records for 60 min"),
    Odd("accepted", "retention_ms", "3600000", "retention", "RESYNC_ACCEPTED_WINDOW_S"),
    Odd("retry", "retention_ms", "60000", "retention", "less than the 15 min of limits.snapshot_deadline_s"),
    Odd("requests", "retention_ms", "7200000", "retention", "stand still for longer", "warning"),
    Odd("requests", "retention_bytes", "1000", "retention", "retention.bytes is set", "warning"),
    Odd("history", "delete_retention_ms", "1000", "retention", "keeps tombstones for 1 s", "warning"),
    Odd("history", "cleanup_policy", "delete", "cleanup", "is delete, it must be compact"),
    Odd("accepted", "cleanup_policy", "delete", "cleanup", "must be compact,delete"),
    Odd("answers", "min_insync_replicas", "2", "replication", "nothing can be written"),
    Odd("dead_letters", "max_message_bytes", "1000000", "limits", "no more than", "warning"),
)


def test_options_of_topics_are_named_and_mended(patient: Deployment) -> None:
    for odd in ODD:
        alter(patient, getattr(patient.topics, odd.topic), **{odd.option: odd.value})
    told = ask(patient)
    for odd in ODD:
        found = told.of(odd.check, getattr(patient.topics, odd.topic), odd.says)
        assert found["level"] == odd.level, odd
        carry_out(patient, found["command"])
    healthy(patient)


def test_topics_of_other_counts_and_missing_ones_are_named_and_mended(deploy: Deploy) -> None:
    deployment = deploy()
    for future in deployment.admin.create_partitions([NewPartitions(deployment.topics.chunks, 8)]).values():
        future.result(10)
    for future in deployment.admin.delete_topics([deployment.topics.dead_letters]).values():
        future.result(10)
    told = ask(deployment)
    missing = told.of("topics", deployment.topics.dead_letters, "does not exist")
    uneven = [finding for finding in told.errors if finding["check"] == "partitions"]
    assert {finding["where"] for finding in uneven} == {
        getattr(deployment.topics, name) for name in ("requests", "retry", "accepted", "corrections", "answers")
    }
    assert all(f"has {PARTITIONS} partitions, another topic" in finding["what"] for finding in uneven)
    for finding in [*uneven, missing]:
        carry_out(deployment, finding["command"])
    after = ask(deployment)
    assert after.errors == []
    assert after.of("partitions", "Kafka", "RESYNC_PARTITIONS says 6")["command"] == "export RESYNC_PARTITIONS=8"
    set_right = ask(deployment, settings={"RESYNC_PARTITIONS": "8"})
    assert not any(finding["check"] == "partitions" for finding in set_right.findings)


def test_a_stand_beyond_the_log_is_named_and_mended(deploy: Deploy) -> None:
    deployment = deploy()
    group = f"{deployment.name}-process"
    commit(deployment, group, TopicPartition(deployment.topics.answers, 2, 40))
    told = ask(deployment)
    found = told.of("groups", f"{deployment.topics.answers}-2", "stands at 40, the log ends at 0")
    assert told.of("groups", group, "no process of the role process runs")["level"] == "warning"
    carry_out(deployment, found["command"])
    assert ask(deployment).errors == []


def test_records_that_wait_for_nobody_are_told(deploy: Deploy) -> None:
    deployment = deploy()
    deployment.submit("NORTH", "PersonIdentity", [1])
    found = ask(deployment).of("groups", f"{deployment.name}-process", "and 1 records wait for it")
    assert found["command"] == "resync process"


def test_subjects_that_are_missing_or_too_lax_are_named_and_mended(patient: Deployment) -> None:
    url = {"url": str(patient.settings.registry_url)}
    subject = f"{patient.topics.history}-selectivesync.v1.KeyOutcome"
    with SchemaRegistryClient(url) as registry:
        registry.set_compatibility(subject, Compatibility.BACKWARD.value)
    found = ask(patient).of("compatibility", subject, "is BACKWARD_TRANSITIVE, it must be FULL_TRANSITIVE")
    carry_out(patient, found["command"])
    healthy(patient)
    answers = f"{patient.topics.answers}-selectivesync.v1.Answer"
    with SchemaRegistryClient(url) as registry:
        registry.delete_subject(answers)
    found = ask(patient).of("schemas", answers, "does not hold this release's schema")
    carry_out(patient, found["command"])
    healthy(patient)


def test_a_schema_of_a_later_release_is_told(patient: Deployment) -> None:
    url = str(patient.settings.registry_url)
    registry = Registry(url)
    schema = json.loads((REPO / "schemas" / "Answer.avsc").read_text(encoding="utf-8"))
    schema["fields"].append({"name": "of_tomorrow", "type": "string", "default": ""})
    answers = f"{patient.topics.answers}-selectivesync.v1.Answer"
    registry.register(answers, json.dumps(schema), Compatibility.BACKWARD)
    number = registry.versions(answers)[-1][0]
    told = ask(patient)
    assert told.code == 0
    assert told.of("schemas", answers, f"holds version {number}, which is in no archive")["command"] is None
    with SchemaRegistryClient({"url": url}) as client:
        client.delete_version(answers, number)
    healthy(patient)
