"""Contenders of the benchmark, on real services: each writes the records that our processor writes.

What they need is downloaded; where that fails, the error names it.
"""

import json
import signal
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TypeAlias

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from bench.peers.contenders import PEERS, Peer
from bench.traffic import OBJECT, Planted, Tail, chunks_of, compare, put
from bench.workers import Job, orders_of
from bench.world import DISTRICT, OTHER, PARTITIONS, Run, World, world
from processor.codec.record_types import Record
from processor.codec.subjects import HISTORY
from processor.core.correction import Correction
from processor.core.history import KeyOutcome, RequestStatus
from processor.core.partition import partition_of
from processor.core.request import Keys, Request
from processor.core.snapshot import DistrictVersion

ROWS = 2_000
SEED = 7
KEYS_PER_REQUEST = 10
DISTRICTS = (DISTRICT, OTHER)
JOB = Job(KEYS_PER_REQUEST, DISTRICTS, transaction_keys=100)
ONCE = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world(ROWS, SEED) as found:
        yield found


@pytest.fixture(scope="module", params=PEERS)
def peer(request: pytest.FixtureRequest) -> Peer:
    found = PEERS[request.param]
    found.prepare()
    return found


def test_it_writes_what_our_processor_writes(here: World, peer: Peer) -> None:
    """All records, with their keys and headers, but for times and snapshots; corrections with all values.

    The same keys of two districts, one of which lacks most of the rows.
    """
    parts = [(of, keys) for keys in chunks_of(all_keys(), KEYS_PER_REQUEST) for of in DISTRICTS]
    requests = [requested(number, keys, district_id) for number, (district_id, keys) in enumerate(parts)]
    found_at_other = all_keys()[: here.rows_of(OTHER)]
    decided = Planted([*all_keys(), *found_at_other], len(requests)).decided()
    decided["outcome NOT_FOUND"] = ROWS - len(found_at_other)
    with here.run() as run:
        publish(run, requests)
        run.start("process")
        wanted = written(run, decided)
    with here.run() as run:
        publish(run, requests)
        with working(run, peer):
            found = written(run, decided)
    assert found == wanted


def test_killed_and_started_again_it_writes_each_record_once(here: World, peer: Peer) -> None:
    requests = [requested(number, keys) for number, keys in enumerate(chunks_of(all_keys(), KEYS_PER_REQUEST))]
    planted, half = Planted(all_keys(), len(requests)), len(requests) // 2
    with here.run() as run:
        publish(run, requests[:half])
        with working(run, peer, how=signal.SIGKILL):
            tail = Tail(run)
            tail.until(Planted(all_keys()[: half * KEYS_PER_REQUEST], half).decided(), lambda *_: None)
            publish(run, requests[half:])
            tail.close()
        with working(run, peer):
            written(run, planted.decided())


def all_keys() -> list[int]:
    """Of the district that has all rows."""
    return list(range(1, ROWS + 1))


def requested(number: int, keys: Sequence[int], district_id: str = DISTRICT) -> Request:
    """The same id in each run, so that what is derived from it is the same too."""
    return Request(str(uuid.UUID(int=number)), district_id, OBJECT, Keys(tuple(map(str, keys))), "bench")


def publish(run: Run, requests: Sequence[Request]) -> None:
    """All in one partition, in this order, so that a batch has requests of all districts; our processor moves some."""
    producer, topic = Producer({"bootstrap.servers": run.settings.bootstrap_servers}), run.topics.requests
    partition = partition_of(DISTRICT, PARTITIONS)
    for request in requests:
        put(producer, topic, run.codec.encode(topic, request), request.district_id, partition)
    assert not producer.flush(60)


Written: TypeAlias = dict[tuple[str, bytes | None, str], tuple[frozenset[object], Record]]
"""Headers and record, by topic, the record's key and, of corrections, the key that is corrected."""


def written(run: Run, wanted: Counter[str]) -> Written:
    """Waits for as many records as must come; raises WrongCount where others came."""
    tail = Tail(run)
    tail.until(wanted, lambda *_: None)
    compare(tail.count(), wanted, "on the topics")
    found: Written = {}
    for message in messages(run, wanted.total()):
        record = timeless(run.codec.decode(message.value() or b"", (*HISTORY, Correction)))
        topic = "corrections" if message.topic() == run.topics.corrections else "history"
        corrected = record.source.key if isinstance(record, Correction) else ""
        found[topic, message.key(), corrected] = (frozenset(message.headers() or []), record)
    return found


def messages(run: Run, amount: int) -> Iterator[Message]:
    """So many from the beginnings of the topics, committed."""
    consumer = Consumer(
        {"bootstrap.servers": run.settings.bootstrap_servers, "group.id": "t", "isolation.level": "read_committed"}
    )
    topics = (run.topics.history, run.topics.corrections)
    consumer.assign([TopicPartition(topic, partition, 0) for topic in topics for partition in range(PARTITIONS)])
    try:
        while amount:
            read = consumer.consume(amount, 10)
            assert read, f"{amount} more records were expected"
            amount -= len(read)
            yield from read
    finally:
        consumer.close()


def timeless(record: Record) -> Record:
    match record:
        case KeyOutcome():
            sent_at = record.sent_at and ONCE
            return replace(record, first_decided_at=ONCE, decided_at=ONCE, sent_at=sent_at)
        case RequestStatus():
            return replace(record, decided_at=ONCE)
        case Correction():
            assert record.source.district_version.xmax > 0
            source = replace(
                record.source,
                district_version=DistrictVersion(0, 0, 0),
                district_read_at=ONCE,
                state_read_at=ONCE,
                first_decided_at=ONCE,
                sent_at=ONCE,
            )
            return replace(record, source=source)
        case _:
            return record


@contextmanager
def working(run: Run, peer: Peer, how: signal.Signals = signal.SIGTERM) -> Iterator[None]:
    orders = run.world.stack.run_dir / f"{run.name}-{next(_numbers)}.json"
    orders.write_text(json.dumps(orders_of(run, JOB, peer.name)), encoding="utf-8")
    with subprocess.Popen(peer.command(orders), stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
            assert process.poll() is None
        finally:
            process.send_signal(how)
            code = process.wait(30)
    assert how is signal.SIGKILL or code in {0, 128 + signal.SIGTERM}


_numbers = count()
