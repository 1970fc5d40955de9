"""Requests for all records in the store's tables: their parts say how many keys there are, and when they have ended."""

import uuid
from dataclasses import replace

from processor.core.history import ChunkState, Count, RequestState, RequestStatus, Status
from processor.core.request import All, Mode
from tests.integration.store.records import chunk_status, outcome, request_status
from tests.integration.store.world import World

QUERY = "select state, expected_keys, in_sync_not_itemised, district_rows, state_rows from history.requests"


def asked(request_id: str) -> RequestStatus:
    status = request_status(request_id, 0)
    return replace(status, request=replace(status.request, selection=All(), mode=Mode.VERIFY))


def test_parts_add_up_and_the_last_of_them_ends_the_request(world: World) -> None:
    request_id = str(uuid.uuid4())
    first = chunk_status(request_id, "0.0", ChunkState.DONE, keys=40, in_sync=40)
    store = world.store()
    world.produce(
        asked(request_id),
        chunk_status(request_id, "0.0", ChunkState.PENDING, keys=100),
        replace(first, district_rows=40, state_rows=40, expected_differences=7),
        chunk_status(request_id, "0.0.0", ChunkState.PENDING, keys=2),
        chunk_status(request_id, "0.1", ChunkState.PENDING, keys=58),
    )
    world.catch_up(store)
    assert world.rows(QUERY) == [("ACCEPTED", 100, 40, 40, 40)]
    assert request_id not in world.ends()
    again = "select looked_at_again from history.requests"
    assert world.rows(again) == [(0,)], "the scan goes on"
    world.produce(chunk_status(request_id, "0.1", ChunkState.DONE))
    world.catch_up(store)
    assert world.rows(again) == [(2,)]
    confirmed = chunk_status(request_id, "0.0.0", ChunkState.DONE, keys=2, in_sync=1)
    world.produce(
        outcome(request_id, "7", Status.MISSING_AT_STATE),
        replace(confirmed, district_rows=2, state_rows=1),
    )
    world.catch_up(store)
    assert world.rows(QUERY) == [("COMPLETE", 42, 41, 42, 41)]
    assert world.rows(again) == [(0,)]
    (end,) = world.ends()[request_id]
    assert end.state is RequestState.COMPLETE
    assert end.counts == (
        Count("IN_SYNC", None, 34),
        Count("IN_SYNC", "EXPECTED_DIFFERENCE", 7),
        Count("MISSING_AT_STATE", None, 1),
    )
