"""A peer asked for what a verification finds: which keys are on one side only, or differ."""

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peers.environment import RELADIFF, python
from bench.world import DISTRICT, RunFailed
from processor.core.catalog import ObjectType

SCRIPT = Path(__file__).with_name("hashdiff.py")


@dataclass(frozen=True, slots=True)
class Setting:
    """Of reladiff: threads a database, and below how many rows it fetches a segment instead of halving it."""

    threads: int
    bisection_threshold: int


DEFAULTS = Setting(1, 16_384)
TUNED = Setting(4, 131_072)
"""More threads, as it advises for Postgres, and a larger threshold, as it advises for many changes."""


@dataclass(frozen=True, slots=True)
class Diff:
    seconds: float
    """From the start of its process to its end."""
    keys: frozenset[str]


def reladiff(kind: ObjectType, env: Mapping[str, str], setting: Setting) -> Diff:
    """Of the compared columns of the benchmark's district. Raises RunFailed.

    Only for objects whose fields have columns of one name, and types of one kind, on both sides.
    """
    wanted = order(kind, env, setting)
    command: list[str | Path] = [python(RELADIFF), "-P", SCRIPT]
    started = time.monotonic()
    done = subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True, check=False)
    took = time.monotonic() - started
    if done.returncode:
        raise RunFailed(f"reladiff ended with {done.returncode}: {done.stderr.strip()}")
    return Diff(took, frozenset(map(str, json.loads(done.stdout))))


def order(kind: ObjectType, env: Mapping[str, str], setting: Setting) -> Mapping[str, Any]:
    columns = [field.district_column for field in kind.compared]
    if columns != [field.state_column for field in kind.compared]:
        raise RunFailed(f"{kind.name}: columns have other names on the other side, and a peer takes one list of them")
    ours = {
        "dsn": env[f"RESYNC_DISTRICT_DSN_{DISTRICT}"],
        "table": kind.district.name,
        "key": kind.district.key_column,
    }
    theirs = {
        "dsn": env["RESYNC_STATE_DSN"],
        "table": kind.state.name,
        "key": kind.state.key_column,
        "where": f"{kind.state.district_column} = '{DISTRICT}'",
    }
    return {
        "sides": [ours, theirs],
        "columns": columns,
        "threads": setting.threads,
        "bisection_threshold": setting.bisection_threshold,
    }
