"""Starts a role's server, with what every role says of itself: release, configuration, heartbeat, readiness."""

import hashlib
import json
import logging
import re
from importlib.metadata import version
from typing import TYPE_CHECKING

import yaml

from processor import metrics
from processor.codec.schema_files import SchemaFiles
from processor.http.health import Health, HealthServer
from processor.lifecycle import Lifecycle
from processor.settings import Settings

if TYPE_CHECKING:
    from processor.metric_kinds import Series

log = logging.getLogger(__name__)

OF_ONE_PROCESS = frozenset(
    {"ordinal", "ready_file", "http_port", "http_host", "crash_at", "catalog", "schemas", "policy"}
)
"""Settings that processes of one deployment may differ in; catalog, schemas and policy count by what they hold."""


def serve(settings: Settings, role: str, life: Lifecycle) -> HealthServer | None:
    """Before anything is waited for, so that a waiting role can be seen. Raises PortTaken."""
    if settings.http_port is None:
        log.info("metrics and health are not served: RESYNC_HTTP_PORT is not set")
        return None
    registry = metrics.ALL.registry(role)
    health = Health(life, registry, settings.liveness_timeout_s)
    build: Series = {(role, version("selective-sync")): 1.0}
    prints = catalog_fingerprint(settings), policy_fingerprint(settings), settings_fingerprint(settings)
    config: Series = {(role, *prints): 1.0}
    metrics.BUILD.shows(lambda: build)
    metrics.CONFIG.shows(lambda: config)
    metrics.POLL_AGE.is_number(life.beat_age_s)
    metrics.READY.is_number(health.is_ready)
    return HealthServer(health, settings.http_host, settings.http_port)


def settings_fingerprint(settings: Settings) -> str:
    """Of all that is no secret: what is hidden from people is left out."""
    shown = {
        name: value
        for name, value in settings.model_dump(mode="json").items()
        if Settings.model_fields[name].repr and name not in OF_ONE_PROCESS
    }
    if settings.registry_url is not None:
        shown["registry_url"] = re.sub("//[^/@]*@", "//", settings.registry_url)
    return _short(json.dumps(shown, sort_keys=True).encode())


def catalog_fingerprint(settings: Settings) -> str:
    """Of the catalog's file and of the crosswalks and object schemas that it names, as they are now."""
    try:
        text = settings.catalog.read_bytes()
        content = yaml.safe_load(text)
        crosswalks = [settings.catalog.parent / path for path in sorted((content.get("crosswalks") or {}).values())]
        schemas = SchemaFiles(settings.schemas)
        objects = [schemas.object(name) for name in sorted(content["objects"])]
        parts = [text, *(path.read_bytes() for path in crosswalks), json.dumps(objects, sort_keys=True).encode()]
    except (OSError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError):
        # The role itself says what is wrong with it.
        return "unreadable"
    return _short(b"\0".join(hashlib.sha256(part).digest() for part in parts))


def policy_fingerprint(settings: Settings) -> str:
    """Of the policy's file; `none` without one. Twelve digits tell nothing of the tokens' hashes in it."""
    if settings.policy is None:
        return "none"
    try:
        return _short(settings.policy.read_bytes())
    except OSError:
        return "unreadable"


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
