"""What `resync doctor` says of a deployment, and its commands carried out."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from tests.e2e.commands import run
from tests.e2e.deployment import Deployment
from tests.unit.cli.json_schema import problems


@dataclass
class Told:
    """What the doctor said."""

    code: int
    findings: list[dict[str, Any]]
    err: str

    def of(self, check: str, where: str, says: str) -> dict[str, Any]:
        """The finding of a check whose text matches."""
        found = [f for f in self.findings if (f["check"], f["where"]) == (check, where) and re.search(says, f["what"])]
        assert len(found) == 1, self.findings
        return found[0]

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [finding for finding in self.findings if finding["level"] == "error"]


def ask(deployment: Deployment, *arguments: str, settings: Mapping[str, str | None] | None = None) -> Told:
    ended = run(deployment, "doctor", "--output", "json", *arguments, settings=settings)
    assert ended.stdout, ended.stderr
    document = json.loads(ended.stdout)
    assert problems(document, "doctor.json") == []
    assert "Traceback" not in ended.stderr
    told = Told(ended.returncode, document["findings"], ended.stderr)
    assert (told.code == 1) is bool(told.errors), ended.stderr
    return told


def healthy(deployment: Deployment) -> None:
    """Errors there are none; warnings only of the table where a row may stand twice on purpose."""
    told = ask(deployment)
    assert [f["what"] for f in told.findings if "state_test_score" not in f["what"]] == []
    assert told.code == 0


def execute(deployment: Deployment, side: str, statements: str) -> None:
    """In one transaction where there are several."""
    deployment.connection(side).execute(statements)


def alter(deployment: Deployment, topic: str, **options: str) -> None:
    """Dots of options are written as underscores."""
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in options.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    for future in deployment.admin.incremental_alter_configs([resource]).values():
        future.result(10)


def carry_out(deployment: Deployment, command: str) -> None:
    """A finding's command, as Kafka's scripts and ours understand it."""
    program, *words = shlex.split(command)
    given = dict(pairwise(words))
    if program == "resync":
        assert run(deployment, *words).returncode == 0
    elif program == "kafka-configs.sh":
        name, _, value = given["--add-config"].partition("=")
        assert given["--entity-type"] == "topics"
        alter(deployment, given["--entity-name"], **{name.replace(".", "_"): value.strip("[]")})
    elif program == "kafka-topics.sh":
        parts = NewPartitions(given["--topic"], int(given["--partitions"]))
        for future in deployment.admin.create_partitions([parts]).values():
            future.result(10)
    elif program == "kafka-consumer-groups.sh":
        topic, _, partition = given["--topic"].partition(":")
        assert {"--reset-offsets", "--to-earliest", "--execute"} <= set(words)
        commit(deployment, given["--group"], TopicPartition(topic, int(partition), 0))
    else:
        raise AssertionError(command)
    if program.startswith("kafka-"):
        assert given["--bootstrap-server"] == deployment.settings.bootstrap_servers


def commit(deployment: Deployment, group: str, *places: TopicPartition) -> None:
    wanted = [ConsumerGroupTopicPartitions(group, list(places))]
    for future in deployment.admin.alter_consumer_group_offsets(wanted).values():
        future.result(10)
