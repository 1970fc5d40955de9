"""Who works on a backlog: our processor, or a program that takes its orders from a file."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.row_digest import row_digest
from bench.world import DISTRICT, HERE, READY_S, Run, RunFailed
from processor.bootstrap.parts import open_catalog
from processor.core.catalog import Table

TRANSACTION_KEYS = 20_000
"""The most keys that a contender commits at once, where it can choose."""
GRACE_S = 30.0
TAIL_LINES = 20
Pids = Mapping[str, list[int]]
"""By kind of process."""


@dataclass(frozen=True, slots=True)
class Job:
    keys_per_request: int
    districts: Sequence[str] = (DISTRICT,)
    transaction_keys: int = TRANSACTION_KEYS


@dataclass(frozen=True, slots=True)
class Worker:
    """`working` gives the pids of what it has started and got ready, and stops it at the end."""

    name: str
    working: Callable[[Run, Job], AbstractContextManager[Pids]]
    group: Callable[[Run], str]
    takes_long: bool = False
    """A tenth as many keys tell enough of it, once."""
    takes_long_by_one: bool = False
    """Where requests have one key, once tells enough of it."""
    goals: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """How many times as fast as it we want to be, by group of scenarios and value."""

    def goals_of(self, group: str) -> Mapping[str, float]:
        return self.goals.get(group, {})


def ours(name: str, processes: int) -> Worker:
    @contextmanager
    def working(run: Run, _job: Job) -> Iterator[Pids]:
        for ordinal in range(processes):
            run.start("process", ordinal=ordinal)
        yield {"process": [run.pid("process", ordinal) for ordinal in range(processes)]}
        for ordinal in range(processes):
            run.stop("process", ordinal=ordinal)

    return Worker(name, working, lambda run: run.settings.group("process"))


OURS = ours("ours", 1)


def program(
    name: str,
    command: Callable[[Path], Sequence[str | Path]],
    *,
    takes_long: bool = False,
    takes_long_by_one: bool = False,
    goals: Mapping[str, Mapping[str, float]] | None = None,
) -> Worker:
    """One that is started with the path of its orders, says `ready` on a line, and works until SIGTERM."""

    @contextmanager
    def working(run: Run, job: Job) -> Iterator[Pids]:
        folder = run.world.stack.run_dir
        orders, log = folder / f"{run.name}-{name}.json", folder / f"{run.name}-{name}.log"
        orders.write_text(json.dumps(orders_of(run, job, name)), encoding="utf-8")
        with log.open("wb") as errors:
            process = subprocess.Popen(
                command(orders), stdout=subprocess.PIPE, stderr=errors, cwd=HERE.parent, env=_environ()
            )
        with process:
            try:
                await_ready(process, name, log)
                yield {name: [process.pid]}
                end(process, name, log)
            finally:
                process.kill()

    return Worker(name, working, lambda run: _identity(run, name), takes_long, takes_long_by_one, goals or {})


def orders_of(run: Run, job: Job, name: str) -> Mapping[str, Any]:
    """What a program is told; tables and columns are those of the catalog."""
    kind = open_catalog(run.settings).objects["PersonIdentity"]
    return {
        "bootstrap": run.settings.bootstrap_servers,
        "group": _identity(run, name),
        "transactional_id": _identity(run, name),
        "topics": run.topics.model_dump(),
        "registry": run.settings.registry_url,
        "schemas": str(run.settings.schemas),
        "districts": [
            {"id": each, "table": _table(kind.district, run.env[f"RESYNC_DISTRICT_DSN_{each}"])}
            for each in job.districts
        ],
        "state": _table(kind.state, run.settings.state_dsn),
        "columns": [field.district_column for field in kind.compared],
        "digest": row_digest(kind),
        "keys_per_request": job.keys_per_request,
        "transaction_keys": job.transaction_keys,
    }


def _table(table: Table, dsn: str) -> Mapping[str, str | None]:
    """`district_column` is None where all rows are one district's."""
    return {"dsn": dsn, "name": table.name, "key": table.key_column, "district_column": table.district_column}


def _identity(run: Run, name: str) -> str:
    return f"{run.name}-{name}".replace(" ", "-")


def _environ() -> Mapping[str, str]:
    return {"MALLOC_ARENA_MAX": "2", **os.environ}


def await_ready(process: "subprocess.Popen[bytes]", name: str, log: Path) -> None:
    until, told = time.monotonic() + READY_S, b""
    descriptor = process.stdout.fileno() if process.stdout else -1
    while b"ready" not in told.splitlines():
        readable, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
        if not readable:
            raise RunFailed(f"{name} was not ready after {READY_S:.0f} s:\n{_tail(log)}")
        more = os.read(descriptor, 65_536)
        if not more:
            raise RunFailed(f"{name} ended before it was ready:\n{_tail(log)}")
        told += more


def end(process: "subprocess.Popen[bytes]", name: str, log: Path) -> None:
    """Raises RunFailed where it has ended by itself, or badly, or does not end."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            raise RunFailed(f"{name} still works {GRACE_S:.0f} s after it was told to end:\n{_tail(log)}") from None
        if process.returncode in {0, -signal.SIGTERM, 128 + signal.SIGTERM}:
            return
    raise RunFailed(f"{name} ended with {process.returncode}:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:])
