"""A deployment of a test's own on the shared stack: topics, databases, a catalog, and the processes of its roles."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import yaml
from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from confluent_kafka.cimpl import NewTopic

from processor.bootstrap.parts import open_catalog, open_codec
from processor.codec.subjects import register_all
from processor.core.partition import partition_of
from processor.core.request import Keys, Request
from processor.settings import Settings, Topics
from stack.layout import REPO
from tests.e2e.role import Role
from tests.e2e.watcher import Watcher
from tests.kept_connection import KeptConnection

PARTITIONS = 6
PUBLISHING_TRIES, PUBLISHING_S = 6, 10.0
_SPEC: Any = OffsetSpec
"""Its methods are untyped in the client."""
ROLES = ("process", "apply", "store")
CATALOG = REPO / "demo" / "catalog.yaml"


class Deployment:
    """`limits` replaces the catalog's; `settings` are `RESYNC_…` variables of all roles, without the prefix."""

    def __init__(
        self,
        stack_settings: Mapping[str, str],
        dsns: Mapping[str, str],
        directory: Path,
        *,
        limits: Mapping[str, Any] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.name = f"e{uuid.uuid4().hex[:8]}"
        self.dsns = dsns
        self.directory = directory
        self.topics = Topics(**{field: f"{self.name}.{field}" for field in Topics.model_fields})
        self.env = dict(stack_settings) | self._own_env(dsns, limits or {}, settings or {})
        self.roles: dict[str, Role] = {}
        self.settings = Settings(
            bootstrap_servers=self.env["RESYNC_BOOTSTRAP_SERVERS"],
            registry_url=self.env["RESYNC_REGISTRY_URL"],
            history_dsn=dsns["history"],
            state_dsn=dsns["state"],
            catalog=Path(self.env["RESYNC_CATALOG"]),
            schemas=Path(self.env["RESYNC_SCHEMAS"]),
            release=self.name,
            topics=self.topics,
        )
        self.catalog = open_catalog(self.settings)
        self.codec = open_codec(self.settings, self.catalog)
        self.client: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.settings.bootstrap_servers,
            "topic.metadata.refresh.interval.ms": 5_000,
            "log_level": 2,
        }
        self.admin = AdminClient(self.client)
        self._producer: Producer | None = None
        self._create_topics()
        register_all(self.codec, self.topics)
        self.watcher = Watcher(self.client, self.topics, self.codec, self._watched())
        self._connections = {side: KeptConnection(dsn) for side, dsn in dsns.items()}
        self._next_key = 1_000

    def close(self) -> None:
        for role in self.roles.values():
            if role.is_running():
                role.kill()
        self.watcher.close()
        self.disconnect()
        self.admin.delete_topics(list(self.topics.model_dump().values()))

    def logs(self) -> str:
        return "\n".join(f"--- {role.name}\n{role.tail()}" for role in self.roles.values())

    def start(
        self, role: str, ordinal: int = 0, *, ready: bool = True, interpreter: bool = False, **settings: object
    ) -> Role:
        """Starts a process; `settings` are variables of it alone. `ready`: returns when it is ready for work.

        `interpreter`: a new one, where that time matters; else a fork, which has imported all.
        """
        env = self.env | {f"RESYNC_{name.upper()}": str(value) for name, value in settings.items()}
        started = Role(role, ordinal, self.directory, env, interpreter=interpreter)
        self.roles[started.name] = started
        return started.await_ready() if ready else started

    def start_all(self, roles: Iterable[str] = ROLES) -> None:
        for role in [self.start(name, ready=False) for name in roles]:
            role.await_ready()

    def start_missing(self, roles: Iterable[str] = ROLES) -> list[str]:
        """Starts what has ended; returns what that was."""
        missing = [name for name in roles if f"{name}-0" not in self.roles or not self.role(name).is_running()]
        self.start_all(missing)
        return missing

    def restart_ended(self) -> list[str]:
        """As an orchestrator does it, without waiting: processes that ended by themselves; returns what that was."""
        roles = list(self.roles.items())  # another thread may start one meanwhile
        ended = [name for name, role in roles if not role.is_running() and not role.was_ended_by_test]
        for name in ended:
            role, _, ordinal = name.rpartition("-")
            self.start(role, int(ordinal), ready=False)
        return ended

    def role(self, name: str) -> Role:
        return self.roles[name if "-" in name else f"{name}-0"]

    @property
    def producer(self) -> Producer:
        if self._producer is None:
            self._producer = Producer({**self.client, "linger.ms": 1})
        return self._producer

    def request(self, district: str, object_name: str, keys: Iterable[object], **changes: Any) -> Request:
        made = Request(str(uuid.uuid4()), district, object_name, Keys(tuple(map(str, keys))), "clerk")
        return replace(made, **changes)

    def publish(self, *requests: Request) -> list[str]:
        """Into the district's partition; returns their ids once the broker has them.

        A publisher that is not sure publishes again: a request repeated is one request.
        """
        for _ in range(PUBLISHING_TRIES):
            for request in requests:
                home = partition_of(request.district_id, PARTITIONS)
                self.put(self.topics.requests, self.encoded(request), request.district_id.encode(), home)
            if self.producer.flush(PUBLISHING_S) == 0:
                return [request.request_id for request in requests]
            self._producer = None
        raise AssertionError(f"the broker took no request within {PUBLISHING_TRIES * PUBLISHING_S:g} s")

    def submit(self, district: str, object_name: str, keys: Iterable[object], **changes: Any) -> str:
        return self.publish(self.request(district, object_name, keys, **changes))[0]

    def encoded(self, request: Request) -> bytes:
        return self.codec.encode(self.topics.requests, request)

    def put(self, topic: str, value: bytes | None, key: bytes | None, partition: int, **more: Any) -> None:
        while True:
            try:
                self.producer.produce(topic, value, key, partition, **more)
            except BufferError:
                self.producer.poll(0.1)
            else:
                return

    def flush(self) -> None:
        assert self.producer.flush(PUBLISHING_S) == 0

    def rows(
        self, side: str, query: LiteralString, parameters: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """`side` is `state`, `history` or a district."""
        return self._connections[side].rows(query.encode(), parameters)

    def connection(self, side: str) -> psycopg.Connection[tuple[Any, ...]]:
        return self._connections[side].get()

    def disconnect(self) -> None:
        """Before a server is restarted by the test itself."""
        for connection in self._connections.values():
            connection.close()

    def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """The high watermark of each partition, transaction markers and open transactions included."""
        self.admin.list_topics(timeout=10)  # else it would not know of leaders that have changed
        single = (self.topics.control, self.topics.dead_letters)
        wanted = {TopicPartition(t, p): _SPEC.latest() for t in topics for p in range(1 if t in single else PARTITIONS)}
        asked = self.admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=10)
        return {(place.topic, place.partition): future.result(11).offset for place, future in asked.items()}

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        asked = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=10)
        return {(p.topic, p.partition): p.offset for p in asked[group].result(11).topic_partitions}

    def read_all(self) -> None:
        """The watcher has read all that is committed now."""
        ends = self.ends(self._watched())
        self.watcher.until(lambda: self.watcher.has_reached(ends), "the end of the topics", poll_s=0.02)

    def take_keys(self, count: int) -> range:
        """Keys that no other test of this deployment uses."""
        start = self._next_key
        self._next_key += count
        return range(start, start + count)

    def _own_env(
        self, dsns: Mapping[str, str], limits: Mapping[str, Any], settings: Mapping[str, object]
    ) -> dict[str, str]:
        catalog = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
        catalog["limits"] |= limits
        catalog["crosswalks"] = {n: str(CATALOG.parent / p) for n, p in catalog["crosswalks"].items()}
        file = self.directory / "catalog.yaml"
        file.write_text(yaml.safe_dump(catalog), encoding="utf-8")
        districts = {f"RESYNC_DISTRICT_DSN_{d}": dsn for d, dsn in dsns.items() if d not in ("state", "history")}
        topics = {f"RESYNC_TOPIC_{name.upper()}": topic for name, topic in self.topics.model_dump().items()}
        own = {f"RESYNC_{name.upper()}": str(value) for name, value in settings.items()}
        return {
            "RESYNC_CATALOG": str(file),
            "RESYNC_RELEASE": self.name,
            "RESYNC_STATE_DSN": dsns["state"],
            "RESYNC_HISTORY_DSN": dsns["history"],
            **districts,
            **topics,
            **own,
        }

    def _create_topics(self) -> None:
        compact = {"cleanup.policy": "compact"}
        counts = dict.fromkeys(self.topics.model_dump().values(), PARTITIONS)
        counts |= {self.topics.control: 1, self.topics.dead_letters: 1}
        configs = {
            self.topics.accepted: {"cleanup.policy": "compact,delete"},
            self.topics.control: compact,
            self.topics.history: compact,
        }
        new = [NewTopic(topic, count, 1, config=configs.get(topic, {})) for topic, count in counts.items()]
        for future in self.admin.create_topics(new).values():
            future.result(30)

    def _watched(self) -> dict[str, int]:
        district = dict.fromkeys((self.topics.corrections, self.topics.answers, self.topics.history), PARTITIONS)
        return district | {self.topics.dead_letters: 1}
