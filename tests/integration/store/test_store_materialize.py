"""The history topic's last record of each key becomes a row; offsets move with the rows."""

import uuid

from processor.core import ids
from processor.core.model import ChunkState, Cleared, RequestState, Status
from processor.service.history_ports import BatchLimits
from tests.integration.store.world import (
    DECIDED,
    World,
    applied_request,
    chunk_status,
    flat,
    outcome,
    request_status,
    run,
)


def test_the_last_record_of_a_key_is_the_row(world: World) -> None:
    request_id, records = applied_request(3)
    world.produce(*records)
    store = world.store(limits=BatchLimits(records=2))
    world.catch_up(store)
    found = world.rows(
        "select key, status, asked_as, changed_fields, decided_at from history.outcomes where request_id = %s order by 1",
        [request_id],
    )
    assert [row[:4] for row in found] == [(str(n), "APPLIED", str(n), ["lastName"]) for n in range(3)]
    assert world.rows("select state, keys, outcomes, open_outcomes from history.requests") == [("COMPLETE", 3, 3, 0)]
