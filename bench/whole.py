"""Requests for all rows of an object, verified or resynced, and whether what came of them is what was planted."""

import json
import math
import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from bench.planted import Planted
from bench.traffic import OBJECT, Publisher, compare
from bench.world import DISTRICT, Run, RunFailed
from processor.core.request import All, Mode, Report, Request
from stack import roles

POLL_S = 0.1
LONGEST_S = 3_600.0
OFF = ("DIFFERS", "MISSING_AT_STATE", "MISSING_AT_DISTRICT", "DUPLICATE_KEY")


def request_for_all(mode: Mode, district_id: str = DISTRICT) -> Request:
    return Request(str(uuid.uuid4()), district_id, OBJECT, All(), "bench", mode=mode, report=Report.CHANGES)


@dataclass(frozen=True, slots=True)
class Verified:
    """Seconds from the start of the command to its summary, and to its last row being read for the first time."""

    request_id: str
    seconds: float
    scanned_s: float


def verify(run: Run, planted: Planted, district_id: str = DISTRICT) -> Verified:
    """By the command. Raises WrongCount where its summary is not what was planted."""
    started, began_at = time.monotonic(), time.time()
    asked = ["verify", "--district", district_id, "--object", OBJECT, "-o", "json"]
    done = subprocess.run(
        [str(roles.console_script()), *asked], env=os.environ | run.env, capture_output=True, text=True, check=False
    )
    took = time.monotonic() - started
    if done.returncode not in {0, 3}:
        raise RunFailed(f"resync verify ended with {done.returncode}: {done.stderr.strip()}")
    summary = json.loads(done.stdout)
    wanted = summary_of(planted)
    compare({name: summary[name] for name in wanted}, wanted, "in the summary")
    return Verified(summary["request_id"], took, _scanned_at(run, summary["request_id"]) - began_at)


def summary_of(planted: Planted) -> Mapping[str, int]:
    return {
        "district_rows": planted.rows,
        "state_rows": planted.rows - planted.missing,
        "in_sync": planted.equal,
        "differing": planted.differing,
        "missing_at_state": planted.missing,
        "missing_at_district": 0,
        "duplicates": 0,
    }


def keys_off(run: Run, request_id: str) -> frozenset[str]:
    """Those that a verification did not find in sync."""
    asked = "select key from history.outcomes where request_id = %s and status = any(%s)"
    with psycopg.connect(run.settings.history_dsn) as connection:
        return frozenset(key for (key,) in connection.execute(asked, (request_id, list(OFF))))


def _scanned_at(run: Run, request_id: str) -> float:
    """When the last part of a verification was decided, in Unix seconds; what differs is read again some time after."""
    asked = """
        select extract(epoch from max(decided_at))::float from resync_store.chunks
        where request_id = %s and chunk ~ '^[0-9]+[.][0-9]+$'
    """
    with psycopg.connect(run.settings.history_dsn) as connection:
        return float((connection.execute(asked, (request_id,)).fetchone() or [math.nan])[0])


@dataclass(frozen=True, slots=True)
class Resynced:
    """Seconds from publishing to the plan being let pass, and to the end: all applied, answered and in the tables."""

    request_id: str
    planned_s: float
    seconds: float


def resync(run: Run, planted: Planted, district_id: str = DISTRICT) -> Resynced:
    """Raises WrongCount where outcomes are not those that were planted."""
    publisher, request = Publisher(run), request_for_all(Mode.SYNC, district_id)
    started = time.monotonic()
    publisher.send(request)
    publisher.flush()
    planned, counts = _ended(run, request.request_id)
    took = time.monotonic() - started
    compare(counts, {"IN_SYNC": planted.equal, "APPLIED": planted.off}, "in the tables")
    return Resynced(request.request_id, planned - started, took)


def _ended(run: Run, request_id: str) -> tuple[float, Mapping[str, int]]:
    """When its plan was let pass, on the monotonic clock, and how many keys of each status it has at its end.

    Raises RunFailed where it ends otherwise.
    """
    asked = "select state, planned is not null, counts from history.requests where request_id = %s"
    planned, until = math.nan, time.monotonic() + LONGEST_S
    with psycopg.connect(run.settings.history_dsn, autocommit=True) as connection:
        while time.monotonic() < until:
            state, is_planned, counts = connection.execute(asked, (request_id,)).fetchone() or ("", False, [])
            if is_planned and math.isnan(planned):
                planned = time.monotonic()
            if state == "COMPLETE":
                return planned, {each["status"]: each["keys"] for each in counts}
            if state not in {"", "ACCEPTED"}:
                raise RunFailed(f"a resync of all rows ended as {state}")
            time.sleep(POLL_S)
    raise TimeoutError(f"a resync of all rows has not ended after {LONGEST_S:.0f} s")
