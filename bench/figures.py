"""What a figure is given with: how to measure it again, on what, and how long that took. And all of them for people."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from typing import Any, TypeAlias

import confluent_kafka
import psycopg

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


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = subprocess.run(
        [git, "describe", "--always", "--dirty"], cwd=REPO, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"
