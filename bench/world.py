"""A stack of its own for a benchmark, with seeded tables, and fresh topics and history for each run."""

import os
import signal
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from processor.bootstrap.parts import open_catalog, open_codec
from processor.cli.output import say
from processor.codec import Codec
from processor.settings import Settings, Topics
from stack import environment, roles
from stack.layout import Stack
from stack.testing import temporary_stack

HERE = Path(__file__).parent
DISTRICT = "NORTH"
OTHER = "SOUTH"
"""Has a twentieth of the rows."""
PARTITIONS = 6
ROLES = ("process", "apply", "store")
READY_S = 60.0


class RunFailed(Exception):
    """A command or a role did not do its part; the message says what it said."""


@dataclass(frozen=True)
class World:
    """Services that run, `rows` persons on the district's side, and another district."""

    stack: Stack
    rows: int
    seed: int

    @cached_property
    def env(self) -> Mapping[str, str]:
        return {**environment.read(self.stack), "RESYNC_CATALOG": str(HERE / "catalog.yaml")}

    def choose(self, keys: range, count: int) -> list[int]:
        """The same ones each time."""
        return Random(self.seed).sample(keys, count)

    @contextmanager
    def run(self, **settings: str) -> Iterator["Run"]:
        """Tables as they were planted, fresh topics and a history of its own; what still runs at the end is killed.

        `settings` are of the roles, by the names of their variables.
        """
        _execute(self.env["RESYNC_STATE_DSN"], (HERE / "sql" / "plant.sql").read_bytes())
        name = f"bench_{uuid.uuid4().hex[:8]}"
        run = Run(self, name, Topics(**{topic: f"{name}.{topic}" for topic in Topics.model_fields}), settings)
        server = self.env["RESYNC_HISTORY_DSN"]
        _execute(server, sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            _console(run, "topics", "create")
            yield run
        finally:
            run.kill_all()
            _execute(server, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


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
        )

    @cached_property
    def codec(self) -> Codec:
        return open_codec(self.settings, open_catalog(self.settings))

    def start(self, *names: str) -> None:
        """Returns when each role has its partitions."""
        for role in names:
            roles.start(self.world.stack, role, 0, self.env)
        for role in names:
            roles.wait_ready(self.world.stack, role, 0, READY_S)

    def kill(self, role: str) -> None:
        self._note_memory(role)
        roles.kill(self.world.stack, role, 0, signal.SIGKILL)

    def kill_all(self) -> None:
        for role in ROLES:
            if roles.is_running(self.world.stack, role, 0):
                roles.kill(self.world.stack, role, 0, signal.SIGKILL)

    def stop(self, *names: str) -> None:
        for role in names:
            self._note_memory(role)
            roles.stop(self.world.stack, role, 0)

    def kept(self) -> Counter[str]:
        """Outcomes in the store's tables, by status."""
        with psycopg.connect(self.settings.history_dsn) as connection:
            rows = connection.execute("select status, count(*) from history.outcomes group by 1").fetchall()
        return Counter(dict(rows))

    def _note_memory(self, role: str) -> None:
        """Peak resident memory of a running role, from the kernel."""
        pid = int(self.world.stack.pid_file(f"{role}-0").read_text().split()[0])
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                megabytes = int(line.split()[1]) / 1024
                self.peak_rss_mb[role] = round(max(megabytes, self.peak_rss_mb.get(role, 0.0)), 1)


@contextmanager
def world(rows: int, seed: int) -> Iterator[World]:
    """Starts the services and loads the tables; everything goes at the end."""
    with temporary_stack(districts=[DISTRICT, OTHER]) as stack:
        env = environment.read(stack)
        started = time.monotonic()
        for name, script, count in (
            (f"RESYNC_DISTRICT_DSN_{DISTRICT}", "district", rows),
            (f"RESYNC_DISTRICT_DSN_{OTHER}", "district", rows // 20),
            ("RESYNC_STATE_DSN", "state", rows),
        ):
            text = (HERE / "sql" / f"{script}.sql").read_text(encoding="utf-8") % {"rows": count}
            _execute(env[name], text.encode())
        say(f"{rows:,} rows a side loaded in {time.monotonic() - started:.1f} s")
        yield World(stack, rows, seed)


def _execute(dsn: str, statements: bytes | sql.Composed | LiteralString) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statements)


def _console(run: Run, *arguments: str) -> None:
    command = [str(roles.console_script()), *arguments]
    done = subprocess.run(command, env=os.environ | run.env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunFailed(f"resync {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
