"""A policy made true at a broker: every role and publisher has just what `resync topics acls --apply` gives it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from processor.core.partition import partition_of
from tests.awaiting import await_
from tests.e2e.conftest import READ_SETTINGS, Deployments
from tests.e2e.console import resync
from tests.e2e.databases import Templates
from tests.e2e.deployment import PARTITIONS, Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove
from tests.e2e.secured_kafka import ADMIN, SecuredKafka, secured_kafka
from tests.e2e.test_health import asked as health
from tests.unit.cli.json_schema import problems

ROLES = ("process", "apply", "store", "monitor")
USERS = (*ROLES, "north-sis", "clerk", "stranger")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with secured_kafka(tmp_path_factory.mktemp("kafka"), USERS) as found:
        yield found


@pytest.fixture
def secured(
    broker: SecuredKafka,
    stack_settings: dict[str, str],
    templates: Templates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """On the secured broker, with a policy; the test itself comes by the open door. No role runs yet."""
    settings = stack_settings | {"RESYNC_BOOTSTRAP_SERVERS": broker.open_servers}
    own = Deployments(settings, templates, tmp_path_factory)
    deployment = own.make(settings=READ_SETTINGS)
    policy = deployment.directory / "policy.yaml"
    policy.write_text(yaml.safe_dump(policy_of(deployment)), encoding="utf-8")
    deployment.env["RESYNC_POLICY"] = str(policy)
    created = resync(deployment.env | broker.env(ADMIN), "topics", "create")
    assert created.code == 0, created.err
    yield deployment
    own.close()


def norths(deployment: Deployment) -> str:
    return f"{deployment.name}.requests.north"


def policy_of(deployment: Deployment) -> dict[str, Any]:
    everything = {"sides": ["DISTRICT", "STATE"], "districts": "all", "objects": "all"}
    north = {"sides": ["DISTRICT"], "districts": ["NORTH"], "objects": "all"}
    return {
        "topics": {
            deployment.topics.requests: {**everything, "writers": ["User:clerk"]},
            norths(deployment): {**north, "writers": ["User:north-sis"]},
        },
        "control": {deployment.topics.control: {"writers": ["User:clerk"], "districts": "all", "objects": "all"}},
        "services": {role: [f"User:{role}"] for role in ROLES} | {"readers": ["User:north-sis", "User:clerk"]},
    }


class Sis:
    """A publisher under its own name."""

    def __init__(self, broker: SecuredKafka, user: str) -> None:
        settings = {"bootstrap.servers": broker.servers, "enable.idempotence": True, "message.timeout.ms": 10_000}
        self._producer = Producer({**settings, **broker.options(user), "log_level": 0})
        self._fault: KafkaError | None = None

    def put(self, topic: str, value: bytes, partition: int) -> KafkaError | None:
        """Why the broker did not take the record; None where it did."""
        self._producer.produce(topic, value, None, partition, on_delivery=self._delivered)
        assert self._producer.flush(30) == 0
        return self._fault

    def _delivered(self, fault: KafkaError | None, _message: Message) -> None:
        self._fault = fault


def refused(fault: KafkaError | None) -> bool:
    return fault is not None and fault.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_the_policy_made_true_at_the_broker(secured: Deployment, broker: SecuredKafka) -> None:
    admin = secured.env | broker.env(ADMIN)
    home = partition_of("NORTH", PARTITIONS)
    [key] = secured.take_keys(1)
    persons(secured, "NORTH", [key])
    rename(secured, "NORTH", [key])
    asked = secured.request("NORTH", "PersonIdentity", [key])
    value = secured.encoded(asked)
    assert refused(Sis(broker, "north-sis").put(norths(secured), value, home)), "nothing is allowed yet"
    printed = resync(admin, "topics", "acls", "--output", "json")
    assert printed.code == 1
    assert {acl["state"] for acl in printed.json()["acls"]} == {"missing"}
    assert problems(printed.json(), "acls.json") == []

    applied = resync(admin, "topics", "acls", "--apply", "--output", "json")
    assert applied.code == 0, applied.err
    assert {acl["state"] for acl in applied.json()["acls"]} == {"created"}
    again = resync(admin, "topics", "acls", "--output", "json")
    assert again.code == 0, again.err
    assert {acl["state"] for acl in again.json()["acls"]} == {"exists"}

    served: dict[str, Any] = {"http_port": 0, "http_host": "127.0.0.1"}
    for role in [secured.start(name, ready=False, **served, **as_settings(broker, name)) for name in ROLES]:
        role.await_ready()
    sis = Sis(broker, "north-sis")
    assert sis.put(norths(secured), value, home) is None
    wrong = secured.request("NORTH", "PersonIdentity", [key])
    assert sis.put(norths(secured), secured.encoded(wrong), (home + 1) % PARTITIONS) is None
    done = [asked.request_id, wrong.request_id]
    secured.watcher.until_ended(done)
    assert_same(secured, "NORTH", [key])
    prove(secured, done)
    follows = secured.env | broker.env("north-sis") | {"RESYNC_HISTORY_DSN": ""}
    del follows["RESYNC_POLICY"]
    followed = resync(follows, "watch", asked.request_id, "--timeout", "20")
    assert followed.code == 0, followed.err

    topics = secured.topics
    for topic in (t for t in [*topics.model_dump().values()] if t != norths(secured)):
        assert refused(Sis(broker, "north-sis").put(topic, value, 0)), f"{topic} goes round the policy"
    for topic in (topics.requests, norths(secured), topics.chunks):
        assert refused(Sis(broker, "stranger").put(topic, value, 0))
    assert Sis(broker, "clerk").put(topics.requests, value, home) is None

    clearing = secured.env | broker.env("clerk")
    del clearing["RESYNC_POLICY"]
    cleared = resync(clearing, "clear", asked.request_id, "--yes", "--timeout", "30")
    assert cleared.code == 0, cleared.err
    monitor = secured.role("monitor")
    await_(lambda: health(secured, "monitor", "/readyz")[0] == 200, "all that the monitor looks at")
    assert "kept" not in monitor.log.read_text(), "something that it looks at is not allowed"


def as_settings(broker: SecuredKafka, user: str) -> dict[str, Any]:
    return {name.removeprefix("RESYNC_").lower(): value for name, value in broker.env(user).items()}


def test_who_may_write_and_is_not_named_is_told(secured: Deployment, broker: SecuredKafka) -> None:
    admin = secured.env | broker.env(ADMIN)
    assert resync(admin, "topics", "acls", "--apply").code == 0
    client = AdminClient({"bootstrap.servers": broker.open_servers, "log_level": 0})
    given = [
        AclBinding(ResourceType.TOPIC, name, pattern, "User:stranger", "*", AclOperation.WRITE, AclPermissionType.ALLOW)
        for name, pattern in (
            (secured.topics.chunks, ResourcePatternType.LITERAL),
            (norths(secured), ResourcePatternType.PREFIXED),
        )
    ]
    for future in client.create_acls(given).values():
        future.result(10)
    told = resync(admin, "topics", "acls", "--output", "json")
    assert told.code == 1
    assert [fault.split(",")[0] for fault in told.json()["faults"]] == [
        f"User:stranger may write to {topic}" for topic in sorted([secured.topics.chunks, norths(secured)])
    ]
    not_allowed = resync(secured.env | broker.env("stranger"), "topics", "acls")
    assert (not_allowed.code, "does not let this account look at its ACLs" in not_allowed.err) == (2, True)


def test_a_broker_without_an_authorizer_makes_no_policy_true(running: Deployment, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(yaml.safe_dump(policy_of(running)), encoding="utf-8")
    told = resync(running.env | {"RESYNC_POLICY": str(policy)}, "topics", "acls", "--apply", "--output", "json")
    assert told.code == 1
    assert told.json()["faults"] == ["the broker has no authorizer, so everybody may write to every topic"]
    assert {acl["state"] for acl in told.json()["acls"]} == {"unknown"}


def test_the_doctor_tells_an_account_what_it_may_not_see(secured: Deployment, broker: SecuredKafka) -> None:
    """A stranger sees no topic: nothing of Kafka is judged, so nothing of it is wrong. The administrator sees all."""
    seen = resync(secured.env | broker.env("stranger"), "doctor", "--output", "json").json()["findings"]
    [kafka] = [finding for finding in seen if finding["where"] == "Kafka"]
    assert kafka["level"] == "warning"
    assert all(topic in kafka["what"] for topic in (secured.topics.history, norths(secured), "the broker's options"))
    assert not any(finding["check"] == "topics" for finding in seen)
    full = resync(secured.env | broker.env(ADMIN), "doctor", "--output", "json").json()["findings"]
    assert not any(finding["where"] == "Kafka" for finding in full)
    assert {finding["check"] for finding in full if finding["where"].endswith("-process")} == {"groups"}
