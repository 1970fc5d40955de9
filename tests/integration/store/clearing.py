"""Wishes to clear, and what is left of a cleared request."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from processor.core import ids
from processor.core.history import ChunkState, Clear, Cleared, HistoryRecord
from processor.service.materialize import Store
from tests.integration.store.records import DECIDED, applied_request, chunk_status, flat
from tests.integration.store.waiting import run
from tests.integration.store.world import World

SEEN = DECIDED + timedelta(seconds=2)
"""When the last outcome of an applied request was decided."""


def wish(request_id: str, who: str = "admin", as_of: datetime = SEEN) -> Clear:
    return Clear(request_id, who, datetime.now(UTC), as_of, "request")


def split_request() -> tuple[str, list[HistoryRecord]]:
    request_id, records = applied_request(3)
    done = [chunk_status(request_id, f"0.{n}", ChunkState.DONE) for n in range(2)]
    return request_id, [*records, *done]


def last_records(world: World, request_id: str) -> dict[str, HistoryRecord | None]:
    """Of each key of the request that the topic still has."""
    return {
        key.decode(): record for key, record in world.log() if key is not None and key.startswith(request_id.encode())
    }


def assert_only_the_mark(world: World, request_id: str, who: str = "admin") -> None:
    left = {key: record for key, record in last_records(world, request_id).items() if record is not None}
    assert left.keys() == {ids.cleared_key(request_id)}
    mark = left[ids.cleared_key(request_id)]
    assert isinstance(mark, Cleared)
    assert mark.cleared_by == who


def marks(world: World) -> list[str]:
    return [record.request_id for _, record in world.log() if isinstance(record, Cleared)]


def clearings(world: World) -> dict[str, int]:
    return dict(world.rows("select request_id, outcomes from history.clearings"))


def ended_store(world: World, requests: Iterable[tuple[str, list[HistoryRecord]]], *, rebuilds: bool = False) -> Store:
    """A store that knows the ends of these requests."""
    world.produce(*flat(records for _, records in requests))
    store = world.store(control=True, rebuilds=rebuilds)
    world.catch_up(store)
    return store


def clear_(world: World, store: Store, *request_ids: str) -> None:
    world.wish(*map(wish, request_ids))
    run(store, lambda: clearings(world).keys() >= {*request_ids} and world.is_settled())
