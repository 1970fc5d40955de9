"""A stack of its own for a benchmark, with seeded tables, and fresh topics for each run."""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psycopg

from processor.bootstrap import open_catalog, open_codec
from processor.codec import Codec
from processor.settings import Settings, Topics
from stack import environment, roles
from stack.layout import REPO, Stack
from stack.testing import temporary_stack

HERE = Path(__file__).parent
DISTRICT = "NORTH"
READY_S = 60.0


@dataclass(frozen=True)
class World:
    """Services that run, and `rows` persons on the district's side."""

    stack: Stack
    rows: int

    @cached_property
    def env(self) -> Mapping[str, str]:
        return {**environment.read(self.stack), "RESYNC_CATALOG": str(HERE / "catalog.yaml")}

    def run(self) -> "Run":
        """Fresh topics."""
        names = {name: f"{uuid.uuid4().hex[:8]}.{name}" for name in Topics.model_fields}
        run = Run(self, Topics(**names))
        subprocess.run(
            [roles.console_script(), "topics", "create"], env=os.environ | run.env, check=True, capture_output=True
        )
        return run


@dataclass
class Run:
    """One benchmark run: its topics, and the roles started for it."""

    world: World
    topics: Topics
    peak_rss_mb: dict[str, float] = field(default_factory=dict)

    @cached_property
    def env(self) -> dict[str, str]:
        named = {f"RESYNC_TOPIC_{name.upper()}": topic for name, topic in self.topics.model_dump().items()}
        release = {"RESYNC_RELEASE": f"bench-{self.topics.requests[:8]}"}
        return {**self.world.env, **named, **release, "RESYNC_PARTITIONS": "6", "RESYNC_HISTORY_PARTITIONS": "6"}

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

    def start(self, role: str) -> None:
        """Returns when the role has its partitions."""
        roles.start(self.world.stack, role, 0, self.env)
        roles.wait_ready(self.world.stack, role, 0, READY_S)

    def kill(self, role: str) -> None:
        self.note_memory(role)
        roles.kill(self.world.stack, role, 0, signal.SIGKILL)

    def note_memory(self, role: str) -> None:
        """Peak resident memory of a running role, from the kernel."""
        pid = int(self.world.stack.pid_file(f"{role}-0").read_text().split()[0])
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                megabytes = int(line.split()[1]) / 1024
                self.peak_rss_mb[role] = round(max(megabytes, self.peak_rss_mb.get(role, 0.0)), 1)

    def stop(self, *names: str) -> None:
        for role in names:
            if roles.is_running(self.world.stack, role, 0):
                self.note_memory(role)
                roles.stop(self.world.stack, role, 0)


@contextmanager
def world(rows: int) -> Iterator[World]:
    """Starts the services and loads the tables; everything goes at the end."""
    with temporary_stack(districts=[DISTRICT]) as stack:
        env = environment.read(stack)
        started = time.monotonic()
        for dsn, script in ((env[f"RESYNC_DISTRICT_DSN_{DISTRICT}"], "district"), (env["RESYNC_STATE_DSN"], "state")):
            text = (HERE / "sql" / f"{script}.sql").read_text(encoding="utf-8") % {"rows": rows}
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(text.encode())
        print(f"# {rows:,} rows a side loaded in {time.monotonic() - started:.1f} s ({REPO.name})")
        yield World(stack, rows)
