"""The tables rebuilt from the topic: equal to the live ones, swapped under traffic, after compaction too."""

import os
import time
import uuid
from collections.abc import Mapping
from threading import Event, Thread

import pytest

from processor.adapters.postgres.history_rebuild import PostgresSwap, RebuildRunning
from processor.cli.exits import ExitCode
from processor.core import ids
from processor.core.history import ChunkState, Cleared, HistoryRecord, KeyOutcome, RequestState, Status
from processor.service.history_changes import history_decoder
from processor.service.history_ports import BatchLimits, StoredOffset
from processor.service.rebuild import Reading
from processor.service.replay import replay
from tests import forked
from tests.integration.store.planning import GUARD, history_of, parked, plan, planned, request
from tests.integration.store.records import DECIDED, applied_request, chunk_status, flat, outcome, request_status
from tests.integration.store.waiting import await_, run
from tests.integration.store.world import World

COMPACTED_SOON = {
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0.01",
    "max.compaction.lag.ms": "200",
    "min.compaction.lag.ms": "0",
    "delete.retention.ms": "100",
    "file.delete.delay.ms": "100",
}


def everything() -> list[HistoryRecord]:
    """Each kind of record, and a clearing."""
    cleared, own = applied_request(3)
    requests = flat(applied_request(4)[1] for _ in range(10))
    split = str(uuid.uuid4())
    held = request()
    return [
        *requests,
        *own,
        request_status(split, 4),
        chunk_status(split, "0.0", ChunkState.PENDING, keys=2),
        chunk_status(split, "0.1", ChunkState.PENDING, keys=2),
        chunk_status(split, "0.0", ChunkState.DONE, in_sync=2),
        outcome(split, "3", Status.SENT),
        *history_of(held, RequestState.HELD, parked(held, "0.0.0", "1"), planned=plan(20), guard=GUARD, decided_by="x"),
        planned(held, "7.0", plan(20)),
        Cleared(cleared, "NORTH", "PersonIdentity", "admin", DECIDED, 3, "request"),
    ]


INDEXES = "select indexname, indexdef from pg_indexes where schemaname = 'resync_store' order by 1"


def test_a_rebuild_equals_the_live_tables(world: World) -> None:
    world.produce(*everything())
    world.catch_up(world.store())
    before, indexes = world.tables(), world.rows(INDEXES)
    done = world.replay()
    assert world.rows(INDEXES) == indexes
    assert done.records > 80
    assert done.skipped == 0
    assert world.tables() == before
    assert all(before.values())
    assert world.rows("select count(*) from history.outcomes") == [(len(before["outcomes"]),)]
    assert world.rows("select nspname from pg_namespace where nspname like 'resync%%' order by 1") == [
        ("resync_store",)
    ]


def test_a_replay_under_traffic_loses_nothing(world: World) -> None:
    store, stop, written = world.store(limits=BatchLimits(records=50)), Event(), Event()
    requests: list[str] = []

    def write() -> None:
        while not written.is_set():
            request_id, records = applied_request(5)
            requests.append(request_id)
            world.produce(*records)

    threads = [Thread(target=write), Thread(target=lambda: store.run(stop.is_set))]
    for thread in threads:
        thread.start()
    await_(lambda: len(world.ends()) > 50, "traffic")
    for _ in range(3):
        world.replay()
    written.set()
    await_(lambda: world.lag() == 0 and world.all_live(), "the end of the traffic")
    stop.set()
    for thread in threads:
        thread.join(10)
    assert world.rows("select state, count(*) from history.requests group by 1") == [("COMPLETE", len(requests))]
    assert len(world.tables()["outcomes"]) == 5 * len(requests)
    assert world.ends().keys() == set(requests)
    assert world.verify().divergences == 0


def test_readers_miss_nothing_that_came_while_the_tables_were_rebuilt(world: World) -> None:
    """However long that took: what the store has by then stands in the new tables too."""
    store = world.store()
    world.produce(*everything())
    world.catch_up(store)

    class Slow(PostgresSwap):
        """While it makes indexes traffic goes on, and more of it while that is read."""

        def complete(self) -> None:
            super().complete()
            self.traffic(30)

        def live_offsets(self) -> Mapping[int, StoredOffset]:
            found = super().live_offsets()
            if world.rows("select count(*) from history.requests where state = 'COMPLETE'") == [(40,)]:
                self.traffic(2)
            return found

        def traffic(self, requests: int) -> None:
            for _ in range(requests):
                world.produce(*applied_request(4)[1])
            world.catch_up(store)

    with Slow(world.dsn, "resync/replay/0") as tables:
        done = replay(Reading(world.scan(), history_decoder(world.codec), BatchLimits(records=50)), tables)
    assert world.rows("select count(*) from history.requests where state = 'COMPLETE'") == [(42,)]
    assert sum(done.offsets.values()) == world.rows("select sum(next_offset) from resync_store.offsets")[0][0]
    assert world.all_live()
    world.catch_up(store)
    assert world.verify().divergences == 0


def test_an_idle_store_notices_that_a_replay_moved_it_back(world: World) -> None:
    store = world.store()
    world.produce(*everything())
    world.catch_up(store)
    before = world.tables()
    world.execute("update resync_store.offsets set next_offset = 0")
    world.execute(
        "truncate resync_store.requests, resync_store.outcomes, resync_store.chunks, resync_store.clearings,"
        " resync_store.parked"
    )
    run(store, lambda: world.lag() == 0 and world.tables() == before)


def test_after_a_new_topic_a_replay_makes_the_store_run_again(world: World) -> None:
    first = world.store()
    world.produce(*everything())
    world.catch_up(first)
    world.stop(first)
    world.delete_topic(world.history)
    world.create_topics({world.history: {"cleanup.policy": "compact"}})
    request_id, records = applied_request(2)
    world.produce(*records)
    assert world.replay().records == len(records)
    assert not world.all_live()
    world.catch_up(world.store())
    assert world.rows("select request_id, state from history.requests") == [(request_id, "COMPLETE")]
    assert world.ends().keys() == {request_id}


def test_one_rebuild_at_a_time(world: World) -> None:
    with (
        PostgresSwap(world.dsn, "resync/replay/0"),
        pytest.raises(RebuildRunning, match="going on"),
        PostgresSwap(world.dsn, "resync/replay/1"),
    ):
        pass


@pytest.mark.parametrize("arguments", [(), ("--verify",)])
def test_a_command_beside_another_rebuild_says_so(world: World, arguments: tuple[str, ...]) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("RESYNC_")}
    with PostgresSwap(world.dsn, "resync/replay/0"):
        ended = forked.run(["replay", *arguments], env=env | {"RESYNC_HISTORY_DSN": world.dsn})
    assert ended.returncode == ExitCode.FAILED
    assert "another `resync replay` is going on in this database: let it end" in ended.stderr
    assert "unexpected" not in ended.stderr


def test_a_replay_that_fails_leaves_the_live_tables(world: World) -> None:
    world.produce(*everything())
    world.catch_up(world.store())
    before = world.tables()

    def stop_half_way(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), PostgresSwap(world.dsn, "resync/replay/0") as tables:
        replay(Reading(world.scan(), history_decoder(world.codec), BatchLimits(records=10)), tables, stop_half_way)
    assert world.tables() == before
    assert world.replay().records > 0


def test_a_replay_that_is_stopped_while_it_makes_indexes_ends_at_once(world: World) -> None:
    """Those of many millions of rows take minutes, and the next replay would wait for the server to have made them."""
    world.produce(*everything())
    told = 0

    class Long(PostgresSwap):
        def _make_indexes(self) -> None:
            self._guard.execute("select pg_sleep(60)")

    def stop_at_the_end(done: int, total: int) -> None:
        nonlocal told
        told += done == total
        if told == 3:
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Long(world.dsn, "resync/replay/0") as tables:
        replay(Reading(world.scan(), history_decoder(world.codec)), tables, stop_at_the_end)
    assert time.monotonic() - started < 20
    assert world.replay().records > 0


def test_a_replay_before_the_store_ever_ran(world: World) -> None:
    world.produce(*everything())
    world.replay()
    assert not world.all_live()
    visible = world.visible()
    world.catch_up(world.store())
    assert world.visible() == visible
    assert len(visible["requests"]) == 12
    assert len(world.ends()) == 10


@pytest.mark.parametrize("world", [COMPACTED_SOON], indirect=True)
def test_compaction_changes_nothing(world: World) -> None:
    requests = [applied_request(20) for _ in range(10)]
    for request_id, records in requests:
        world.produce(*records)
        world.produce(*(outcome(request_id, str(n), Status.FAILED, detail="again") for n in range(20)))
    asked = {request_id for request_id, _ in requests}
    gone = requests[0][0]
    world.produce(Cleared(gone, "NORTH", "PersonIdentity", "admin", DECIDED, 20, "request"))
    keys = [ids.outcome_key(gone, "PersonIdentity", str(n)) for n in range(20)]
    world.tombstone(gone, *keys, ids.request_key(gone))
    store = world.store()
    world.catch_up(store)
    before = world.tables()

    def is_superseded(record: HistoryRecord | None) -> bool:
        return isinstance(record, KeyOutcome) and record.request_id in asked and record.detail != "again"

    def compacted() -> bool:
        # The active segment is never compacted: appending rolls it.
        world.produce(*applied_request(1)[1])
        return not any(is_superseded(record) for _, record in world.log())

    run(store, compacted, 60)
    world.catch_up(store)
    live = world.tables()
    assert set(map(str, before["outcomes"])) <= set(map(str, live["outcomes"]))
    assert world.verify().divergences == 0
    world.replay()
    assert world.tables() == live
