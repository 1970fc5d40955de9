"""A broker that knows who is who and what each may do: SASL and KRaft's authorizer.

A second listener, without SASL, is the test's own: whoever comes by it may do everything.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stack import artifacts, kafka
from tests.awaiting import await_

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class SecuredKafka:
    """`open_servers` is the test's own door."""

    servers: str
    open_servers: str

    def options(self, user: str) -> dict[str, str]:
        """By which librdkafka is this user."""
        return {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": user,
            "sasl.password": password(user),
        }

    def env(self, user: str) -> dict[str, str]:
        return {"RESYNC_BOOTSTRAP_SERVERS": self.servers, "RESYNC_KAFKA_OPTIONS": json.dumps(self.options(user))}


def password(user: str) -> str:
    return f"{user}-password"


@contextmanager
def secured_kafka(home: Path, users: Iterable[str]) -> Iterator[SecuredKafka]:
    cache = artifacts.Cache.choose(os.environ)
    ports = free_ports(3)
    properties = home / "server.properties"
    settings = kafka.SETTINGS | secured_settings(home, ports, [ADMIN, *users])
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    kafka.format_storage(cache, properties)
    log = home / "broker.log"
    with log.open("wb") as out:
        broker = subprocess.Popen(kafka.broker_command(cache, properties), stdout=out, stderr=out, cwd=home)
    try:
        found = SecuredKafka(f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}")
        await_(lambda: broker.poll() is not None or serves(found.open_servers), "the secured broker", 60)
        assert broker.poll() is None, log.read_text()
        yield found
    finally:
        broker.terminate()
        broker.wait(30)


def secured_settings(home: Path, ports: list[int], users: Iterable[str]) -> dict[str, str]:
    known = " ".join(f'user_{user}="{password(user)}"' for user in users)
    secured, opened, controller = (f"127.0.0.1:{port}" for port in ports)
    return {
        "listeners": f"CLIENT://{secured},OPEN://{opened},CONTROLLER://{controller}",
        "advertised.listeners": f"CLIENT://{secured},OPEN://{opened}",
        "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "OPEN",
        "controller.quorum.voters": f"1@{controller}",
        "log.dirs": str(home / "log"),
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.client.plain.sasl.jaas.config": (
            f"org.apache.kafka.common.security.plain.PlainLoginModule required {known};"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN};User:ANONYMOUS",
    }


def free_ports(count: int) -> list[int]:
    probes = [socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def serves(servers: str) -> bool:
    host, _, port = servers.partition(":")
    with socket() as probe:
        if probe.connect_ex((host, int(port))):
            return False
    try:
        return bool(AdminClient({"bootstrap.servers": servers, "log_level": 0}).list_topics(timeout=5).brokers)
    except KafkaException:
        return False
