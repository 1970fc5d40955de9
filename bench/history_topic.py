"""A history topic filled as the processor would have filled it: requests whose keys are all decided."""

import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import psycopg
from confluent_kafka import Producer
from psycopg import sql

from bench.traffic import OBJECT, WrongCount, put
from bench.world import DISTRICT, PARTITIONS, Run
from processor.adapters.postgres.history_connection import LIVE_SCHEMA
from processor.codec.history import history_record
from processor.core.history import (
    ChunkState,
    ChunkStatus,
    HistoryRecord,
    KeyOutcome,
    RequestState,
    RequestStatus,
    Status,
)
from processor.core.ids import correction_id
from processor.core.partition import partition_of
from processor.core.request import Keys, Request

KEYS_A_REQUEST = 1_000
WRITTEN_WITHIN_S = 120.0
_BEGAN = datetime(2026, 9, 1, tzinfo=UTC)


def outcomes_of(request_id: str, first: int, decided_at: datetime) -> Iterator[KeyOutcome]:
    """Of a request's keys, every other one in sync; what differed was sent and applied."""
    for key in map(str, range(first, first + KEYS_A_REQUEST)):
        is_equal = int(key) % 2 == 0
        yield KeyOutcome(
            request_id=request_id,
            district_id=DISTRICT,
            object=OBJECT,
            key=key,
            asked_as=key,
            status=Status.IN_SYNC if is_equal else Status.APPLIED,
            reason=None,
            detail=None,
            changed_fields=() if is_equal else ("phone",),
            parent=None,
            correction_id=None if is_equal else correction_id(request_id, DISTRICT, OBJECT, key, 1),
            attempt=1,
            first_decided_at=decided_at,
            sent_at=None if is_equal else decided_at,
            answered_at=None if is_equal else decided_at,
            decided_at=decided_at,
        )


def records(requests: int, begin: int = 0) -> Iterator[HistoryRecord]:
    """Of so many requests, one after the other; their ids and times follow from their numbers."""
    for number in range(begin, begin + requests):
        request_id = str(uuid.UUID(int=number + (4 << 76) + (8 << 60)))
        at = _BEGAN + timedelta(milliseconds=20 * number)
        first = number * KEYS_A_REQUEST
        keys = tuple(map(str, range(first, first + KEYS_A_REQUEST)))
        request = Request(request_id, DISTRICT, OBJECT, Keys(keys), "bench")
        yield RequestStatus(request, RequestState.ACCEPTED, None, None, KEYS_A_REQUEST, at)
        yield from outcomes_of(request_id, first, at)
        yield ChunkStatus(request_id, DISTRICT, OBJECT, "0", ChunkState.DONE, KEYS_A_REQUEST, 0, at)


def publish(run: Run, requests: int, begin: int = 0) -> None:
    """Returns when the broker has all of it."""
    topic, producer = run.topics.history, _producer(run)
    for record in records(requests, begin):
        key, request_id, headers = history_record(record)
        value, partition = run.codec.encode(topic, record), partition_of(request_id, PARTITIONS)
        put(producer, topic, value, key, partition, headers=[*headers])
    _flush(producer)


def fill(run: Run, requests: int) -> None:
    """The first request as often as that, each time under another id. Returns when the broker has all of it."""
    topic, producer = run.topics.history, _producer(run, {"compression.type": "lz4"})
    written = [(history_record(each), run.codec.encode(topic, each)) for each in records(1)]
    known = written[0][0][1].encode()
    for _ in range(requests):
        request_id = str(uuid.uuid4())
        its, partition = request_id.encode(), partition_of(request_id, PARTITIONS)
        own = ("request_id", its)
        for (key, _, (_, *headers)), value in written:
            put(producer, topic, value.replace(known, its), key.replace(known, its), partition, headers=[own, *headers])
    _flush(producer)


def _producer(run: Run, options: Mapping[str, str] | None = None) -> Producer:
    usual = {"bootstrap.servers": run.settings.bootstrap_servers, "linger.ms": 20}
    return Producer({**usual, "queue.buffering.max.messages": 200_000, **(options or {})})


def _flush(producer: Producer) -> None:
    deadline = time.monotonic() + WRITTEN_WITHIN_S
    while producer.flush(1.0):
        if time.monotonic() > deadline:
            raise TimeoutError("the history topic could not be filled")


def check(run: Run, table: str, requests: int) -> None:
    """Raises WrongCount unless the table, whose primary key says that no key is there twice, holds each outcome."""
    counted = sql.SQL("select status, count(*) from {} group by 1").format(sql.Identifier(LIVE_SCHEMA, table))
    with psycopg.connect(run.settings.history_dsn) as connection:
        found: dict[str, int] = dict(connection.execute(counted).fetchall())
    half = requests * KEYS_A_REQUEST // 2
    wanted = {"IN_SYNC": half, "APPLIED": half}
    if found != wanted:
        raise WrongCount(f"{table} holds {found} instead of {wanted} (rows by status)")
