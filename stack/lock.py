"""`python -m stack lock`: resolves what the services, the examples in Java and the benchmark's peers need.

To change a version, change it here and run the command.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jgo.maven import MavenContext, PythonResolver

from stack.artifacts import EXAMPLES_LOCK, LOCK, PEERS_LOCK, Artifact, format_lock
from stack.maven import repository_base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Kafka brings log4j, but not the bridge from the logging interface that it uses.
LOG4J_BRIDGE = "org.apache.logging.log4j:log4j-slf4j-impl:{log4j}"
REGISTRY = "io.apicurio:apicurio-registry-app:tar.gz:all:3.3.3"
PUBLISHER = ("org.apache.kafka:kafka-clients:4.3.1", "org.apache.avro:avro:1.12.2")
# Silent, so that a peer's output is its own.
NO_LOG = "org.slf4j:slf4j-nop:2.0.18"
PEER = (*PUBLISHER, "org.postgresql:postgresql:42.7.14", NO_LOG)
# First, so that of what several bring the versions of the others stand.
STREAMS = ("org.apache.kafka:kafka-streams:4.3.1", *PEER)
# A compiler that is one jar and runs on a runtime without one.
COMPILER = "org.eclipse.jdt:ecj:3.46.0"


def write_lock(say: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(
            PythonResolver(), repo_cache=Path(scratch), remote_repos={"central": repository_base(os.environ)}
        )
        # One root a time: jgo would merge the version tables of several, and log4j's pins an old Kafka client.
        kafka = _with_dependencies(context, KAFKA, say)
        log4j = next(each.rpartition(":")[2] for each in kafka if ":log4j-core:" in each)
        kafka.append(LOG4J_BRIDGE.format(log4j=log4j))
        services = {"kafka": _pin_all(context, kafka), "registry": [_pin(context, REGISTRY)]}
        publisher = _class_path(context, PUBLISHER, say)
        examples = {"java": _pin_all(context, publisher), "compiler": [_pin(context, COMPILER)]}
        peers = {
            name: _pin_all(context, _class_path(context, roots, say))
            for name, roots in (("java", PEER), ("streams", STREAMS))
        }
    for lock, content in ((LOCK, services), (EXAMPLES_LOCK, examples), (PEERS_LOCK, peers)):
        lock.write_text(format_lock(content))
        say(f"wrote {lock}: {sum(map(len, content.values()))} artifacts")


def _class_path(context: MavenContext, roots: Iterable[str], say: Callable[[str], None]) -> Iterable[str]:
    """One version of each, the last root's."""
    found = [each for root in roots for each in _with_dependencies(context, root, say)]
    return {each.rpartition(":")[0]: each for each in found}.values()


def _with_dependencies(context: MavenContext, root: str, say: Callable[[str], None]) -> list[str]:
    say(f"resolving {root}")
    _, nodes = context.resolver.get_dependency_list([context.create_dependency(root)])
    return [root, *(f"{node.dep.groupId}:{node.dep.artifactId}:{node.dep.version}" for node in nodes)]


def _pin_all(context: MavenContext, coordinates: Iterable[str]) -> list[Artifact]:
    return [_pin(context, each) for each in sorted(set(coordinates))]


def _pin(context: MavenContext, coordinates: str) -> Artifact:
    group, name, *middle, version = coordinates.split(":")
    extension, classifier = middle or ("jar", "")
    file = context.project(group, name).at_version(version).artifact(classifier, extension).resolve()
    return Artifact(coordinates, hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size)
