"""Requests that are planned before anything is sent, as a processor writes them; and what the store publishes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from processor.adapters.kafka.history_reader import place_of
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.correction import Op
from processor.core.history import (
    ChunkState,
    ChunkStatus,
    Guard,
    HistoryRecord,
    Parked,
    PlanCounts,
    Planned,
    RequestStatus,
    Sample,
)
from processor.core.ids import held_key
from processor.core.request import All, Mode, Report, Request, Side
from processor.service.materialize import Store
from tests.integration.store.records import DECIDED
from tests.integration.store.waiting import run
from tests.integration.store.world import World

GUARD = Guard(10, 1)
PLANNED_AT = DECIDED + timedelta(seconds=3)


def request(**changes: Any) -> Request:
    """Of all records, with every field that a status carries."""
    values: dict[str, Any] = {
        "request_id": str(uuid.uuid4()),
        "district_id": "NORTH",
        "object": "PersonIdentity",
        "selection": All(),
        "requested_by": "clerk",
        "mode": Mode.SYNC,
        "report": Report.CHANGES,
        "requested_from": Side.STATE,
        "requested_at": DECIDED - timedelta(minutes=1),
        "reason": "ticket 4711",
    } | changes
    return Request(**values)


def plan(updates: int, deletes: int = 0, object_name: str = "PersonIdentity") -> PlanCounts:
    counts = [Planned(object_name, Op.UPDATE, None, updates), Planned(object_name, Op.UPDATE, "lastName", updates)]
    counts += [Planned(object_name, Op.DELETE, None, deletes)] if deletes else []
    return PlanCounts(tuple(counts), (Sample(object_name, Op.UPDATE, "1"),))


def pending(asked: Request, chunk: str) -> ChunkStatus:
    return ChunkStatus(asked.request_id, asked.district_id, asked.object, chunk, ChunkState.PENDING, 3, 0, DECIDED)


def planned(asked: Request, chunk: str, counts: PlanCounts, guard: Guard = GUARD) -> ChunkStatus:
    """The end of a chunk of which nothing was sent."""
    done = replace(pending(asked, chunk), state=ChunkState.DONE, keys=0, decided_at=PLANNED_AT)
    return replace(done, planned=counts, guard=guard)


def parked(asked: Request, chunk: str, *keys: str, rank: int = 0) -> Parked:
    return Parked(
        Chunk(
            request_id=asked.request_id,
            chunk=chunk,
            district_id=asked.district_id,
            object=asked.object,
            asks=tuple(Ask(key, key) for key in keys),
            cause=Cause.HELD,
            mode=asked.mode,
            report=asked.report,
            first_decided_at=DECIDED,
            requested_at=asked.requested_at,
            stage=Stage.RELEASED,
            rank=rank,
        )
    )


def unparked(world: World, *gone: Parked) -> None:
    """As the processor does that took them."""
    for each in gone:
        world.tombstone(each.chunk.request_id, held_key(each.chunk.request_id, each.chunk.chunk))


@dataclass(frozen=True)
class Work:
    """A record of a topic of the processor's."""

    partition: int
    timestamp_s: float
    record: Any


def work(world: World, topic: str) -> list[Work]:
    """All of it, partition by partition in order."""
    return [
        Work(
            place_of(message)[0],
            message.timestamp()[1] / 1000,
            world.codec.decode(message.value() or b"", (Chunk, RequestStatus, Request)),
        )
        for message in world.messages(topic)
    ]


def told(world: World) -> list[Any]:
    """What the processor is asked to write, or to begin; but not what it is to compare again."""
    return [each.record for each in work(world, world.retry) if not isinstance(each.record, Chunk)]


def released(world: World) -> list[Chunk]:
    return [each.record for each in work(world, world.chunks)]


def await_told(world: World, store: Store, count: int = 1) -> list[Any]:
    run(store, lambda: len(told(world)) >= count)
    return told(world)


def settle(world: World, store: Store) -> None:
    """A while longer than the store waits between two looks, so that what it would publish for nothing is seen."""
    for _ in range(4):
        world.catch_up(store)
        store.step()


def history_of(
    asked: Request, state: Any, *more: HistoryRecord, keys: int = 0, **changes: Any
) -> Sequence[HistoryRecord]:
    return [RequestStatus(asked, state, None, None, keys, DECIDED, **changes), *more]
