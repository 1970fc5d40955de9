"""Databases, brokers and processes that go away, stand still or come back changed."""

import os
import signal
import uuid
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from confluent_kafka import TopicPartition

from processor.adapters.kafka.history_topic import TopicMissing
from processor.adapters.postgres.history_tables import PostgresTables, PostgresTransaction
from processor.codec import Codec
from processor.codec.registry import Compatibility
from processor.core.history import KeyOutcome, Status
from processor.service.history_changes import HISTORY_TYPES, Changes
from processor.service.history_ports import BatchLimits, OutsideLog
from tests.integration.store.door import Door
from tests.integration.store.records import DECIDED, applied_request, flat, outcome, request_status
from tests.integration.store.waiting import await_, run, run_for
from tests.integration.store.world import EMPTY_CATALOG, World
from tests.kept_connection import KeptConnection


def test_a_connection_that_is_ended_costs_one_batch(world: World) -> None:
    store = world.store(limits=BatchLimits(records=10))
    world.catch_up(store)
    world.produce(*flat(applied_request(5)[1] for _ in range(20)))
    run_for(store, 3)
    world.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'resync/store/0'"
    )
    world.catch_up(store)
    assert store.counts.unavailable == 1
    assert world.rows("select state, count(*) from history.requests group by 1") == [("COMPLETE", 20)]
    assert world.verify().divergences == 0


def test_a_database_that_is_away_is_waited_for(world: World) -> None:
    store = world.store()
    world.catch_up(store)
    name = world.rows("select current_database()")[0][0]
    other = KeptConnection(world.dsn.replace(name, "postgres"))
    other.rows(f"alter database {name} allow_connections false".encode())
    other.rows(b"select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
    world.produce(*applied_request(3)[1])
    run(store, lambda: store.counts.unavailable >= 3)
    other.rows(f"alter database {name} allow_connections true".encode())
    other.close()
    world.catch_up(store)
    assert world.rows("select state from history.requests") == [("COMPLETE",)]


def test_two_stores_share_the_partitions(world: World) -> None:
    requests = [applied_request(3) for _ in range(30)]
    world.produce(*flat(r for _, r in requests[:10]))
    one = world.process(0, records=20)
    await_(lambda: world.lag() == 0 and world.all_live(), "the first store")
    world.produce(*flat(r for _, r in requests[10:20]))
    two = world.process(1, records=20)

    def members() -> set[str]:
        query = "select application_name from pg_stat_activity where datname = current_database()"
        return {name for (name,) in world.rows(query) if name.startswith("resync/store/")}

    await_(lambda: members() == {"resync/store/0", "resync/store/1"}, "both stores at work")
    world.produce(*flat(r for _, r in requests[20:]))
    await_(lambda: world.lag() == 0, "the end of the topic")
    for process in (one, two):
        process.terminate()
        assert process.wait(10) == 0
    assert world.rows("select state, count(*) from history.requests group by 1") == [("COMPLETE", 30)]
    assert world.ends().keys() == {r for r, _ in requests}
    assert world.verify().divergences == 0


@pytest.mark.parametrize("freeze_at", ["store.after_read:4", "store.after_merge:4", "store.before_sql_commit:4"])
def test_a_store_frozen_while_its_partitions_move_does_no_harm(world: World, freeze_at: str) -> None:
    requests = [applied_request(4) for _ in range(100)]
    world.produce(*flat(r for _, r in requests[:50]))
    soon_missed = {"session.timeout.ms": 6_000}
    frozen = world.process(0, records=20, freeze_at=freeze_at, options=soon_missed)
    await_(lambda: state_of(frozen.pid) == "T", "the first store to stand still")
    other = world.process(1, records=50)
    world.produce(*flat(r for _, r in requests[50:]))
    world.produce(*(outcome(request_id, "0", Status.FAILED) for request_id, _ in requests))
    await_(lambda: world.lag() == 0 and world.all_live(), "the partitions to move")
    before = world.tables()
    os.kill(frozen.pid, signal.SIGCONT)
    late = [applied_request(4) for _ in range(20)]
    world.produce(*flat(r for _, r in late))
    await_(lambda: world.lag() == 0 and len(world.ends()) == 120, "everything announced")
    assert frozen.poll() is None
    assert set(map(str, before["outcomes"])) <= set(map(str, world.tables()["outcomes"]))
    for process in (frozen, other):
        process.terminate()
        assert process.wait(20) == 0
    last = {request_id: ends[-1].state for request_id, ends in world.ends().items()}
    assert last == {r: "COMPLETE_WITH_FAILURES" for r, _ in requests} | {r: "COMPLETE" for r, _ in late}
    assert world.verify().divergences == 0


def state_of(pid: int) -> str:
    """As in proc(5): T is stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def test_a_store_that_stands_still_while_a_batch_travels_holds_no_lock(world: World) -> None:
    """The server does not end a COPY that its client leaves open, so none may be open while offsets are locked."""
    world.catch_up(world.store())
    _, records = applied_request(2)
    changes = Changes(outcomes={(o.request_id, o.object, o.key): o for o in records if isinstance(o, KeyOutcome)})
    slow, quick = PostgresTables(world.dsn, "resync/store/8"), PostgresTables(world.dsn, "resync/store/9")
    with slow.transaction() as standing:
        standing.stage(changes)
        with quick.transaction() as transaction:
            assert transaction.holds({0: 0})
    slow.disconnect()
    quick.disconnect()


def test_a_registry_that_is_away_is_waited_for(world: World, stack_settings: dict[str, str]) -> None:
    """Its absence says nothing about a record, so none is skipped."""
    registry = urlsplit(stack_settings["RESYNC_REGISTRY_URL"])
    assert registry.hostname is not None
    assert registry.port is not None
    with Door(registry.hostname, registry.port) as door:
        through = registry._replace(netloc=f"127.0.0.1:{door.port}").geturl()
        writer = Codec.open(None, EMPTY_CATALOG, stack_settings["RESYNC_REGISTRY_URL"])
        for record_type in HISTORY_TYPES:
            writer.register(world.history, record_type, Compatibility.FULL)
        reader, world.codec = Codec.open(None, EMPTY_CATALOG, through), writer
        request_id, records = applied_request(2)
        world.produce(*records)
        world.codec = reader
        store = world.store()
        run(store, lambda: store.counts.unavailable >= 2, 30)
        assert world.tables()["outcomes"] == []
        assert store.counts.records_skipped == 0
        door.open()
        world.catch_up(store)
        world.codec = writer
        assert world.ends().keys() == {request_id}


def test_a_topic_created_again_stops_the_store_with_an_explanation(world: World) -> None:
    first = world.store()
    world.produce(*applied_request(2)[1])
    world.catch_up(first)
    world.stop(first)
    world.delete_topic(world.history)
    world.create_topics({world.history: {"cleanup.policy": "compact"}})
    before = world.tables()
    with pytest.raises(OutsideLog, match=r"created again.*resync replay"):
        run(world.store(), lambda: False)
    assert world.tables() == before


def test_an_offset_beyond_the_log_stops_the_store(world: World) -> None:
    first = world.store()
    world.catch_up(first)
    world.stop(first)
    world.execute("update resync_store.offsets set next_offset = 1000 where partition = 1")
    with pytest.raises(OutsideLog, match=r"partition 1 of .*1000.*resync replay"):
        run(world.store(), lambda: False)


@pytest.mark.parametrize("world", [{"cleanup.policy": "compact,delete"}], indirect=True)
def test_records_deleted_before_they_were_read_stop_the_store(world: World) -> None:
    first = world.store()
    world.catch_up(first)
    world.stop(first)
    world.produce(*flat(applied_request(2)[1] for _ in range(10)))
    [future] = world.admin.delete_records([TopicPartition(world.history, 0, 1)]).values()
    future.result(10)
    with pytest.raises(OutsideLog, match="before the log's start"):
        run(world.store(), lambda: False)


def test_a_missing_topic_names_the_command_that_makes_it(world: World) -> None:
    world.delete_topic(world.retry)
    with pytest.raises(TopicMissing, match="resync topics create"):
        world.store()
    world.create_topics({world.retry: {}})


def test_run_ends_when_told(world: World) -> None:
    store, stop = world.store(), Event()
    thread = Thread(target=lambda: store.run(stop.is_set))
    thread.start()
    request_id = str(uuid.uuid4())
    world.produce(request_status(request_id, 1), outcome(request_id, "1"))
    await_(lambda: bool(world.ends()), "the end")
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_of_first_outcomes_that_two_processes_write_at_once_the_later_one_stands(world: World) -> None:
    """Where a foreign record gives one key two partitions; neither process sees yet what the other writes."""
    world.catch_up(world.store())
    request_id = str(uuid.uuid4())
    first, second = (PostgresTables(world.dsn, f"resync/store/{ordinal}") for ordinal in (8, 9))

    def stage_and_merge(transaction: PostgresTransaction, status: Status) -> None:
        record = outcome(request_id, "1", status, decided_at=DECIDED)
        transaction.stage(Changes(outcomes={(request_id, record.object, record.key): record}))
        transaction.merge()

    def merge_second() -> None:
        with second.transaction() as transaction:
            stage_and_merge(transaction, Status.IN_SYNC)

    waits = "select 1 from pg_stat_activity where application_name = 'resync/store/9' and wait_event_type = 'Lock'"
    with first.transaction() as transaction:
        stage_and_merge(transaction, Status.DIFFERS)
        thread = Thread(target=merge_second)
        thread.start()
        await_(lambda: bool(world.rows(waits)), "the second process")
    thread.join()
    assert world.rows("select status from history.outcomes") == [("IN_SYNC",)]
    assert world.rows("select status, keys from resync_store.tallies") == [("IN_SYNC", 1)]
    first.disconnect()
    second.disconnect()
