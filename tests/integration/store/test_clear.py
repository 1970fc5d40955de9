"""Cleared requests: hidden at once, tombstoned in time, and cleared for good."""

import os
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from processor.adapters.kafka.control_reader import AT_ONCE
from processor.core import ids
from processor.core.history import ChunkState, Cleared, HistoryRecord, RequestEnd, RequestState, Status
from processor.service.history_ports import BatchLimits
from processor.service.materialize import Store
from tests.integration.store.clearing import (
    SEEN,
    assert_only_the_mark,
    clear_,
    clearings,
    ended_store,
    last_records,
    marks,
    split_request,
    wish,
)
from tests.integration.store.records import DECIDED, applied_request, chunk_status, outcome, request_status
from tests.integration.store.waiting import await_, run
from tests.integration.store.world import World


def test_what_is_cleared_leaves_the_views_the_tables_and_the_topic(world: World) -> None:
    kept, gone = applied_request(2), split_request()
    store = ended_store(world, [kept, gone])
    world.wish(wish(gone[0]))
    run(store, lambda: clearings(world) == {gone[0]: 3})
    visible = world.visible()
    assert {row[0] for row in visible["requests"] + visible["outcomes"]} == {kept[0]}
    world.catch_up(store)
    tables = world.tables()
    assert {row[0] for name in ("requests", "chunks", "outcomes") for row in tables[name]} == {kept[0]}
    assert_only_the_mark(world, gone[0])
    assert set(last_records(world, gone[0])) == {
        ids.request_key(gone[0]),
        ids.end_key(gone[0]),
        ids.cleared_key(gone[0]),
        *(ids.chunk_key(gone[0], f"0.{n}") for n in range(2)),
        *(ids.outcome_key(gone[0], "PersonIdentity", str(n)) for n in range(3)),
    }
    assert len(last_records(world, kept[0])) == 4
    assert world.verify().divergences == 0
    size = len(world.log())
    world.replay()
    world.catch_up(store)
    assert world.tables() == tables
    assert len(world.log()) == size, "a rebuild buries nothing again"


@pytest.mark.parametrize(
    "records",
    [
        lambda r: [request_status(r, 2), outcome(r, "1")],
        lambda r: [request_status(r, 1), outcome(r, "1", Status.SENT)],
        lambda r: [request_status(r, 1, RequestState.HELD)],
    ],
)
def test_what_has_not_ended_is_not_cleared_and_not_when_it_ends(world: World, records: object) -> None:
    request_id, other = str(uuid.uuid4()), applied_request(1)
    assert callable(records)
    store = ended_store(world, [(request_id, records(request_id)), other])
    world.wish(wish(request_id), wish(str(uuid.uuid4())), wish(other[0]))
    run(store, lambda: clearings(world).keys() == {other[0]})
    later = SEEN + timedelta(seconds=1)
    world.produce(request_status(request_id, 2), outcome(request_id, "1"), outcome(request_id, "2", decided_at=later))
    world.catch_up(store)
    world.stop(store)
    again = world.store(control=True)
    clear_(world, again, *ended(world, applied_request(1), again))
    assert world.rows("select state from history.requests where request_id = %s", [request_id]) == [("COMPLETE",)]


def ended(world: World, request: tuple[str, list[HistoryRecord]], store: Store) -> list[str]:
    world.produce(*request[1])
    world.catch_up(store, 30)
    return [request[0]]


def test_what_changed_since_it_was_seen_stays(world: World) -> None:
    changed, other = applied_request(1), applied_request(1)
    store = ended_store(world, [changed, other])
    world.wish(wish(changed[0], as_of=SEEN - timedelta(microseconds=1)), wish(other[0]))
    run(store, lambda: bool(clearings(world)))
    assert clearings(world).keys() == {other[0]}


def test_two_clears_at_once_are_one(world: World) -> None:
    """More of them than are judged together, and read back slowly: the second is read before the first's mark."""
    requests = [applied_request(1) for _ in range(AT_ONCE + 20)]
    world.stop(ended_store(world, requests))
    store = world.store(control=True, limits=BatchLimits(records=5))
    world.catch_up(store, 40)
    for who in ("first", "second"):
        world.wish(*(wish(request_id, who) for request_id, _ in requests))
    clear_(world, store, *(request_id for request_id, _ in requests))
    assert sorted(marks(world)) == sorted(request_id for request_id, _ in requests)
    assert world.rows("select distinct cleared_by from history.clearings") == [("first",)]


def test_a_wish_waits_for_tables_that_are_behind(world: World) -> None:
    """As after a rebuild that another process swapped in: the request is not there yet, which is not: unknown."""
    wanted = applied_request(2)
    first = ended_store(world, [*(applied_request(3) for _ in range(100)), wanted])
    world.stop(first)
    world.execute("update resync_store.offsets set next_offset = 0")
    world.execute("truncate resync_store.requests, resync_store.outcomes, resync_store.chunks")
    world.wish(wish(wanted[0]))
    store = world.store(control=True, limits=BatchLimits(records=20))
    run(store, lambda: clearings(world).keys() == {wanted[0]} and world.is_settled(), 40)
    assert_only_the_mark(world, wanted[0])


@pytest.mark.parametrize("crash_at", ["store.after_mark", "store.after_tombstones:1", "store.after_tombstones:3"])
def test_a_clear_that_dies_half_way_is_finished_by_the_next_store(world: World, crash_at: str) -> None:
    requests = [applied_request(700) for _ in range(3)]
    world.stop(ended_store(world, requests))
    dying = world.process(crash_at=crash_at)
    world.wish(*(wish(request_id) for request_id, _ in requests))
    assert dying.wait(60) == -9
    late = requests[0][0]
    world.produce(outcome(late, "0", Status.FAILED, decided_at=SEEN + timedelta(hours=1)))
    again = world.process()
    await_(lambda: len(clearings(world)) == 3 and world.is_settled(), "the end of the clearing", 60)
    again.terminate()
    assert again.wait(20) == 0
    assert world.visible()["requests"] == world.tables()["outcomes"] == []
    for request_id, _ in requests:
        assert_only_the_mark(world, request_id)
    assert len(marks(world)) == 3
    assert world.verify().divergences == 0


def test_what_comes_late_is_never_seen_and_buried_once(world: World) -> None:
    request_id, records = split_request()
    store = ended_store(world, [(request_id, records)])
    clear_(world, store, request_id)
    before = len(world.log())
    end = RequestEnd(request_id, "NORTH", "PersonIdentity", RequestState.COMPLETE, None, None, (), DECIDED, DECIDED)
    late: list[HistoryRecord] = [
        outcome(request_id, "1", Status.APPLIED, answered_at=SEEN),
        request_status(request_id, 3),
        chunk_status(request_id, "0.7", ChunkState.PENDING),
        end,
    ]
    world.produce(*late)
    run(store, lambda: len(world.log()) >= before + 2 * len(late) and world.is_settled())
    assert_only_the_mark(world, request_id)
    assert world.visible()["requests"] == world.tables()["chunks"] == world.tables()["outcomes"] == []
    world.produce(end)
    run(store, lambda: len(world.log()) >= before + 2 * len(late) + 2 and world.is_settled())
    assert len(world.log()) == before + 2 * len(late) + 2, "one tombstone a record"
    assert_only_the_mark(world, request_id)


def test_several_stores_each_bury_their_own(world: World) -> None:
    requests = [applied_request(40) for _ in range(60)]
    world.stop(ended_store(world, requests))
    stores = [world.process(ordinal, records=200) for ordinal in (0, 1)]
    world.wish(*(wish(request_id) for request_id, _ in requests))
    await_(lambda: len(clearings(world)) == 60 and world.is_settled(), "the end of the clearing", 60)
    for store in stores:
        store.terminate()
        assert store.wait(20) == 0
    assert len(set(marks(world))) == 60
    assert not [record for _, record in _latest(world).items() if not isinstance(record, Cleared | None)]
    assert world.verify().divergences == 0


def _latest(world: World) -> dict[bytes, HistoryRecord | None]:
    return {key: record for key, record in world.log() if key is not None}


def test_clearing_takes_memory_that_does_not_grow_with_the_request(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    """More outcomes by the environment: a million were measured for ADR 0070."""
    keys = int(os.environ.get("RESYNC_TEST_OUTCOMES", "50000"))
    patience_s = 60 + keys / 500
    request_id, small = str(uuid.uuid4()), applied_request(10)
    process = world.process()
    world.produce(request_status(request_id, keys), *small[1])
    for first in range(0, keys, 5_000):
        world.produce(*(outcome(request_id, str(n)) for n in range(first, min(first + 5_000, keys))))
    state = "select state from history.requests where request_id = %s"
    await_(lambda: world.lag() == 0 and world.rows(state, [request_id]) == [("COMPLETE",)], "the outcomes", patience_s)
    world.wish(wish(small[0]))
    await_(lambda: clearings(world).keys() == {small[0]} and world.is_settled(), "a small clearing")
    before = peak_mib(process.pid)
    started = monotonic()
    world.wish(wish(request_id))
    await_(lambda: request_id in clearings(world), "the clearing", patience_s)
    hidden_s = monotonic() - started
    await_(world.is_settled, "the end of the burying", patience_s)
    record_property("hidden_s", round(hidden_s, 2))
    record_property("buried_s", round(monotonic() - started, 1))
    record_property("peak_mib", round(peak_mib(process.pid)))
    grown = peak_mib(process.pid) - before
    process.terminate()
    assert process.wait(20) == 0
    assert clearings(world)[request_id] == keys
    assert world.tables()["outcomes"] == []
    assert grown < 16, "MiB"


def peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
