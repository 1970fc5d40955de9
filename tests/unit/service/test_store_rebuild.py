"""A store that rebuilds its tables lives meanwhile, and stops when it is told to."""

from collections.abc import Callable, Mapping

from processor.service.history_ports import StoredOffset
from tests.unit.service.test_store_ahead import Log, Tables, keys, store_of

BATCHES = 100
"""Of the rebuild."""
RECORDS = 2


class Left(Tables):
    """Left for longer than the topic keeps tombstones."""

    away_s = 1e6

    def offsets(self, _begin: object, _topic_id: str) -> Mapping[int, StoredOffset]:
        return {0: StoredOffset(self.next_offset, "id", live=True, away_s=self.away_s)}


def test_a_rebuild_asks_whether_to_stop_at_each_batch() -> None:
    """Being asked is the heartbeat of the process: without it a long rebuild is killed, and begins anew for ever."""
    tables, asked, asked_meanwhile = Left(), 0, 0

    def rebuild(alive: Callable[[], None]) -> None:
        nonlocal asked_meanwhile
        before = asked
        for _ in range(BATCHES):
            alive()
        asked_meanwhile = asked - before
        tables.away_s = 0.0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return tables.next_offset == RECORDS

    store = store_of(Log(RECORDS), tables, rebuild=rebuild)
    store.run(stop)
    assert asked_meanwhile == BATCHES
    assert (store.counts.rebuilds, tables.keys) == (1, keys(RECORDS))


def test_a_stop_asked_for_gives_a_rebuild_up() -> None:
    tables, batches = Left(), 0

    def rebuild(alive: Callable[[], None]) -> None:
        nonlocal batches
        for _ in range(BATCHES):
            batches += 1
            alive()
        tables.away_s = 0.0

    store = store_of(Log(RECORDS), tables, rebuild=rebuild)
    store.run(lambda: batches >= 3)
    assert batches == 3
    assert (store.counts.rebuilds, store.counts.unavailable, tables.keys) == (0, 0, [])
