"""Batches of what is done at once: the next ones are read while one is compared and committed (ADR 0228)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from processor.codec.errors import RegistryUnavailable
from processor.core.history import Status
from processor.core.pace import GROWTH, KEYS_AT_ONCE
from processor.core.plan import Plan
from processor.service.ahead import FULL_OF_ROWS, Ahead
from processor.service.comparing import Compared, Seen
from processor.service.inbox import run
from processor.service.intake import Intake
from processor.service.ports import SnapshotUnavailable
from processor.service.process import AHEAD, Processor
from processor.service.records import Lane, Outgoing, Received
from processor.service.resync import Observation
from tests.awaiting import await_
from tests.unit.service.processing import (
    NEEDS_THE_REGISTRY,
    AtRest,
    Broker,
    Later,
    Now,
    Parts,
    Waiting,
    parts,
    requests,
)

BATCH = 2
"""Records."""
LONG_S = 0.1
"""Enough for a thread to go wrong in."""


@pytest.fixture(autouse=True)
def nobody_works_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing is waited for."""
    monkeypatch.setattr("processor.service.process.MAX_WAIT_S", 0.0)


def backlog(records: int, **more: Any) -> tuple[Parts, Processor, Later]:
    """Full batches, each of two requests, and threads that work when told to."""
    threads = Later()
    world = parts(*one_key_each(records), at_once=threads, **more)
    return world, world.processor(max_records=BATCH), threads


def one_key_each(records: int) -> list[Received]:
    """The same key in all of them."""
    return requests(*[1] * records)


def read_and_compare(threads: Later, batches: int = 1) -> None:
    threads.work(2 * batches)


def test_the_next_batch_is_begun_before_the_first_is_committed() -> None:
    world, processor, threads = backlog(4)
    assert processor.step()
    assert processor.step()
    assert (world.inbox.taken, world.broker.offsets) == (4, [])
    read_and_compare(threads, 2)
    assert processor.step()
    assert (world.broker.offsets, world.inbox.done) == ([[2]], 2), "its own offsets, though more is taken"
    assert processor.step()
    assert (world.broker.offsets, world.inbox.done) == ([[2], [4]], 4)
    assert not processor.step()


def test_where_partitions_at_rest_are_is_asked_when_a_batch_is_committed() -> None:
    """When it is begun would be too soon: what comes meanwhile, as chunks, may be committed before it."""
    world, processor, threads = backlog(2)
    world.inbox.resting = [AtRest(7)]
    processor.step()
    world.inbox.resting = [AtRest(8)]
    read_and_compare(threads)
    processor.step()
    assert (world.broker.offsets, world.inbox.rested) == ([[2, 8]], [8])


def test_partitions_that_batches_in_hand_name_are_not_moved_meanwhile() -> None:
    """They took their offsets before, and would move the group back."""
    world, processor, threads = backlog(6)
    for _ in range(3):
        processor.step()
    read_and_compare(threads)
    processor.step()
    assert world.inbox.moved == [[2, 4, 6]]


def test_a_step_is_one_turn_of_partitions() -> None:
    """Two a step would have the same one of two first each time, and the other never, where one fills a batch."""
    world, processor, _ = backlog(2)
    for turn in (1, 2):
        processor.step()
        assert world.inbox.turns == turn


def test_few_records_wait_for_more_while_a_batch_is_in_hand() -> None:
    world, processor, _ = backlog(3)
    processor.step()
    processor.step()
    world.inbox.log += one_key_each(4)[3:]
    assert processor.hand.at_once() == 1, "one record is no batch beside another"
    processor.step()
    assert processor.hand.at_once() == 2, "two are a full one"


def test_few_records_are_begun_before_the_batch_before_them_is_committed() -> None:
    world, processor, threads = backlog(3)
    processor.step()
    read_and_compare(threads)
    seen: list[int] = []

    def commit(records: Iterable[Outgoing], offsets: Sequence[Any]) -> bool:
        seen.append(len(threads.given))
        return world.broker.commit(records, offsets)

    processor.commit_transaction = commit
    processor.step()
    assert seen == [2], "to be read and compared meanwhile"
    assert world.broker.offsets == [[2]]


def test_what_is_in_hand_is_bounded() -> None:
    world, processor, _ = backlog(10)
    for _ in range(2 * AHEAD):
        processor.step()
    assert (processor.hand.at_once(), world.inbox.taken) == (AHEAD, BATCH * (AHEAD + 1))


def test_what_a_batch_in_hand_takes_on_is_known_to_the_next() -> None:
    world, processor, threads = backlog(2)
    world.inbox.log += [replace(record, offset=record.offset + 2) for record in world.inbox.log]
    while processor.step():
        read_and_compare(threads, 2)
    assert len(world.broker.outcomes()) == 2
    assert world.broker.offsets == [[2], [4]]


def test_after_an_abort_all_that_is_in_hand_is_read_again() -> None:
    """The second batch came to nothing new because of the first; once that is void, it is the one that counts."""
    world, processor, threads = backlog(2, broker=Broker(aborts=1))
    world.inbox.log += [replace(record, offset=record.offset + 2) for record in world.inbox.log]
    processor.step()
    processor.step()
    assert world.inbox.taken == 4
    read_and_compare(threads)
    assert processor.step()
    assert (world.inbox.taken, world.broker.offsets, world.known) == (0, [], set())
    while processor.step():
        read_and_compare(threads, 2)
    assert len(world.broker.outcomes()) == 2
    assert world.broker.offsets == [[2], [4]]


def test_what_a_void_batch_took_on_is_not_known() -> None:
    """It is still being read when its input comes again."""
    world, processor, threads = backlog(1, broker=Broker(aborts=1))
    processor.step()
    world.inbox.log += one_key_each(3)[1:]
    processor.step()
    read_and_compare(threads)
    assert processor.step()
    assert world.inbox.rewound == 1
    while processor.step():
        read_and_compare(threads, 2)
    assert len(world.broker.outcomes()) == 3
    assert world.broker.offsets == [[2], [3]]


def test_a_rebalance_makes_void_what_is_in_hand_and_what_is_gathered() -> None:
    world, processor, threads = backlog(5)
    for _ in range(3):
        processor.step()
    assert (processor.hand.at_once(), world.inbox.taken) == (2, 5)
    world.inbox.log, world.inbox.taken, world.inbox.rewound = [], 0, 1
    read_and_compare(threads, 2)
    while processor.step():
        pass
    assert (world.broker.written, world.known, threads.given) == ([], set(), [])


def test_a_registry_that_is_away_for_the_next_batch_takes_nothing_from_the_one_in_hand() -> None:
    world = parts(*one_key_each(2), NEEDS_THE_REGISTRY, at_once=(threads := Later()))
    processor = world.processor(max_records=BATCH)
    assert processor.step()
    assert processor.step(), "there is a batch to be committed first"
    read_and_compare(threads)
    assert processor.step()
    assert world.broker.offsets == [[2]]
    with pytest.raises(RegistryUnavailable):
        processor.step()


def test_a_registry_that_is_away_for_a_batch_in_hand_is_waited_for() -> None:
    """What was committed before stays; what comes after is read again."""
    world, processor, threads = backlog(6)
    processor.step()
    processor.step()
    read_and_compare(threads)
    threads.work(1)
    future, _ = threads.given.pop()
    future.set_exception(RegistryUnavailable("registry: away"))

    def step() -> bool:
        read_and_compare(threads, 2)
        return processor.step()

    run(world.inbox, step, stop=lambda: len(world.broker.offsets) == 3)
    assert world.inbox.rewound == 1
    assert world.broker.offsets == [[2], [4], [6]]
    assert len(world.broker.outcomes()) == 6


def test_a_database_that_is_away_for_a_batch_in_hand_defers_its_keys_alone() -> None:
    world, processor, threads = backlog(6)
    processor.step()
    processor.step()
    read_and_compare(threads)
    world.databases.away.add(("NORTH", "PersonIdentity"))
    read_and_compare(threads)
    world.databases.away.clear()
    while processor.step():
        read_and_compare(threads)
    told = [outcome.status for outcome in world.broker.outcomes()]
    assert told == 2 * [Status.NOT_FOUND] + 2 * [Status.DEFERRED] + 2 * [Status.NOT_FOUND]
    assert world.broker.offsets == [[2], [4], [6]]
    assert [record.topic for record in world.broker.written].count("resync.retry") == 2


def test_a_loop_with_a_batch_in_hand_waits_for_that_and_for_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _, _ = backlog(1)
    waits: list[float] = []

    class Listening(Waiting):
        def fill(self, timeout_s: float) -> int:
            waits.append(timeout_s)
            return 0

    inbox = Listening(world.inbox.log)
    world.inbox = inbox
    monkeypatch.undo()
    processor = world.processor()
    comparer = world.comparer()

    def read(intake: Intake) -> Seen:
        await_(lambda: len(waits) > 1, "the loop to wait")
        Event().wait(LONG_S)
        return comparer.read(intake)

    with_threads = Ahead(read, comparer.decide)
    processor.ahead = with_threads
    run(inbox, processor.step, stop=lambda: inbox.done == 1)
    with_threads.close()
    assert not any(waits[1:])
    assert len(waits) < 10, "nobody looks again and again"


def test_a_batch_is_read_while_the_one_before_it_is_compared_and_never_sooner() -> None:
    steps, second_is_read = list[str](), Event()

    def read(intake: Intake) -> Seen:
        number = len(intake.repeated)
        if number == 2:
            second_is_read.set()
        else:
            assert not second_is_read.wait(LONG_S), "before the first"
        steps.append(f"read {number}")
        return Seen(intake, Observation(), [])

    def decide(seen: Seen) -> Compared:
        steps.append(f"decided {len(seen.intake.repeated)}" if second_is_read.wait(10) else "too late")
        return Compared(seen.intake, Plan(), [])

    ahead = Ahead(read, decide)
    ended = [ahead.compare(Intake(repeated=number * [Lane.REQUESTS])) for number in (1, 2)]
    assert [len(each.result(20).intake.repeated) for each in ended] == [1, 2]
    ahead.close()
    assert steps == ["read 1", "read 2", "decided 1", "decided 2"]


def test_rows_of_very_many_keys_are_decided_before_the_next_batch_is_read() -> None:
    """What was the same until now may differ in all batches in hand, and each of them would be held in memory."""
    steps, second_is_read, may_decide = list[str](), Event(), Event()

    def read(intake: Intake) -> Seen:
        number = len(intake.repeated)
        steps.append(f"read {number}")
        seen = Observation()
        if number == 1:
            seen.others = FULL_OF_ROWS + 1
        else:
            second_is_read.set()
        return Seen(intake, seen, [])

    def decide(seen: Seen) -> Compared:
        assert may_decide.wait(10)
        steps.append(f"decided {len(seen.intake.repeated)}")
        if len(seen.intake.repeated) == 1:
            raise RegistryUnavailable("away")
        return Compared(seen.intake, Plan(), [])

    ahead = Ahead(read, decide)
    first, second = [ahead.compare(Intake(repeated=number * [Lane.REQUESTS])) for number in (1, 2)]
    assert not second_is_read.wait(LONG_S)
    may_decide.set()
    assert isinstance(first.exception(10), RegistryUnavailable)
    second.result(10)
    ahead.close()
    assert steps == ["read 1", "decided 1", "read 2", "decided 2"]


def test_a_batch_is_larger_after_one_that_was_quick_and_the_same_on_both_sides() -> None:
    seen = Observation()

    def read(intake: Intake) -> Seen:
        return Seen(intake, seen, [])

    ahead = Ahead(read, lambda each: Compared(each.intake, Plan(), []), Now(), Now(), clock=lambda: 0.0)
    seen.same, seen.others = KEYS_AT_ONCE - 100, 100
    ahead.compare(Intake())
    assert ahead.keys == GROWTH * KEYS_AT_ONCE
    seen.others, seen.same = GROWTH * KEYS_AT_ONCE, 0
    ahead.compare(Intake())
    assert ahead.keys == KEYS_AT_ONCE, "all that differs is held in memory"


def test_a_batch_is_as_at_the_start_after_one_that_could_not_be_read() -> None:
    seen = Observation()
    seen.away["NORTH", "PersonIdentity"] = SnapshotUnavailable("away")
    ahead = Ahead(lambda intake: Seen(intake, seen, []), lambda each: Compared(each.intake, Plan(), []), Now(), Now())
    ahead.keys = 4 * KEYS_AT_ONCE
    ahead.compare(Intake())
    assert ahead.keys == KEYS_AT_ONCE


def test_a_batch_has_as_many_keys_as_the_last_ones_allow() -> None:
    world = parts(*requests(3, 3, 3))
    processor = world.processor(max_keys=9)
    processor.ahead.keys = 6
    assert processor.step()
    assert world.inbox.taken == 2
