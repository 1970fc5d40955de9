"""The schema registry: Apicurio, with its storage in the state's Postgres server."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from stack import artifacts, config, jvm, process
from stack.errors import ServiceFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from stack.layout import Stack

NAME = config.REGISTRY
DEADLINE_S = 90
# Apicurio's own default is NONE, which accepts anything.
COMPATIBILITY = "BACKWARD_TRANSITIVE"


def start(stack: Stack, cache: artifacts.Cache) -> None:
    """The state's Postgres server must run. Waits until the registry answers; does nothing if it runs."""
    settings = config.existing(stack)
    if process.find(stack, NAME) is None:
        (artifact,) = artifacts.read_lock()["registry"]
        home = cache.unpack(artifact)
        state = settings.port(config.STATE)
        options = {
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.port": settings.port(NAME),
            "quarkus.http.access-log.enabled": "false",
            "quarkus.log.level": "WARN",  # else each schema is told in three lines
            "quarkus.management.host": "127.0.0.1",
            "quarkus.management.port": 0,  # any: nothing here asks it
            "apicurio.storage.kind": "sql",
            "apicurio.storage.sql.kind": "postgresql",
            "apicurio.datasource.url": f"jdbc:postgresql://127.0.0.1:{state}/registry",
            "apicurio.datasource.username": "postgres",
            "apicurio.datasource.password": "",
            "apicurio.datasource.jdbc.initial-size": 2,
            "apicurio.datasource.jdbc.min-size": 2,
            "apicurio.datasource.jdbc.max-size": 10,
        }
        command: list[str | Path] = [
            *(jvm.java(), *jvm.FLAGS, "-Xmx256m"),
            *(f"-D{key}={value}" for key, value in options.items()),
            *("-jar", home / "quarkus-run.jar"),
        ]
        process.spawn(stack, NAME, command, env=dict(os.environ), cwd=stack.run_dir)
    process.await_ready(stack, NAME, lambda: _answers(url(stack)), DEADLINE_S)
    _set_compatibility(url(stack))


def stop(stack: Stack) -> bool:
    return process.stop(stack, NAME)


def url(stack: Stack) -> str:
    """The base of the interface that is compatible with Confluent's."""
    return f"http://127.0.0.1:{config.existing(stack).port(NAME)}/apis/ccompat/v7"


def _answers(base: str) -> bool:
    try:
        return isinstance(_call("GET", f"{base}/subjects"), list)
    except (OSError, ValueError):  # not listening yet, or not in full
        return False


def _set_compatibility(base: str) -> None:
    try:
        _call("PUT", f"{base}/config", {"compatibility": COMPATIBILITY})
        answer = _call("GET", f"{base}/config")
    except URLError as error:
        raise ServiceFailedError(f"{NAME} refused to set its compatibility: {error}") from error
    if not isinstance(answer, dict) or answer.get("compatibilityLevel") != COMPATIBILITY:
        raise ServiceFailedError(f"{NAME} did not take compatibility {COMPATIBILITY}: {answer}")


def _call(method: str, address: str, body: object = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    request = Request(address, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310  (a fixed http address)
    # Without the environment's proxies: the address is this machine's.
    with build_opener(ProxyHandler({})).open(request, timeout=5) as response:
        return json.load(response)
