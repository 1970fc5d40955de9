"""`replay --verify`: says whether the live tables are what the topic gives, and where they first differ."""

from collections.abc import Iterator, Mapping

import pytest

from processor.adapters.kafka.history_scan import ScanReader
from processor.core.history import HistoryRecord, KeyOutcome, Status
from processor.service.history_ports import BatchLimits, LogBatch
from tests.integration.store.records import applied_request, outcome
from tests.integration.store.test_replay import COMPACTED_SOON, everything
from tests.integration.store.waiting import await_
from tests.integration.store.world import World


@pytest.fixture
def filled(world: World) -> World:
    world.produce(*everything())
    world.catch_up(world.store())
    return world


def test_equal_tables(filled: World) -> None:
    found = filled.verify()
    assert (found.divergences, found.unjudged, found.first) == (0, 0, None)
    assert found.compared == sum(map(len, filled.tables().values()))
    assert filled.rows("select count(*) from pg_namespace where nspname = 'resync_store_verify'") == [(0,)]


def test_an_edited_row_is_named(filled: World) -> None:
    [(request_id, key)] = filled.rows("select request_id, key from resync_store.outcomes order by 1, 2 limit 1")
    filled.execute(
        "update resync_store.outcomes set status = 'IN_SYNC', detail = 'by hand' where (request_id, key) = (%s, %s)",
        [request_id, key],
    )
    found = filled.verify()
    assert found.divergences == 1
    assert found.first is not None
    assert (found.first.table, found.first.key) == ("outcomes", (request_id, "PersonIdentity", key))
    assert found.first.columns == ("status", "detail")
    assert (found.first.topic, found.first.partition) == (filled.history, filled.partition(request_id))
    assert "by hand" not in str(found.first)
    assert request_id in str(found.first)


def test_a_missing_and_an_added_row_are_told_apart(filled: World) -> None:
    [(request_id,)] = filled.rows("select request_id from resync_store.requests order by 1 limit 1")
    filled.execute("delete from resync_store.requests where request_id = %s", [request_id])
    found = filled.verify()
    assert found.divergences == 1
    assert found.first is not None
    assert "lacks" in found.first.what
    filled.replay()
    filled.execute("update resync_store.chunks set chunk = '9' where chunk = '0.0'")
    found = filled.verify()
    assert found.divergences == 2
    assert found.first is not None
    assert found.first.table == "chunks"


class CompactedBetween(ScanReader):
    """Before the log is read for the first time, newer records come and the older ones are compacted away."""

    def __init__(self, world: World, request_id: str) -> None:
        super().__init__(world.options, world.history)
        self._world = world
        self._request_id = request_id
        self._done = False

    def batches(self, start: Mapping[int, int], end: Mapping[int, int], limits: BatchLimits) -> Iterator[LogBatch]:
        if not self._done:
            self._done = True

            def compacted() -> bool:
                self._world.produce(
                    *(outcome(self._request_id, str(n), Status.FAILED, detail="newer") for n in range(20)),
                    *applied_request(1)[1],
                )
                return not any(self._is_older(record) for _, record in self._world.log())

            await_(compacted, "compaction")
        yield from super().batches(start, end, limits)

    def _is_older(self, record: HistoryRecord | None) -> bool:
        return isinstance(record, KeyOutcome) and record.request_id == self._request_id and record.detail != "newer"


@pytest.mark.parametrize("world", [COMPACTED_SOON], indirect=True)
def test_rows_changed_meanwhile_are_not_called_divergent(world: World) -> None:
    request_id, records = applied_request(20)
    other, others = applied_request(20)
    world.produce(*records, *others)
    world.catch_up(world.store())
    found = world.verify(scan=CompactedBetween(world, request_id))
    assert found.divergences == 0
    assert found.unjudged == 20
    world.execute("update resync_store.outcomes set detail = 'by hand' where request_id = %s and key = '3'", [other])
    found = world.verify()
    assert found.divergences == 1
