"""The topic written out: what is committed, up to where it ended, in every form, with nothing left behind."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer

from processor.adapters.kafka.history_scan import ScanReader
from processor.codec.history import history_record
from processor.core.correction import Op
from processor.core.history import (
    ChunkState,
    Cleared,
    Count,
    Guard,
    HistoryRecord,
    PlanCounts,
    Planned,
    RequestEnd,
    RequestState,
    Sample,
)
from processor.service.export import COLUMNS, Wanted, export
from processor.service.history_changes import history_decoder
from processor.service.history_ports import BatchLimits, LogBatch
from stack.layout import REPO
from tests import forked
from tests.integration.history.told import TIMEOUT_S
from tests.integration.store.planning import parked
from tests.integration.store.records import DECIDED, chunk_status, outcome, request_status
from tests.integration.store.world import World
from tests.people_of_policy import policy_of

ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"


def run(
    world: World, *arguments: object, hidden: str | None = None, **settings: object
) -> "subprocess.CompletedProcess[str]":
    """Without a database. `hidden` is a module that cannot be imported."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("RESYNC_")}
    env |= {"RESYNC_BOOTSTRAP_SERVERS": world.bootstrap, "RESYNC_TOPIC_HISTORY": world.history}
    env |= {"RESYNC_SCHEMAS": str(REPO / "schemas")}
    env |= {name: str(value) for name, value in settings.items()}
    command = ["replay", "--export", *map(str, arguments)]
    if hidden is None:
        return forked.run(command, env=env)
    hide = f"import sys; sys.modules[{hidden!r}] = None; from processor.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", hide, *command], env=env, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
    )


def lines(world: World, *arguments: object) -> list[dict[str, Any]]:
    ended = run(world, *arguments)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def every_kind() -> list[HistoryRecord]:
    end = RequestEnd(
        ID, "NORTH", "PersonIdentity", RequestState.COMPLETE, None, None, (Count("APPLIED", None, 2),), DECIDED, DECIDED
    )
    cleared = Cleared(ID, "NORTH", "PersonIdentity", "auditor", DECIDED, 2, "request")
    asked = request_status(ID, 2, reason="=1+1")
    held = parked(asked.request, "0.0.1", "7")
    plan = PlanCounts(
        (Planned("PersonIdentity", Op.UPDATE, "lastName", 3),), (Sample("PersonIdentity", Op.DELETE, "7"),)
    )
    return [
        replace(asked, guard=Guard(10, 2), planned=plan, decided_by="chief"),
        chunk_status(ID, "0.0", ChunkState.DONE, in_sync=7),
        outcome(ID, "-7"),
        outcome(ID, "8"),
        end,
        cleared,
        held,
    ]


@pytest.fixture
def filled(world: World) -> World:
    world.produce(*every_kind())
    world.tombstone(ID, f"{ID}/PersonIdentity/8", f"{ID}/~chunk/0.0", ID)
    return world


def test_every_record_is_written_out(filled: World) -> None:
    found = lines(filled)
    assert [row["record_type"] for row in found] == [
        "RequestStatus", "ChunkStatus", "KeyOutcome", "KeyOutcome", "RequestEnd", "Cleared", "Parked",
        *["TOMBSTONE"] * 3,
    ]  # fmt: skip
    assert all(set(row) <= set(COLUMNS) for row in found)
    assert {name for row in found for name in row} >= set(COLUMNS) - {
        "filter", "parent_object", "parent_key", "answered_at", "school_year", "run_id", "requested_at",
        "reason",
        "detail",
    }  # fmt: skip
    assert found[2]["key"] == "-7"
    assert found[2]["changed_fields"] == ["lastName"]
    assert found[0]["request_reason"] == "=1+1"
    assert found[4]["counts"] == [{"status": "APPLIED", "reason": None, "keys": 2}]
    assert found[0]["guard"] == {"changes": 10, "deletes": 2}
    assert found[0]["planned"]["samples"] == [{"object": "PersonIdentity", "op": "d", "key": "7"}]
    assert (found[6]["chunk"], found[6]["keys"]) == ("0.0.1", 1)
    assert found[7] | {"timestamp": ""} == {
        "partition": found[0]["partition"],
        "offset": 7,
        "timestamp": "",
        "record_type": "TOMBSTONE",
        "record_key": f"{ID}/PersonIdentity/8",
        "request_id": ID,
        "object": "PersonIdentity",
        "key": "8",
    }


def test_what_is_not_committed_is_not_written(filled: World) -> None:
    before = lines(filled)
    producer = Producer({**filled.options, "transactional.id": f"{filled.release}-aborted"})
    producer.init_transactions(10)
    producer.begin_transaction()
    filled.produce(outcome(ID, "9"), producer=producer)
    producer.flush(10)
    assert lines(filled) == before
    producer.abort_transaction(10)
    filled.transaction(outcome(ID, "10"))
    assert [row["key"] for row in lines(filled)[len(before) :]] == ["10"]


class Growing(ScanReader):
    """A topic that grows as soon as reading begins."""

    def __init__(self, world: World) -> None:
        super().__init__(world.options, world.history)
        self._world = world

    def batches(self, start: Any, end: Any, limits: BatchLimits) -> Iterator[LogBatch]:
        self._world.produce(outcome(ID, "later"))
        yield from super().batches(start, end, limits)


def test_it_ends_where_the_topic_ended_when_it_began(filled: World) -> None:
    rows: list[dict[str, Any]] = []
    covered = export(Growing(filled), history_decoder(filled.codec), Wanted(), rows.append)
    assert covered.written == covered.read == len(rows) == 10
    assert "later" not in [row.get("key") for row in rows]
    assert sum(covered.end.values()) == 10
    assert covered.first is not None
    assert covered.last is not None
    assert time() - 60 < covered.first.timestamp() <= covered.last.timestamp() < time() + 60
    assert rows[0]["timestamp"] == covered.first


def test_what_was_covered_is_said(filled: World) -> None:
    ended = run(filled)
    assert f"read 10 records of {filled.history}, from 20" in ended.stderr
    assert "; wrote 10\n" in ended.stderr
    partition = filled.partition(ID)
    assert f"{partition}: 0 to 10" in ended.stderr
    assert f"{(partition + 1) % 3}: 0 to 0" in ended.stderr


@pytest.mark.parametrize(
    "since", ["1900-01-01", "99999d", "1969-12-31T23:59:59.999", "1969-12-31T23:59:59.997", "1970-01-01"]
)
def test_from_a_time_before_all_records_is_from_the_beginning(filled: World, since: str) -> None:
    assert lines(filled, "--from", since) == lines(filled)


def test_from_a_time_and_of_a_district(world: World) -> None:
    """Times are those of the records, so this needs no waiting."""
    now = int(time() * 1000)
    for hours, district in ((5, "NORTH"), (3, "RIVER"), (1, "NORTH")):
        told = outcome(ID, str(hours), district_id=district)
        key, _, headers = history_record(told)
        value = world.codec.encode(world.history, told)
        at = now - hours * 3_600_000
        world.put(key, value, world.partition(ID), headers=[*headers], timestamp=at)
    world.producer.flush(10)
    world.tombstone(ID, f"{ID}/PersonIdentity/5")
    assert [row["key"] for row in lines(world, "--from", "4h")] == ["3", "1", "5"]
    assert [row["key"] for row in lines(world, "--district", "NORTH")] == ["5", "1"]
    since = (datetime.now(UTC) - timedelta(hours=2)).isoformat(timespec="seconds")
    assert [row["key"] for row in lines(world, "--district", "NORTH", "--from", since)] == ["1"]
    ended = run(world, "--from", (datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "read 0 records" in ended.stderr
    assert "tombstones" in run(world, "--district", "NORTH").stderr


def test_all_forms_hold_the_same(filled: World, tmp_path: Path) -> None:
    rows = lines(filled)
    ended = run(filled, "--format", "csv", "--to", tmp_path / "h.csv")
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    read = list(csv.DictReader(io.StringIO((tmp_path / "h.csv").read_text())))
    assert list(read[0]) == list(COLUMNS)
    for row, cells in zip(rows, read, strict=True):
        texts = {n: value for n, value in row.items() if isinstance(value, str | int) and not isinstance(value, bool)}
        assert {n: cells[n].removeprefix("'") for n in texts} == {n: str(value) for n, value in texts.items()}
    assert read[2]["key"] == "'-7"
    assert read[4]["counts"] == "APPLIED=2"
    assert (read[0]["planned"], read[0]["linked"]) == ("u/PersonIdentity/lastName=3", "no")

    ended = run(filled, "--format", "parquet", "--to", tmp_path / "h.parquet")
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    table = pq.read_table(tmp_path / "h.parquet")
    assert table.column_names == list(COLUMNS)
    held = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    told = [
        {n: v.isoformat(timespec="microseconds") if isinstance(v, datetime) else v for n, v in row.items()}
        for row in held
    ]
    assert told == rows
    assert run(filled, "--to", tmp_path / "h.ndjson").returncode == 0
    assert list(map(json.loads, (tmp_path / "h.ndjson").read_text().splitlines())) == rows
    assert sorted(path.name for path in tmp_path.iterdir()) == ["h.csv", "h.ndjson", "h.parquet"]


def test_no_group_is_left_behind(filled: World) -> None:
    def groups() -> set[str]:
        listed = filled.admin.list_consumer_groups(request_timeout=10).result(15)
        assert not listed.errors
        return {group.group_id for group in listed.valid}

    filled.catch_up(filled.store())
    before = groups()
    assert f"{filled.release}-store" in before, "groups are not seen"
    assert lines(filled)
    assert {group for group in groups() - before if filled.release in group} == set()


def test_a_record_that_cannot_be_read_is_counted_and_passed_over(filled: World) -> None:
    filled.put(b"x", b"\x00no history", filled.partition(ID))
    filled.producer.flush(10)
    ended = run(filled)
    assert ended.returncode == 0
    assert len(ended.stdout.splitlines()) == 10
    assert "warning: 1 record could not be decoded" in ended.stderr


def test_parquet_is_an_extra(filled: World, tmp_path: Path) -> None:
    ended = run(filled, "--format", "parquet", "--to", tmp_path / "h.parquet", hidden="pyarrow")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "pip install 'selective-sync[parquet]'" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["--verify"], ["--format", "parquet"], ["--format", "xml"], ["--from", "yesterday"]]
)
def test_what_cannot_be_meant_is_refused(world: World, arguments: list[str]) -> None:
    ended = run(world, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")


OTHER = "1b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"


def test_with_a_policy_only_what_a_person_may_see_is_written(world: World, tmp_path: Path) -> None:
    grant: dict[str, Any] = {"sides": ["STATE"], "districts": ["NORTH"], "objects": ["PersonIdentity"], "rights": ["R"]}
    everything = {**grant, "districts": "all", "objects": "all"}
    people = {"clerk": grant, "auditor": everything, "blind": {**everything, "rights": ["R"], "districts": ["RIVER"]}}
    policy = policy_of(people, tmp_path)
    world.produce(
        *every_kind(),
        request_status(OTHER, 1, district_id="LAKE"),
        outcome(OTHER, "1", district_id="LAKE"),
        outcome(ID, "1", object="Enrollment"),
    )
    world.tombstone(ID, f"{ID}/PersonIdentity/8")

    def as_person(who: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return run(world, *arguments, RESYNC_POLICY=policy, RESYNC_TOKEN=who)

    def written(who: str, *arguments: str) -> list[tuple[str, str]]:
        ended = as_person(who, *arguments)
        assert ended.returncode == 0, ended.stderr
        rows = [json.loads(line) for line in ended.stdout.splitlines()]
        return [(row.get("district_id", "none"), row.get("object", "none")) for row in rows]

    assert written("clerk") == [("NORTH", "PersonIdentity")] * len(every_kind())
    assert written("clerk", "--district", "NORTH") == written("clerk")
    seen = written("auditor")
    assert ("LAKE", "PersonIdentity") in seen
    assert ("NORTH", "Enrollment") in seen
    assert written("blind") == []
    said = as_person("clerk").stderr
    assert "left out: what you may not see or did not ask for, and tombstones" in said
    elsewhere, nowhere = (as_person("clerk", "--district", name) for name in ("LAKE", "NOWHERE"))
    assert (elsewhere.returncode, elsewhere.stdout) == (1, "")
    assert "NOT_AUTHORIZED: clerk may not see this district" in elsewhere.stderr
    assert elsewhere.stderr == nowhere.stderr
    nobody = run(world, RESYNC_POLICY=policy)
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "RESYNC_TOKEN_FILE" in nobody.stderr
    assert as_person("stranger").returncode == 1


def test_a_district_that_nobody_knows_is_refused_and_leaves_no_file(filled: World, tmp_path: Path) -> None:
    catalog = REPO / "demo" / "catalog.yaml"
    ended = run(filled, "--district", "NOWHERE", "--to", tmp_path / "out.ndjson", RESYNC_CATALOG=catalog)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--district NOWHERE: nothing of it was found" in ended.stderr
    assert list(tmp_path.iterdir()) == []
    known = run(filled, "--district", "RIVER", RESYNC_CATALOG=catalog)
    assert (known.returncode, known.stdout) == (0, ""), "of the catalog, without a record yet"
    left = run(filled, "--district", "NORTH", RESYNC_CATALOG=tmp_path / "none.yaml")
    assert left.returncode == 0
    assert left.stdout
