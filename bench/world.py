"""A stack of its own for a benchmark, with seeded tables, and fresh topics and history for each run."""

import json
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from random import Random
from typing import LiteralString
from urllib.request import Request, urlopen

import psycopg
from confluent_kafka.admin import AdminClient
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.meter import peak_rss_mb
from bench.planted import USUAL, Planted, Planting
from processor.adapters.kafka.topics import TopicSpec, topic_specs
from processor.bootstrap.parts import open_catalog, open_codec
from processor.cli import parts
from processor.cli.output import say
from processor.codec import Codec
from processor.codec.subjects import subjects
from processor.settings import Settings, Topics
from stack import environment, roles
from stack.layout import Stack
from stack.testing import folder_in_memory, temporary_stack

HERE = Path(__file__).parent
CATALOG = HERE / "catalog.yaml"
DISTRICT = "NORTH"
OTHER, OTHER_SHARE = "EAST", 10
"""It has one of so many rows. Its partition is in the half where `DISTRICT`'s is not: two processes have one each."""
PARTITIONS = 6
ROLES = ("process", "apply", "store")
MOST_PROCESSES = 4
"""Of a role."""
READY_S = 60.0
DELETED_S = 30.0
LARGEST_BYTES = 10_000_000
"""As the processor's client takes. A deployment's topics take a megabyte, and `resync submit` splits what is larger."""
SOON = {"RESYNC_RETRY_DELAY_S": "1"}
NOTHING_IS_MISSING = b"insert into bench_state_person select * from bench_state_rows(100) on conflict do nothing"
IN_ORDER: LiteralString = "cluster bench_state_person using bench_state_person_pkey"
"""As if just loaded: else what earlier scenarios planted would decide how rows lie (ADR 0245)."""


class RunFailed(Exception):
    """A command or a role did not do its part; the message says what it said."""


@dataclass
class World:
    """Services that run, `rows` persons on the district's side, and another district."""

    stack: Stack
    rows: int
    seed: int
    planting: Planting = USUAL
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of all roles, by the names of their variables."""

    @cached_property
    def env(self) -> Mapping[str, str]:
        return {**environment.read(self.stack), "RESYNC_CATALOG": str(CATALOG), **self.settings}

    def choose(self, keys: range, count: int) -> list[int]:
        """The same ones each time."""
        return Random(self.seed).sample(keys, count)

    def plant(self, planting: Planting | None = None) -> None:
        """Makes the state as it was planted, or is to be from now on, whatever was done there meanwhile."""
        if planting is not None:
            self.planting = planting
        script = (HERE / "sql" / "plant.sql").read_text(encoding="utf-8")
        _execute(self.env["RESYNC_STATE_DSN"], (script % asdict(self.planting)).encode())
        if not self.planting.missing:
            _execute(self.env["RESYNC_STATE_DSN"], NOTHING_IS_MISSING)
        if planting is not None:
            _execute(self.env["RESYNC_STATE_DSN"], IN_ORDER)
            _vacuum(self.env["RESYNC_STATE_DSN"], "bench_state_person")

    def planted(self, district_id: str = DISTRICT) -> Planted:
        return self.planting.of(self.rows_of(district_id))

    def rows_of(self, district_id: str) -> int:
        return self.rows // OTHER_SHARE if district_id == OTHER else self.rows

    @contextmanager
    def run(self, **settings: str) -> Iterator["Run"]:
        """Tables as they were planted, fresh topics and a history of its own; what still runs at the end is killed.

        `settings` are of the roles, by the names of their variables.
        """
        name = f"bench_{uuid.uuid4().hex[:8]}"
        run = Run(self, name, Topics(**{topic: f"{name}.{topic}" for topic in Topics.model_fields}), settings)
        server = self.env["RESYNC_HISTORY_DSN"]
        try:
            run.set_up()
            yield run
        finally:
            run.kill_all()
            run.delete_topics()
            _execute(server, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@dataclass
class Run:
    """One benchmark run: its topics and history, and the roles started for it."""

    world: World
    name: str
    topics: Topics
    own: Mapping[str, str] = field(default_factory=dict)
    """Settings of its own, by the names of their variables."""
    peak_rss_mb: dict[str, float] = field(default_factory=dict)
    """By role, of all its processes."""

    @cached_property
    def env(self) -> dict[str, str]:
        named = {f"RESYNC_TOPIC_{name.upper()}": topic for name, topic in self.topics.model_dump().items()}
        counts = {name: str(PARTITIONS) for name in ("RESYNC_PARTITIONS", "RESYNC_HISTORY_PARTITIONS")}
        history = make_conninfo(self.world.env["RESYNC_HISTORY_DSN"], dbname=self.name)
        return {
            **self.world.env,
            **named,
            **counts,
            "RESYNC_RELEASE": self.name,
            "RESYNC_HISTORY_DSN": history,
            # Else each command and role would compile the project anew, as no installed one does.
            "PYTHONDONTWRITEBYTECODE": "",
            **self.own,
        }

    @cached_property
    def settings(self) -> Settings:
        env = self.env
        return Settings(
            bootstrap_servers=env["RESYNC_BOOTSTRAP_SERVERS"],
            registry_url=env["RESYNC_REGISTRY_URL"],
            history_dsn=env["RESYNC_HISTORY_DSN"],
            state_dsn=env["RESYNC_STATE_DSN"],
            catalog=Path(env["RESYNC_CATALOG"]),
            schemas=Path(env["RESYNC_SCHEMAS"]),
            release=env["RESYNC_RELEASE"],
            topics=self.topics,
            partitions=PARTITIONS,
            history_partitions=PARTITIONS,
        )

    @cached_property
    def codec(self) -> Codec:
        return open_codec(self.settings, open_catalog(self.settings))

    def set_up(self) -> None:
        """As `resync topics create` does it, without the start of an interpreter, and all at once."""
        settings = self.settings
        steps: list[Callable[[], object]] = [
            self.world.plant,
            lambda: parts.open_topics(settings).create([self._roomy(spec) for spec in topic_specs(settings)], 1),
            self._make_history,
            self._register,
        ]
        with ThreadPoolExecutor(len(steps)) as threads:
            for done in [threads.submit(step) for step in steps]:
                done.result()

    def delete_topics(self) -> None:
        """Partitions that are left cost the broker time in all later runs (ADR 0254)."""
        admin = AdminClient({"bootstrap.servers": self.settings.bootstrap_servers, "log_level": 3})
        topics = [spec.name for spec in topic_specs(self.settings)]
        for topic, deleted in admin.delete_topics(topics, request_timeout=DELETED_S).items():
            if (fault := deleted.exception()) is not None:
                say(f"{topic} is left, and makes later figures worse: {fault}")

    def _roomy(self, spec: TopicSpec) -> TopicSpec:
        """With room for a request of a million keys where requests are."""
        if spec.name not in {self.topics.requests, self.topics.chunks}:
            return spec
        return replace(spec, config={**spec.config, "max.message.bytes": str(LARGEST_BYTES)})

    def _register(self) -> None:
        """A third of what `resync topics create` asks the registry: without rules for schemas to come."""
        for topic, record, _ in subjects(self.topics):
            for schema in self.codec.schemas_of(record):
                subject = f"{topic}-{schema.record.name}"
                asked = Request(f"{self.settings.registry_url}/subjects/{subject}/versions", method="POST")  # noqa: S310  (the stack's own)
                asked.add_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                with urlopen(asked, json.dumps({"schema": schema.text}).encode(), READY_S):  # noqa: S310  (likewise)
                    pass

    def _make_history(self) -> None:
        _execute(self.world.env["RESYNC_HISTORY_DSN"], sql.SQL("create database {}").format(sql.Identifier(self.name)))
        parts.migrate_history(self.settings)

    def start(self, *names: str, ordinal: int = 0) -> None:
        """Returns when each role has its partitions."""
        for role in names:
            roles.start(self.world.stack, role, ordinal, self.env)
        for role in names:
            roles.wait_ready(self.world.stack, role, ordinal, READY_S)

    def pid(self, role: str, ordinal: int = 0) -> int:
        """Of a running role."""
        return int(self.world.stack.pid_file(roles.name_of(role, ordinal)).read_text())

    def kill(self, role: str) -> None:
        self._note_memory(role)
        roles.kill(self.world.stack, role, 0, signal.SIGKILL)

    def kill_all(self) -> None:
        for role, ordinal in product(ROLES, range(MOST_PROCESSES)):
            if roles.is_running(self.world.stack, role, ordinal):
                roles.kill(self.world.stack, role, ordinal, signal.SIGKILL)

    def stop(self, *names: str, ordinal: int = 0) -> None:
        for role in names:
            self._note_memory(role, ordinal)
            roles.stop(self.world.stack, role, ordinal)

    def kept(self) -> Counter[str]:
        """Outcomes in the store's tables, by status."""
        with psycopg.connect(self.settings.history_dsn) as connection:
            rows = connection.execute("select status, count(*) from history.outcomes group by 1").fetchall()
        return Counter(dict(rows))

    def _note_memory(self, role: str, ordinal: int = 0) -> None:
        """Peak resident memory of a running role."""
        peak = peak_rss_mb(self.pid(role, ordinal))
        self.peak_rss_mb[role] = max(peak, self.peak_rss_mb.get(role, 0.0))


@contextmanager
def world(rows: int, seed: int, *, is_quick: bool = False) -> Iterator[World]:
    """Starts the services and loads the tables; everything goes at the end.

    `is_quick`: nothing is on a disk, where there is memory enough, and what differs is read again soon.
    """
    parent, settings = (folder_in_memory(), SOON) if is_quick else (None, {})
    with temporary_stack(districts=[DISTRICT, OTHER], parent=parent) as stack:
        yield loaded(World(stack, rows, seed, settings=settings))


def loaded(here: World) -> World:
    """Tables anew, with the usual planted."""
    rows, started = here.rows, time.monotonic()
    ours, theirs = here.rows_of(DISTRICT), here.rows_of(OTHER)
    tables = (
        (f"RESYNC_DISTRICT_DSN_{DISTRICT}", "district", {"rows": ours}),
        (f"RESYNC_DISTRICT_DSN_{OTHER}", "district", {"rows": theirs}),
        ("RESYNC_STATE_DSN", "state", {"rows": ours, "other_rows": theirs}),
    )
    with ThreadPoolExecutor(len(tables)) as threads:
        for done in [threads.submit(_load, here.env[name], script, counts) for name, script, counts in tables]:
            done.result()
    for district_id in (DISTRICT, OTHER):
        _vacuum(here.env[f"RESYNC_DISTRICT_DSN_{district_id}"], "bench_person")
    here.plant(USUAL)
    say(f"{rows:,} rows a side loaded in {time.monotonic() - started:.1f} s")
    return here


def _load(dsn: str, script: str, counts: Mapping[str, int]) -> None:
    _execute(dsn, ((HERE / "sql" / f"{script}.sql").read_text(encoding="utf-8") % counts).encode())


def _vacuum(dsn: str, table: LiteralString) -> None:
    """Or whoever comes first would pay for the first reading of all rows."""
    _execute(dsn, sql.SQL("vacuum analyze {}").format(sql.Identifier(table)))


def _execute(dsn: str, statements: bytes | sql.Composed | LiteralString) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statements)
