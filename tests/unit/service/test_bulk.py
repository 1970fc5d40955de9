"""Chunks of large requests: worked on beside the loop, and committed by it."""

from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from processor.codec.errors import RegistryUnavailable
from processor.core.chunk import Cause, Chunk
from processor.core.ids import accepted_id
from processor.core.plan import Plan
from processor.core.request import Keys, Mode, Request
from processor.service.bulk import IDLE_S, MOST_KEYS_BESIDE, SIDE_BY_SIDE, Bulk
from processor.service.comparing import Compared
from processor.service.hand import LATE_S, InHand
from processor.service.intake import Intake
from processor.service.records import Lane
from tests.unit.core.builders import NOW
from tests.unit.service.chunks import keys_of, scan_part, with_chunks
from tests.unit.service.processing import (
    CODEC,
    IDS,
    NEEDS_THE_REGISTRY,
    NORTH,
    Broker,
    Later,
    Parts,
    chunk_records,
    parts,
    requests,
)
from tests.unit.service.received import PARTITIONS, received


def told(world: Parts) -> list[str]:
    return [outcome.key for outcome in world.broker.outcomes()]


def test_a_request_is_answered_while_a_chunk_before_it_is_in_hand() -> None:
    world = with_chunks(keys_of(1), keys_of(2))
    processor = world.processor()
    assert processor.step(), "the chunks are begun"
    world.inbox.log += requests(1)
    assert processor.step()
    assert told(world) == ["1"]
    assert world.broker.offsets == [[1]], "those of the chunks do not move"
    assert not processor.step(), "nothing is to be done but to wait"
    world.threads.work()
    assert processor.step()
    assert told(world) == ["1", "1000", "2000"]
    assert world.broker.offsets == [[1], [2]]
    assert world.inbox.bulk_done == 2


def test_chunks_are_not_begun_while_there_are_more_requests_than_a_batch_takes() -> None:
    world = with_chunks(keys_of(1))
    world.inbox.log += requests(1, 1)
    processor = world.processor(max_records=1)
    assert processor.step()
    assert not world.threads.given
    assert processor.step()
    assert len(world.threads.given) == 1


def test_chunks_do_not_wait_for_as_long_as_requests_come() -> None:
    """Each request is done by the time that the one before it is committed, so one is always done (ADR 0247)."""
    world = with_chunks(keys_of(1, MOST_KEYS_BESIDE), keys_of(2))
    processor = world.processor()
    for request in requests(1, 1, 1, 1, 1, 1):
        world.inbox.log.append(request)
        assert processor.step()
        world.threads.work()
        world.now_s += LATE_S / 2
    assert [key for key in told(world) if key in {"1", "1000", "2000"}] == ["1", "1", "1000", "1", "1", "2000"]


@pytest.mark.parametrize(("cause", "begun"), [(Cause.PARENT_MISSING, True), (Cause.CONFLICT, False)])
def test_retries_leave_a_turn_to_the_chunks_that_they_wait_for(cause: Cause, begun: bool) -> None:  # noqa: FBT001
    """More of them are always due than are taken, so that nothing would come of what they wait for."""
    world = with_chunks(keys_of(1))
    waiting = replace(keys_of(2), cause=cause, attempt=2, sent_at=datetime.now(UTC))
    for offset in range(20):
        waits = CODEC.encode("any", replace(waiting, chunk=f"0.2.{offset}"))
        world.inbox.log.append(received(Lane.RETRY, waits, partition=NORTH, offset=offset))
    processor = world.processor(max_records=1)
    for _ in range(5):
        assert processor.step()
    assert world.inbox.done < len(world.inbox.log), "some are due"
    assert bool(world.threads.given) is begun


def test_chunks_are_begun_while_a_request_is_in_hand() -> None:
    """Or they would not be while requests come one after the other."""
    first, second = requests(1, 2)
    world = parts(first)
    world.at_once = later = Later()
    processor = world.processor()
    assert processor.step()
    world.inbox.log.append(second)
    world.inbox.bulk += chunk_records(keys_of(1))
    assert processor.step(), "the second waits for the first, and the chunk for neither"
    assert len(world.threads.given) == 1
    world.threads.work()
    assert processor.step()
    assert told(world) == ["1000"]
    later.work()
    assert processor.step()
    assert told(world) == ["1000", "1"]


def test_a_registry_that_is_away_for_chunks_takes_nothing_from_what_is_in_hand() -> None:
    """Or what is in hand would be begun again and again, for as long as the registry is away."""
    world = parts(*requests(1))
    world.inbox.bulk.append(replace(NEEDS_THE_REGISTRY, lane=Lane.CHUNKS))
    world.at_once = later = Later()
    processor = world.processor()
    assert processor.step()
    assert processor.step(), "there is a batch to be committed first"
    later.work()
    assert processor.step()
    assert told(world) == ["1"]
    with pytest.raises(RegistryUnavailable):
        processor.step()


@pytest.mark.parametrize("apart", [scan_part(), replace(keys_of(2, 5), deferred_since=NOW)])
def test_parts_of_scans_and_what_was_put_off_are_read_by_themselves(apart: Chunk) -> None:
    world = with_chunks(keys_of(1), apart, keys_of(3))
    processor = world.processor()
    for _ in range(3):
        assert processor.step()
        world.threads.work()
        assert processor.step()
    assert world.broker.offsets == [[1], [2], [3]]


def test_what_is_in_hand_is_void_once_its_input_is_read_again() -> None:
    world = with_chunks(keys_of(1))
    world.broker = Broker(aborts=1)
    processor = world.processor()
    assert processor.step()
    world.inbox.log += requests(1)
    assert processor.step(), "this aborts"
    world.threads.work()
    while processor.step():
        world.threads.work()
    assert sorted(told(world)) == ["1", "1000"], "once each"


def test_a_chunk_whose_transaction_aborts_is_read_again() -> None:
    world = with_chunks(keys_of(1), keys_of(2))
    world.broker = Broker(aborts=1)
    processor = world.processor()
    while processor.step():
        world.threads.work()
    assert told(world) == ["1000", "2000"]


def test_a_fault_beside_the_loop_is_the_loop_s() -> None:
    world = with_chunks(keys_of(1))
    processor = world.processor()
    processor.step()
    future, _ = world.threads.given.pop()
    future.set_exception(ZeroDivisionError("a mistake"))
    with pytest.raises(ZeroDivisionError):
        processor.step()


def test_a_chunk_that_was_done_before_does_nothing_new() -> None:
    world = with_chunks(keys_of(1), keys_of(1))
    processor = world.processor()
    while processor.step():
        world.threads.work()
    assert told(world) == ["1000"]
    world.inbox.bulk += chunk_records(keys_of(1))
    while processor.step():
        world.threads.work()
    assert told(world) == ["1000"]


def test_connections_are_closed_some_time_after_the_last_batch() -> None:
    closed, now_s = list[float](), 0.0
    world = with_chunks(keys_of(1))
    processor = world.processor()
    processor.bulk = bulk = Bulk(world.comparer(), world.threads, lambda: closed.append(now_s), lambda: now_s)
    assert processor.step()
    assert not processor.step()
    world.threads.work()
    assert processor.step()
    assert processor.bulk is bulk
    for now_s in (IDLE_S - 1, IDLE_S, IDLE_S + 1):  # noqa: B007
        assert not processor.step()
    assert closed == [IDLE_S]


@pytest.mark.parametrize(("share", "rest_s"), [(0.1, 18.0), (0.5, 2.0), (1.0, 0.0)])
def test_a_partition_rests_so_long_that_work_has_its_share_of_the_time(share: float, rest_s: float) -> None:
    world = with_chunks(scan_part(), scan_part())
    world.share = share
    processor = world.processor()
    assert processor.step()
    world.now_s += 2.0
    world.threads.work()
    world.now_s += 1.0  # it waits to be committed
    assert processor.step()
    assert world.broker.offsets == [[1]], "what was done is told before the rest"
    if rest_s:
        world.now_s += rest_s - 0.01
        assert not processor.step()
        assert processor.is_busy(), "the end of the rest is waited for"
        world.now_s += 0.01
    assert processor.step()
    assert len(world.threads.given) == 1


def test_nothing_is_waited_for_once_a_rest_is_over() -> None:
    world = with_chunks(keys_of(1))
    world.share = 0.5
    processor = world.processor()
    processor.step()
    world.now_s += 1.0
    world.threads.work()
    processor.step()
    world.now_s += 1.0
    assert not processor.step()
    assert not processor.is_busy()


def test_no_more_is_in_hand_than_can_be_read() -> None:
    world = with_chunks(keys_of(1))
    processor = world.processor()
    others = [Future[Compared]() for _ in range(SIDE_BY_SIDE)]
    for partition, other in enumerate(others):
        processor.hand.add(InHand(PARTITIONS + partition, 0, [], Intake(), other))
    assert not processor.step()
    others[1].set_result(Compared(Intake(), Plan(), []))
    assert processor.step(), "that one is committed"
    assert processor.step()
    assert len(world.threads.given) == 1


def test_a_large_request_goes_its_way_beside_the_loop() -> None:
    """It is passed on as it came, taken on there, once, and its chunks come back the same way."""
    world = parts()
    keys = Keys(tuple(str(number) for number in range(1, 6_002)))
    asked = Request(IDS[0], "NORTH", "PersonIdentity", keys, "sis", mode=Mode.VERIFY)
    published = received(Lane.REQUESTS, CODEC.encode("any", asked), partition=NORTH)
    world.inbox.log += [published, published]
    processor = world.processor(max_keys=5_000)

    def passed_on() -> list[bytes | None]:
        written = [record.value for record in world.broker.written if record.topic == "resync.chunks"]
        world.broker.written.clear()
        world.inbox.bulk += [
            received(Lane.CHUNKS, value, partition=NORTH, offset=len(world.inbox.bulk) + number)
            for number, value in enumerate(written)
        ]
        return written

    def work_off() -> None:
        while processor.step():
            world.threads.work()

    assert processor.step()
    assert not world.known, "nothing is taken on yet"
    assert processor.step()
    assert passed_on() == [published.value, published.value]
    work_off()
    assert accepted_id(IDS[0], "NORTH", "0", 1) in world.known
    assert len(passed_on()) == 13
    work_off()
    assert told(world) == list(keys.keys)
    world.inbox.log.append(replace(published, offset=2))
    work_off()
    assert passed_on() == [], "a repetition does nothing new"
