"""What a figure is given with: how to measure it again, on what, and how long that took. And all of them for people."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, TypeAlias

import confluent_kafka
import psycopg

from processor.cli.output import console
from stack.artifacts import read_lock
from stack.layout import REPO

Figure: TypeAlias = dict[str, Any]
SERVICES = {"kafka": "org.apache.kafka:kafka_", "registry": "io.apicurio:apicurio-registry-app:"}
"""How the coordinates of each begin."""
LIBRARIES = ("confluent-kafka", "fastavro", "psycopg")


def versions(dsn: str) -> dict[str, str]:
    """Of the product, its libraries and the services; `dsn` is of a database of the stack."""
    pinned = [artifact.coordinates for artifacts in read_lock().values() for artifact in artifacts]
    with psycopg.connect(dsn) as connection:
        row = connection.execute("show server_version").fetchone()
    return {
        "selective-sync": version("selective-sync"),
        "commit": _commit(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        "librdkafka": confluent_kafka.libversion()[0],
        **{name: next(c.rpartition(":")[2] for c in pinned if c.startswith(start)) for name, start in SERVICES.items()},
        "postgres": "" if row is None else row[0],
    }


def machine() -> Figure:
    """With the load of the last minute, ours included: figures of a busy machine say little."""
    return {"cores": os.cpu_count(), "architecture": platform.machine(), "load_1m": round(os.getloadavg()[0], 1)}


def show(figures: Iterable[Figure], took_s: float) -> None:
    """A table on stderr."""
    from rich import box
    from rich.table import Table

    table = Table(
        "measured", "figure", "peak memory, MB", title=f"{took_s:.0f} s in all", title_justify="left", box=box.SIMPLE
    )
    for figure in figures:
        for row in rows(figure):
            table.add_row(*row)
    console(stderr=True).print(table)


def rows(figure: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    memory = ", ".join(f"{role} {megabytes:.0f}" for role, megabytes in figure.get("peak_rss_mb", {}).items())
    match figure["scenario"]:
        case "backlog":
            what = f"{figure['keys']:,} keys in requests of {figure['keys_per_request']:,}"
            yield what, f"{figure['keys_per_s']:,} keys/s, all of it kept after {figure['kept_s']:.0f} s", memory
        case "latency":
            what = f"one key, {figure['requests_per_s']} a second, {figure['requests']:,} requests"
            yield what, f"p50 {figure['p50_ms']} ms, p99 {figure['p99_ms']} ms", memory
        case "beside":
            for name, told in figure["districts"].items():
                idle, busy, times = told["idle"], told["busy"], told["ratio"]
                what = f"the same while {figure['rows_a_side']:,} rows are verified, {name} district"
                found = f"p50 {busy['p50_ms']} ms, p99 {busy['p99_ms']} ms"
                as_idle = f"{times['p50']} and {times['p99']} times {idle['p50_ms']} and {idle['p99_ms']} ms when idle"
                yield what, f"{found}: {as_idle}", memory
                memory = ""
            yield "that verification", f"{figure['batch_s']} s", ""
        case "whole":
            what = f"{figure['rows_a_side']:,} rows a side, {figure['changes']:,} off"
            times = f"verified in {figure['verified_s']} s, resynced in {figure['resynced_s']} s"
            yield what, f"{times} ({figure['keys_per_s']:,} keys/s), equal in {figure['verified_again_s']} s", memory
        case "recovery":
            for role, times in figure["recovered_s"].items():
                told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in times.items())
                yield f"{role} after {figure['kills_per_role']} kills", f"{told} s", memory
                memory = ""
            yield "lag of all groups when idle", str(figure["idle_lag"]), ""


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = subprocess.run(
        [git, "describe", "--always", "--dirty"], cwd=REPO, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"
