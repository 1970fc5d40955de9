"""`resync topics` against a real broker, registry and Postgres."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.adapters.kafka.topics import check_topics, topic_specs
from processor.service.client_ports import NotSetUp
from processor.settings import Settings, Topics
from tests import forked
from tests.unit.cli.json_schema import problems


@dataclass
class Place:
    """Topics and a history database of one test, not made yet."""

    settings: Settings
    env: dict[str, str]
    admin: AdminClient

    def resync(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **self.env, **more}
        return forked.run([*arguments], env=env)

    def make(self, topic: str, partitions: int, config: dict[str, str]) -> None:
        for future in self.admin.create_topics([NewTopic(topic, partitions, 1, config=config)]).values():
            future.result(10)


@pytest.fixture
def place(stack_settings: dict[str, str]) -> Iterator[Place]:
    name = f"t{uuid.uuid4().hex[:10]}"
    topics = Topics(**{field: f"{name}.{field}" for field in Topics.model_fields})
    server = stack_settings["RESYNC_HISTORY_DSN"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    settings = Settings(
        bootstrap_servers=stack_settings["RESYNC_BOOTSTRAP_SERVERS"], topics=topics, partitions=3, history_partitions=2
    )
    env = stack_settings | {
        "RESYNC_HISTORY_DSN": make_conninfo(server, dbname=name),
        "RESYNC_PARTITIONS": "3",
        "RESYNC_HISTORY_PARTITIONS": "2",
        **{f"RESYNC_TOPIC_{field.upper()}": topic for field, topic in topics.model_dump().items()},
    }
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers, "log_level": 2})
    yield Place(settings, env, admin)
    admin.delete_topics(list(topics.model_dump().values()))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def test_everything_is_created_once(place: Place) -> None:
    missing = place.resync("topics", "check", "--output", "json")
    assert missing.returncode == 1
    document = json.loads(missing.stdout)
    assert problems(document, "topics.json") == []
    assert len(document["faults"]) == 9
    assert all("`resync topics create`" in fault for fault in document["faults"])

    created = place.resync("topics", "create", "--output", "json")
    assert created.returncode == 0, created.stderr
    document = json.loads(created.stdout)
    assert problems(document, "topics.json") == []
    assert {topic["state"] for topic in document["topics"]} == {"created"}
    assert document["migrations"] >= 1
    assert f"{place.settings.topics.requests}-selectivesync.v1.ResyncRequest" in document["subjects"]

    again = json.loads(place.resync("topics", "create", "--output", "json").stdout)
    assert {topic["state"] for topic in again["topics"]} == {"exists"}
    assert again["migrations"] == 0
    assert again["subjects"] == document["subjects"]
    assert place.resync("topics", "check").returncode == 0
    check_topics({"bootstrap.servers": place.settings.bootstrap_servers}, topic_specs(place.settings))


def test_counts_are_those_of_the_settings(place: Place) -> None:
    place.resync("topics", "create")
    topics = place.settings.topics
    found = place.admin.list_topics(timeout=10).topics
    assert {name: len(found[name].partitions) for name in topics.model_dump().values()} == {
        **dict.fromkeys(topics.model_dump().values(), 3),
        topics.history: 2,
        topics.control: 1,
        topics.dead_letters: 1,
    }


def test_other_settings_than_at_creation_are_shown_and_no_fault(place: Place) -> None:
    place.resync("topics", "create")
    again = place.resync("topics", "create", RESYNC_PARTITIONS="4")
    assert again.returncode == 0, again.stderr
    assert "partitions is 3, settings say 4" in again.stdout


def test_lanes_of_different_counts_are_a_fault(place: Place) -> None:
    place.make(place.settings.topics.retry, 2, {})
    created = place.resync("topics", "create")
    assert created.returncode == 1
    assert "need one number of partitions" in created.stderr
    assert f"{place.settings.topics.retry} has 2" in created.stderr
    with pytest.raises(NotSetUp, match="one number of partitions"):
        check_topics({"bootstrap.servers": place.settings.bootstrap_servers}, topic_specs(place.settings))


def test_a_history_that_forgets_is_a_fault(place: Place) -> None:
    place.make(place.settings.topics.history, 2, {"cleanup.policy": "delete"})
    created = place.resync("topics", "create")
    assert created.returncode == 1
    assert "cleanup.policy=delete; it must be compact" in created.stderr


def test_without_a_registry_and_a_history_database_only_topics_are_made(place: Place) -> None:
    created = place.resync("topics", "create", "--output", "json", RESYNC_REGISTRY_URL="", RESYNC_HISTORY_DSN="")
    assert created.returncode == 0, created.stderr
    document = json.loads(created.stdout)
    assert (document["subjects"], document["migrations"]) == ([], None)


def test_a_registry_that_is_away_is_told(place: Place) -> None:
    ended = place.resync("topics", "create", RESYNC_REGISTRY_URL="http://127.0.0.1:1")
    assert ended.returncode == 4
    assert "schema registry at http://127.0.0.1:1" in ended.stderr
    assert "Traceback" not in ended.stderr
