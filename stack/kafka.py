"""One Kafka broker that is its own controller."""

from __future__ import annotations

import base64
import os
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from stack import artifacts, config, jvm, process
from stack.errors import ServiceFailedError

if TYPE_CHECKING:
    from stack.layout import Stack

NAME = config.KAFKA
DEADLINE_S = 60
HEAP = ("-Xms64m", "-Xmx256m")
# One node holds every replica; few internal partitions and no first-rebalance wait make starts quick.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "CLIENT",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # After a kill the controller lets the broker in again only when its old session has run out.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Compaction and deletion soon after they are due, so that tests can wait for them.
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.initial.task.delay.ms": "1000",
    "log.segment.delete.delay.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
}


def start(stack: Stack, cache: artifacts.Cache) -> None:
    """Starts the broker and waits until it serves clients; does nothing if it runs."""
    settings = config.existing(stack)
    if process.find(stack, NAME) is None:
        home = stack.data_dir(NAME)
        home.mkdir(parents=True, exist_ok=True)
        properties = home / "server.properties"
        properties.write_text(_properties(settings, home / "log"))
        if not (home / "log" / "meta.properties").exists():
            format_storage(cache, properties)
        process.spawn(stack, NAME, broker_command(cache, properties), env=dict(os.environ), cwd=home)
    process.await_ready(stack, NAME, lambda: _serves(bootstrap_servers(stack)), DEADLINE_S)


def stop(stack: Stack) -> bool:
    return process.stop(stack, NAME, grace_s=30)


def bootstrap_servers(stack: Stack) -> str:
    return f"127.0.0.1:{config.existing(stack).port(NAME)}"


def broker_command(cache: artifacts.Cache, properties: Path) -> list[str | Path]:
    log4j = f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}"
    return [*_java(cache), log4j, "kafka.Kafka", properties]


def _java(cache: artifacts.Cache) -> list[str | Path]:
    return [jvm.java(), *jvm.FLAGS, *HEAP, "-cp", _class_path(cache)]


def _class_path(cache: artifacts.Cache) -> str:
    return ":".join(str(cache.file(artifact)) for artifact in artifacts.read_lock()["kafka"])


def _properties(settings: config.Config, log_dir: Path) -> str:
    client = f"CLIENT://127.0.0.1:{settings.port(config.KAFKA)}"
    controller = f"127.0.0.1:{settings.port(config.CONTROLLER)}"
    places = {
        "listeners": f"{client},CONTROLLER://{controller}",
        "advertised.listeners": client,
        # Not in the data, as the voters of a dynamic quorum would be: the port may change between starts.
        "controller.quorum.voters": f"1@{controller}",
        "log.dirs": str(log_dir),
    }
    return "".join(f"{key}={value}\n" for key, value in (SETTINGS | places).items())


def format_storage(cache: artifacts.Cache, properties: Path) -> None:
    # It may begin with a dash, so it is joined to its option below.
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    done = subprocess.run(
        [
            *_java(cache),
            "kafka.tools.StorageTool",
            "format",
            "--ignore-formatted",
            f"--cluster-id={cluster}",
            "-c",
            properties,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceFailedError(f"formatting Kafka's storage failed:\n{done.stdout}{done.stderr}")


def _serves(servers: str) -> bool:
    """The port first: librdkafka would wait long before it tries a refused connection again."""
    import socket

    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    host, _, port = servers.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return bool(AdminClient({"bootstrap.servers": servers, "log_level": 0}).list_topics(timeout=5).brokers)
    except (OSError, KafkaException):
        return False
