"""A peer asked for what a verification finds: which keys are on one side only, or differ."""

import json
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
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


SETTINGS = (Setting(1, 16_384), Setting(4, 16_384), Setting(4, 131_072))
"""Its defaults; more threads, as it advises for Postgres; a larger threshold too, as it advises for many changes."""


@dataclass(frozen=True, slots=True)
class Diff:
    setting: Setting
    seconds: float
    """From the start of its process to its end."""
    keys: frozenset[str]


def reladiff(kind: ObjectType, env: Mapping[str, str], settings: Iterable[Setting] = SETTINGS) -> list[Diff]:
    """By each setting, of the compared columns of the benchmark's district. Raises RunFailed.

    Only for objects whose fields have columns of one name, and types of one kind, on both sides.
    """
    interpreter = python(RELADIFF)
    return [_diff(interpreter, order(kind, env, setting), setting) for setting in settings]


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


def told(diffs: Sequence[Diff], scanned_s: float, seconds: float, keys: frozenset[str]) -> dict[str, Any]:
    """Of a figure: how many times as fast we read all rows, and were done. `keys` are those that we found."""
    return {
        "reladiff": [
            {
                "threads": diff.setting.threads,
                "bisection_threshold": diff.setting.bisection_threshold,
                "seconds": round(diff.seconds, 2),
                "scan_times_as_fast": round(diff.seconds / scanned_s, 2),
                "times_as_fast": round(diff.seconds / seconds, 2),
            }
            for diff in diffs
        ],
        "same_keys": all(diff.keys == keys for diff in diffs),
    }


def _diff(interpreter: Path, wanted: Mapping[str, Any], setting: Setting) -> Diff:
    started = time.monotonic()
    command: list[str | Path] = [interpreter, "-P", SCRIPT]
    done = subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True, check=False)
    took = time.monotonic() - started
    if done.returncode:
        raise RunFailed(f"reladiff ended with {done.returncode}: {done.stderr.strip()}")
    return Diff(setting, took, frozenset(map(str, json.loads(done.stdout))))
