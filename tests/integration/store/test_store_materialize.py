"""The history topic's last record of each key becomes a row; offsets move with the rows."""

import random
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from confluent_kafka import Producer

from processor.core import ids
from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import ChunkState, Cleared, HistoryRecord, RequestState, Status
from processor.core.request import Filter
from processor.service.history_ports import BatchLimits
from tests.integration.store.records import DECIDED, applied_request, chunk_status, flat, outcome, request_status
from tests.integration.store.waiting import await_, run
from tests.integration.store.world import World


def cleared(request_id: str) -> Cleared:
    return Cleared(request_id, "NORTH", "PersonIdentity", "admin", DECIDED, 3, "request")


def test_the_last_record_of_a_key_is_the_row(world: World) -> None:
    request_id, records = applied_request(3)
    world.produce(*records)
    store = world.store(limits=BatchLimits(records=2))
    world.catch_up(store)
    found = world.rows(
        "select key, status, asked_as, changed_fields from history.outcomes where request_id = %s order by 1",
        [request_id],
    )
    assert found == [(str(n), "APPLIED", str(n), ["lastName"]) for n in range(3)]
    assert world.rows("select state, keys, outcomes, open_outcomes from history.requests") == [("COMPLETE", 3, 3, 0)]


@pytest.mark.parametrize("batch", [1, 100])
def test_an_id_that_two_districts_use_is_told_and_stops_nothing(world: World, batch: int) -> None:
    """Their history is mixed, as the topic is (ADR 0140): live and replay agree about it."""
    request_id, records = applied_request(2)
    _, others = applied_request(2)
    world.produce(*records, *others)
    world.produce(request_status(request_id, 1, district_id="RIVER"), outcome(request_id, "9", district_id="RIVER"))
    store = world.store(limits=BatchLimits(records=batch))
    world.catch_up(store)
    assert store.counts.shared_ids == 1
    assert world.rows("select district_id from history.requests where request_id = %s", [request_id]) == [("RIVER",)]
    assert world.verify().divergences == 0


def test_every_field_arrives(world: World) -> None:
    request_id = str(uuid.uuid4())
    status = request_status(
        request_id,
        1,
        RequestState.REJECTED,
        requested_at=DECIDED,
        school_year="2026-27",
        reason="asked by phone",
        run_id="run 7",
    )
    failed = outcome(
        request_id,
        "7",
        Status.FAILED,
        asked_as="007",
        reason=Reason.PARENT_MISSING,
        detail="PersonIdentity 9",
        parent=Parent("PersonIdentity", "9"),
        attempt=2,
        answered_at=DECIDED + timedelta(microseconds=1),
    )
    world.produce(status, failed)
    world.catch_up(world.store())
    assert world.rows(
        "select selection, filter, requested_by, mode, dependencies, on_state_only, report, requested_from,"
        " requested_at, school_year, request_reason, run_id, state, keys from history.requests"
    ) == [
        (
            *("KEYS", None, "clerk", "SYNC", "NONE", "REPORT", "ALL", "DISTRICT"),
            *(DECIDED, "2026-27", "asked by phone", "run 7", "REJECTED", 1),
        )
    ]
    assert world.rows(
        "select key, asked_as, status, reason, detail, parent_object, parent_key, correction_id, attempt, answered_at"
        " from history.outcomes"
    ) == [
        (
            *("7", "007", "FAILED", "PARENT_MISSING", "PersonIdentity 9", "PersonIdentity", "9"),
            *(failed.correction_id, 2, failed.answered_at),
        )
    ]


def test_batches_of_any_size_give_the_same_tables(world: World) -> None:
    chance = random.Random(7)
    streams = [applied_request(5)[1] for _ in range(8)]
    mixed: list[HistoryRecord] = []
    while streams:
        stream = chance.choice(streams)
        mixed.append(stream.pop(0))
        if chance.random() < 0.3:
            mixed.append(mixed[-1])
        streams = [s for s in streams if s]
    world.produce(*mixed)
    world.catch_up(world.store(limits=BatchLimits(records=3)))
    small = world.tables()
    assert len(small["outcomes"]) == 40
    assert all(row[5] == "APPLIED" for row in small["outcomes"])
    world.replay()
    assert world.tables() == small


def test_a_tombstone_deletes_the_row_of_its_key(world: World) -> None:
    request_id, records = applied_request(3)
    world.produce(*records, chunk_status(request_id, "0.1", ChunkState.DONE))
    store = world.store()
    world.catch_up(store)
    world.tombstone(request_id, ids.outcome_key(request_id, "PersonIdentity", "1"), ids.chunk_key(request_id, "0.1"))
    world.catch_up(store)
    assert world.rows("select key from history.outcomes order by 1") == [("0",), ("2",)]
    assert world.tables()["chunks"] == []
    world.tombstone(request_id, ids.request_key(request_id), ids.end_key(request_id))
    world.catch_up(store)
    assert world.tables()["requests"] == []


@pytest.mark.parametrize("records", [1, 5_000])
def test_a_cleared_request_stays_cleared(world: World, records: int) -> None:
    kept, others = applied_request(2)
    request_id, own = applied_request(3)
    world.produce(*others, *own, cleared(request_id), outcome(request_id, "1", Status.FAILED))
    store = world.store(limits=BatchLimits(records=records))
    world.catch_up(store)
    world.produce(
        outcome(request_id, "2"), request_status(request_id, 3), chunk_status(request_id, "0", ChunkState.PENDING)
    )
    world.catch_up(store)
    tables = world.tables()
    assert {row[0] for row in tables["outcomes"] + tables["requests"] + tables["chunks"]} == {kept}
    assert world.rows("select request_id, cleared_by, outcomes, scope from history.clearings") == [
        (request_id, "admin", 3, "request")
    ]
    assert request_id not in world.ends()
    world.replay()
    assert world.tables() == tables


def test_foreign_records_stop_nothing(world: World) -> None:
    request_id, records = applied_request(2)
    partition = world.partition(request_id)
    good = world.codec.encode(world.history, records[0])
    foreign: list[tuple[bytes, bytes | None]] = [
        (b"no request", good),
        (b"\xff\xfe", b"binary"),
        (ids.outcome_key(request_id, "PersonIdentity", "99").encode(), good),
        (ids.outcome_key(request_id, "PersonIdentity", "1").encode(), b"not Avro"),
        (ids.outcome_key(request_id, "PersonIdentity", "1").encode(), b""),
        (ids.outcome_key(request_id, "PersonIdentity", "1\0").encode(), None),
        (ids.cleared_key(request_id).encode(), None),
        (b"/".join([request_id.encode(), b"x" * 3000, b"y"]), None),
    ]
    world.produce(*records)
    for key, value in foreign:
        world.put(key, value, partition)
    world.produce(*records[-2:-1])
    store = world.store()
    world.catch_up(store)
    assert store.counts.records_skipped == len(foreign)
    assert world.rows("select key, status from history.outcomes order by 1") == [("0", "APPLIED"), ("1", "APPLIED")]
    assert world.verify().divergences == 0


def test_what_postgres_cannot_hold_is_held_otherwise(world: World) -> None:
    request_id = str(uuid.uuid4())
    huge = "D" * 100_000
    status = request_status(request_id, 0, RequestState.REJECTED, district_id=huge, object="a\0b", reason="x\0")
    world.produce(status)
    world.catch_up(world.store())
    assert world.rows("select length(district_id), object, request_reason from history.requests") == [
        (255, "a\ufffdb", "x\ufffd")
    ]


def test_a_filter_is_kept(world: World) -> None:
    request_id = str(uuid.uuid4())
    status = request_status(request_id, 0, RequestState.REJECTED)
    selection = Filter("grade = 9")
    world.produce(replace(status, request=replace(status.request, selection=selection)))
    world.catch_up(world.store())
    assert world.rows("select selection, filter from history.requests") == [("FILTER", "grade = 9")]


def test_lag_becomes_zero_behind_a_commit_marker(world: World) -> None:
    _, records = applied_request(3)
    world.transaction(*records)
    store = world.store()
    world.catch_up(store)
    run(store, lambda: world.group_lag() == 0)
    world.transaction(*applied_request(1)[1])
    run(store, lambda: world.group_lag() == 0 and world.lag() == 0)


def test_lag_becomes_zero_though_the_store_before_died_without_telling_its_group(world: World) -> None:
    """Its request is open, so nothing is announced, and nothing more comes to be read."""
    world.produce(request_status(str(uuid.uuid4()), 1, RequestState.ACCEPTED))
    assert world.process(crash_at="store.after_sql_commit").wait(30) == -9
    assert (world.lag(), world.group_lag()) == (0, 1)
    again = world.process()
    await_(lambda: world.group_lag() == 0, "the group's offsets")
    again.terminate()
    assert again.wait(10) == 0


def test_an_aborted_transaction_leaves_no_row(world: World) -> None:
    producer = Producer({**world.options, "transactional.id": f"{world.release}-aborter"})
    producer.init_transactions(10)
    producer.begin_transaction()
    world.produce(*applied_request(2)[1], producer=producer)
    producer.flush(10)
    producer.abort_transaction(10)
    store = world.store()
    world.catch_up(store)
    assert world.tables()["outcomes"] == []
    assert world.lag() == 0


def test_a_restart_goes_on_where_the_tables_stand(world: World) -> None:
    requests = [applied_request(4) for _ in range(10)]
    world.produce(*flat(r for _, r in requests[:5]))
    first = world.store()
    world.catch_up(first)
    world.stop(first)
    world.produce(*flat(r for _, r in requests[5:]))
    second = world.store()
    world.catch_up(second)
    assert second.counts.records < 100
    assert len(world.tables()["outcomes"]) == 40
    assert {r for r, ends in world.ends().items() if len(ends) >= 1} == {r for r, _ in requests}


@pytest.mark.parametrize(
    "crash_at",
    [
        "store.after_read:3",
        "store.after_merge:2",
        "store.before_sql_commit:2",
        "store.after_sql_commit:2",
        "store.before_sql_commit:5",
    ],
)
def test_a_crash_at_any_step_loses_and_doubles_nothing(world: World, crash_at: str) -> None:
    requests = [applied_request(6) for _ in range(20)]
    world.produce(*flat(r for _, r in requests[:10]))
    process = world.process(crash_at=crash_at, records=40)
    world.produce(*flat(r for _, r in requests[10:]))
    assert process.wait(30) == -9
    again = world.process(records=40)
    await_(lambda: world.lag() == 0 and world.all_live(), "the end of the topic")
    again.terminate()
    assert again.wait(10) == 0
    assert world.rows("select state, count(*) from history.requests group by 1") == [("COMPLETE", 20)]
    assert len(world.tables()["outcomes"]) == 120
    announced = world.ends()
    assert {request_id: ends[-1] for request_id, ends in announced.items()}.keys() == {r for r, _ in requests}
    assert {end.counts[0].keys for ends in announced.values() for end in ends} == {6}
    assert world.verify().divergences == 0
