"""`python -m stack lock`: resolves what the services need and writes artifacts.lock.json.

To change a version, change it here and run the command.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jgo.maven import MavenContext, PythonResolver

from stack.artifacts import LOCK, Artifact, format_lock
from stack.maven import repository_base

if TYPE_CHECKING:
    from collections.abc import Callable

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Kafka brings log4j, but not the bridge from the logging interface that it uses.
LOG4J_BRIDGE = "org.apache.logging.log4j:log4j-slf4j-impl:{log4j}"
REGISTRY = "io.apicurio:apicurio-registry-app:tar.gz:all:3.3.3"


def write_lock(say: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(
            PythonResolver(), repo_cache=Path(scratch), remote_repos={"central": repository_base(os.environ)}
        )
        say(f"resolving {KAFKA}")
        # One root a time: jgo would merge the version tables of several, and log4j's pins an old Kafka client.
        _, nodes = context.resolver.get_dependency_list([context.create_dependency(KAFKA)])
        found = [node.dep for node in nodes]
        kafka = [KAFKA, *(f"{dep.groupId}:{dep.artifactId}:{dep.version}" for dep in found)]
        log4j = next(dep.version for dep in found if dep.artifactId == "log4j-core")
        kafka.append(LOG4J_BRIDGE.format(log4j=log4j))
        content = {
            "kafka": [_pin(context, coordinates) for coordinates in sorted(set(kafka))],
            "registry": [_pin(context, REGISTRY)],
        }
    LOCK.write_text(format_lock(content))
    say(f"wrote {LOCK}: {sum(map(len, content.values()))} artifacts")


def _pin(context: MavenContext, coordinates: str) -> Artifact:
    group, name, *middle, version = coordinates.split(":")
    extension, classifier = middle or ("jar", "")
    file = context.project(group, name).at_version(version).artifact(classifier, extension).resolve()
    return Artifact(coordinates, hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size)
