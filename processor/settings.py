"""Settings of a process: environment variables `RESYNC_…`, each also as `RESYNC_…_FILE` for secrets.

Options of librdkafka pass through `RESYNC_KAFKA_OPTIONS` (JSON), save those that correctness rests on; those of the
registry's client through `RESYNC_REGISTRY_OPTIONS`. Where options come from the variable and from its file, both count
and the file's win, so that only what is secret need be in the file.
"""

import json
import os
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import pydantic_settings
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

RESERVED_KAFKA_OPTIONS = {
    "bootstrap.servers": "set RESYNC_BOOTSTRAP_SERVERS",
    "group.id": "groups are named by role",
    "group.instance.id": "derived from release, role and ordinal",
    "group.protocol": "recovery in seconds was measured with the classic protocol",
    "transactional.id": "derived from release, role and ordinal",
    "enable.idempotence": "exactly-once rests on it",
    "acks": "exactly-once rests on it",
    "enable.auto.commit": "offsets are committed inside the transaction",
    "enable.auto.offset.store": "offsets are committed inside the transaction",
    "isolation.level": "aborted records must not be read",
    "auto.offset.reset": "a lost offset must stop the process, not skip records",
    "partition.assignment.strategy": "one process must own a district in all lanes",
}
"""Options that are refused, each with the reason."""
OPTIONS = frozenset({"kafka_options", "registry_options"})
"""Settings that are maps of a client's options."""


def _parsed(options: object) -> object:
    try:
        return json.loads(options) if isinstance(options, str) else options
    except ValueError:
        raise ValueError("is not JSON") from None


def _kafka_options(options: dict[str, Any]) -> dict[str, Any]:
    refused = [f"{name} ({RESERVED_KAFKA_OPTIONS[name]})" for name in options if name in RESERVED_KAFKA_OPTIONS]
    if refused:
        raise ValueError("cannot be set: " + ", ".join(refused))
    return options


def _registry_options(options: dict[str, Any]) -> dict[str, Any]:
    if "url" in options:
        raise ValueError("cannot be set: url (set RESYNC_REGISTRY_URL)")
    return options


class SettingsError(Exception):
    """Settings that cannot be used: every mistake in one message."""


class Topics(BaseSettings):
    """Names of the topics: `RESYNC_TOPIC_REQUESTS` and so on."""

    model_config = SettingsConfigDict(env_prefix="RESYNC_TOPIC_", frozen=True)

    requests: str = "resync.requests"
    chunks: str = "resync.chunks"
    retry: str = "resync.retry"
    accepted: str = "resync.accepted"
    control: str = "resync.control"
    corrections: str = "state.corrections"
    answers: str = "state.answers"
    history: str = "resync.history"
    dead_letters: str = "resync.dead-letters"


def _distinct(topics: Topics) -> Topics:
    """A role would take another's records for its own, and set them aside."""
    for (one, name), (other, also) in combinations(topics.model_dump().items(), 2):
        if name == also:
            raise ValueError(
                f"RESYNC_TOPIC_{one.upper()} and RESYNC_TOPIC_{other.upper()} name one topic: give each its own"
            )
    return topics


class Settings(BaseSettings):
    """Everything that the environment says."""

    model_config = SettingsConfigDict(env_prefix="RESYNC_", frozen=True, extra="ignore")

    bootstrap_servers: str = "127.0.0.1:9092"
    registry_url: str | None = None
    registry_options: Annotated[
        dict[str, Any], NoDecode, BeforeValidator(_parsed), AfterValidator(_registry_options)
    ] = Field(default={}, repr=False)
    history_dsn: str = Field(default="", repr=False)
    state_dsn: str = Field(default="", repr=False)
    catalog: Path = Path("catalog.yaml")
    schemas: Path | None = None
    policy: Path | None = None
    """Who may ask for what; without one whoever can write to the requests topic may ask for everything."""
    token: str = Field(default="", repr=False)
    """By which the command line tells who uses it."""
    release: str = "resync"
    ordinal: int = Field(default=0, ge=0)
    crash_at: str | None = None
    ready_file: Path | None = None
    """Touched once the role has its partitions and all that it needs."""
    kafka_options: Annotated[dict[str, Any], NoDecode, BeforeValidator(_parsed), AfterValidator(_kafka_options)] = (
        Field(default={}, repr=False)
    )
    topics: Annotated[Topics, AfterValidator(_distinct)] = Field(default_factory=Topics, validate_default=True)

    partitions: int = Field(default=24, ge=1)
    history_partitions: int = Field(default=12, ge=1)
    replication_factor: int = Field(default=-1)

    batch_max_keys: int = Field(default=20_000, ge=1)
    """How many there are by then, what they cost and how wide rows are decides (ADR 0232, 0250, 0253)."""
    batch_max_bytes: int = Field(default=8_000_000, ge=1)
    batch_max_records: int = Field(default=10_000, ge=1)
    """Of the processor. The applier takes as many corrections at once, but never more than 2,000 (ADR 0056)."""
    batch_max_s: float = Field(default=1.0, gt=0)
    """How long decoding a batch may take before it is closed."""
    retry_delay_s: float = Field(default=5.0, ge=0)
    retry_gather_s: float = Field(default=1.0, ge=0)
    accepted_window_s: float = Field(default=86_400.0, gt=0)
    accepted_max: int = Field(default=500_000, ge=1)
    statement_timeout_s: float = Field(default=5.0, gt=0)
    connect_timeout_s: int = Field(default=3, ge=1)
    session_timeout_s: float = Field(default=10.0, gt=0)
    transaction_timeout_s: float = Field(default=15.0, gt=0)

    http_port: int | None = Field(default=None, ge=0, le=65535)
    """Where a role serves /metrics, /livez and /readyz; 0 takes a free port, none serves nothing."""
    http_host: str = "0.0.0.0"  # noqa: S104 (probes come to the machine's address)
    liveness_timeout_s: float = Field(default=300.0, gt=0)
    """A loop that came round longer ago is taken as stuck: Kafka's own limit between two polls."""
    watch_s: float = Field(default=10.0, gt=0)
    """A database that was not read for so long is asked whether it is there."""
    monitor_s: float = Field(default=5.0, gt=0)
    """How often the monitor looks."""
    applier_group: str | None = None
    """The consumer group of an applier that is not ours, for the monitor."""

    def group(self, role: str) -> str:
        """The role's consumer group."""
        return f"{self.release}-{role}"

    @property
    def watched_applier_group(self) -> str:
        """Of whoever is the applier."""
        return self.applier_group or self.group("apply")

    def identity(self, role: str) -> str:
        """`<release>-<role>-<ordinal>`: group.instance.id and transactional.id."""
        return f"{self.group(role)}-{self.ordinal}"

    def application_name(self, role: str) -> str:
        """What the databases see this process as."""
        return f"resync/{role}/{self.ordinal}"


def load_settings() -> Settings:
    """Reads the environment. Raises SettingsError with all mistakes at once."""
    try:
        return Settings(**_from_files())
    except ValidationError as error:
        problems = [
            f"RESYNC_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors(include_input=False)
        ]
        raise SettingsError("; ".join(problems)) from None
    except pydantic_settings.SettingsError as error:
        raise SettingsError(str(error)) from None


def _from_files() -> dict[str, Any]:
    """Values of `RESYNC_<NAME>_FILE` variables, by setting."""
    values = {}
    for variable, place in os.environ.items():
        name = variable.removeprefix("RESYNC_").removesuffix("_FILE").lower()
        if variable == f"RESYNC_{name.upper()}_FILE" and name in Settings.model_fields:
            try:
                text = Path(place).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{variable}: {place} cannot be read: {error.strerror}") from None
            values[name] = _merged(name, text) if name in OPTIONS else text
    return values


def _merged(name: str, text: str) -> object:
    """Options of the variable and, over them, of its file; what is not JSON goes on to be refused by name."""
    given = os.environ.get(f"RESYNC_{name.upper()}", "{}")
    try:
        own, secret = json.loads(given), json.loads(text)
    except ValueError:
        return "not JSON"
    return {**own, **secret} if isinstance(own, dict) and isinstance(secret, dict) else None
