"""Databases, brokers and processes that go away, stand still or come back changed."""

import os
import signal
import uuid
from threading import Event, Thread

import pytest
from confluent_kafka import TopicPartition

from processor.adapters.kafka.history_topic import TopicMissing
from processor.core.model import Status
from processor.service.history_ports import BatchLimits, OutsideLog
from tests.integration.store.world import (
    World,
    applied_request,
    await_,
    flat,
    outcome,
    request_status,
    run,
    run_for,
)


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
    admin = world.dsn.replace(name, "postgres")
    other = World.__new__(World)
    other.dsn = admin
    other.execute(f"alter database {name} allow_connections false")
    other.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
    world.produce(*applied_request(3)[1])
    run(store, lambda: store.counts.unavailable >= 3)
    other.execute(f"alter database {name} allow_connections true")
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


def test_a_store_frozen_while_its_partitions_move_does_no_harm(world: World) -> None:
    requests = [applied_request(4) for _ in range(200)]
    world.produce(*flat(r for _, r in requests[:100]))
    frozen = world.process(0, records=20)
    await_(lambda: len(world.tables()["outcomes"]) > 40, "the first store at work")
    os.kill(frozen.pid, signal.SIGSTOP)
    other = world.process(1, records=50)
    world.produce(*flat(r for _, r in requests[100:]))
    world.produce(*(outcome(request_id, "0", Status.FAILED) for request_id, _ in requests))
    await_(lambda: world.lag() == 0 and world.all_live(), "the partitions to move", 60)
    before = world.tables()
    os.kill(frozen.pid, signal.SIGCONT)
    late = [applied_request(4) for _ in range(20)]
    world.produce(*flat(r for _, r in late))
    await_(lambda: world.lag() == 0 and len(world.ends()) == 220, "everything announced")
    assert frozen.poll() is None
    after = world.tables()
    assert {name: rows for name, rows in after.items() if name == "clearings"} == {"clearings": []}
    assert set(map(str, before["outcomes"])) <= set(map(str, after["outcomes"]))
    for process in (frozen, other):
        process.terminate()
        assert process.wait(20) == 0
    last = {request_id: ends[-1].state for request_id, ends in world.ends().items()}
    assert last == {r: "COMPLETE_WITH_FAILURES" for r, _ in requests} | {r: "COMPLETE" for r, _ in late}
    assert world.verify().divergences == 0


def test_a_topic_created_again_stops_the_store_with_an_explanation(world: World) -> None:
    first = world.store()
    world.produce(*applied_request(2)[1])
    world.catch_up(first)
    world.stop(first)
    world.delete_topic(world.history)
    world.create_topic(world.history, {"cleanup.policy": "compact"})
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
    world.create_topic(world.retry, {})


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
