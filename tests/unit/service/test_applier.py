"""The applier on memory: one batch is answered while the next is applied; neither is lost with the other (ADR 0056)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from threading import Event, Semaphore
from typing import Any

import pytest

from processor.core.catalog import Catalog, ObjectType
from processor.core.correction import Answer, Correction, Result
from processor.service.applier import Applier
from processor.service.apply import Ready
from processor.service.apply_state import StateTransaction, StateUnavailable, StateWriter, Write
from processor.service.emit import Emitter
from processor.service.records import Lane, Outgoing, Received
from processor.settings import Topics
from tests.unit.codec.records import CORRECTION
from tests.unit.service.processing import CATALOG, CODEC, NORTH, AtRest, Waiting
from tests.unit.service.received import PARTITIONS

WAIT_S = 10.0


def corrections(count: int) -> list[Received]:
    return [
        Received(Lane.CORRECTIONS, "state.corrections", NORTH, n, b"NORTH", CODEC.encode("any", correction(n)), (), 0.0)
        for n in range(count)
    ]


def correction(number: int) -> Correction:
    return replace(CORRECTION, source=replace(CORRECTION.source, key=str(number)))


@dataclass(slots=True)
class State:
    """Applies what it is given, unless it is away."""

    catalog: Catalog = CATALOG
    applied: list[str] = field(default_factory=list)
    faults: int = 0
    begins: Callable[[], None] = lambda: None
    makes: Callable[[], None] = lambda: None
    made: Semaphore = field(default_factory=partial(Semaphore, 0))
    """Of each batch that was made ready."""
    pruned: int = 0

    def apply(self, batch: Ready, _writer: StateWriter, now: datetime) -> list[Answer]:
        self.begins()
        corrections = batch.corrections
        if self.faults:
            self.faults -= 1
            raise StateUnavailable("away")
        self.applied += [each.source.key for each in corrections]
        return [Answer(each.source, Result.APPLIED, None, now) for each in corrections]

    def transaction(self, districts: Collection[str]) -> AbstractContextManager[StateTransaction]:
        raise NotImplementedError(districts)

    def make(self, object_type: ObjectType, writes: Sequence[Write]) -> None:
        assert [each.correction.source.object for each in writes] == [object_type.name] * len(writes)
        self.makes()
        self.made.release()

    def prune(self, now: datetime) -> int:
        assert now.tzinfo
        self.pruned += 1
        return 0


@dataclass(slots=True)
class Broker:
    """Commits once it may, and aborts as often as told."""

    aborts: int = 0
    may: Event = field(default_factory=Event)
    begun: Event = field(default_factory=Event)
    keys: list[str] = field(default_factory=list)
    offsets: list[list[Any]] = field(default_factory=list)
    is_open: bool = False

    def commit(self, records: Iterable[Outgoing], offsets: Sequence[Any]) -> bool:
        self.is_open = True
        self.begun.set()
        assert self.may.wait(WAIT_S)
        self.is_open = False
        if self.aborts:
            self.aborts -= 1
            return False
        for record in records:
            if record.topic != Topics().answers:
                continue
            answer = CODEC.decode(record.value or b"", (Answer,))
            assert isinstance(answer, Answer)
            self.keys.append(answer.source.key)
        self.offsets.append(list(offsets))
        return True


@dataclass(slots=True)
class World:
    inbox: Waiting
    state: State = field(default_factory=State)
    broker: Broker = field(default_factory=Broker)

    def applier(self) -> Applier:
        emitter = Emitter(CODEC, Topics(), PARTITIONS, PARTITIONS, "group")
        return Applier(
            inbox=self.inbox,
            codec=CODEC,
            state=self.state,
            emitter=emitter,
            max_records=2,
            commit_transaction=self.broker.commit,
            passed=lambda _: None,
        )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(Waiting(corrections(5)))
    monkeypatch.setattr("processor.service.applier.apply_ready", made.state.apply)
    yield made
    made.broker.may.set()


ALL = ["0", "1", "2", "3", "4"]


def test_the_next_batch_is_applied_while_the_one_before_is_answered(world: World) -> None:
    def begins() -> None:
        if world.state.applied == ["0", "1"]:
            assert world.broker.begun.wait(WAIT_S)
            assert world.broker.keys == [], "nothing is answered yet"
            world.broker.may.set()

    world.state.begins = begins
    assert world.applier().step()
    assert world.state.applied == world.broker.keys == ALL
    assert world.inbox.done == 5
    assert not world.applier().step()


def test_old_answers_are_forgotten_however_many_corrections_come(world: World) -> None:
    world.broker.may.set()
    assert world.applier().step()
    assert world.state.pruned == 1


def test_partitions_at_rest_move_on_with_the_answers(world: World) -> None:
    world.inbox.resting = [AtRest(7)]
    world.broker.may.set()
    assert world.applier().step()
    assert world.broker.offsets[0] == [2, 7]
    assert 7 in world.inbox.rested


@dataclass(slots=True)
class Reading(Waiting):
    """`reads` is called whenever something is read; it says how much there was."""

    reads: Callable[[], int] = lambda: 0

    def fill(self, timeout_s: float) -> int:
        assert timeout_s == 0, "nobody waits for records while there is something in hand"
        return self.reads()


def test_what_arrives_meanwhile_is_read_while_no_transaction_is_open(world: World) -> None:
    arrived = iter([4])

    def reads() -> int:
        assert not world.broker.is_open
        world.inbox.log = corrections(9)
        return next(arrived, 0)

    def makes() -> None:
        """The second batch, once the first is being answered, which goes on until there is a third."""
        if world.inbox.taken == 4:
            assert world.broker.begun.wait(WAIT_S)
        if world.inbox.taken > 4:
            world.broker.may.set()

    world.inbox = Reading(corrections(6), reads=reads)
    world.state.makes = makes
    assert world.applier().step()
    assert world.broker.keys == [str(n) for n in range(9)]
    assert world.inbox.done == 9


def test_nothing_is_answered_that_was_in_hand_when_partitions_moved(world: World) -> None:
    """They are others' then. What is this applier's is read again."""
    moved = Event()

    def reads() -> int:
        if world.inbox.done == 2 and not moved.is_set():
            world.inbox.rewound += 1
            moved.set()
        return 0

    def begins() -> None:
        if world.state.applied:
            assert moved.wait(WAIT_S)

    world.inbox = Reading(corrections(5), reads=reads)
    world.state.begins = begins
    world.broker.may.set()
    applier = world.applier()
    assert applier.step()
    assert world.state.applied == ALL
    assert world.broker.keys == ["0", "1"]
    assert (world.inbox.done, world.inbox.taken, world.inbox.rewound) == (2, 2, 2)
    assert applier.step()
    assert world.broker.keys == ALL


def test_the_next_batch_is_made_ready_while_one_is_applied(world: World) -> None:
    """As soon as one was quick: behind one that is slow nothing is taken."""
    behind: list[bool] = []

    def begins() -> None:
        if world.state.applied == ["0", "1"]:
            behind.extend(world.state.made.acquire(timeout=WAIT_S) for _ in range(3))

    world.broker.may.set()
    world.state.begins = begins
    assert world.applier().step()
    assert behind == [True] * 3
    assert world.broker.keys == ALL


def test_what_waits_behind_a_slow_batch_is_not_begun_but_read_again(world: World) -> None:
    """Each may take a minute, and rebalances are not heard of meanwhile."""
    now_s = 0.0

    def begins() -> None:
        nonlocal now_s
        if world.state.applied == ["0", "1"]:
            assert all(world.state.made.acquire(timeout=WAIT_S) for _ in range(3))
            now_s += 60.0

    world.broker.may.set()
    world.state.begins = begins
    applier = world.applier()
    applier.clock = lambda: now_s
    assert applier.step()
    assert world.state.applied == world.broker.keys == ALL[:4]
    assert (world.inbox.done, world.inbox.taken, world.inbox.rewound) == (4, 4, 1)
    assert applier.step()
    assert world.broker.keys == ALL


def test_what_follows_a_batch_of_poison_does_not_wait_for_a_batch_that_was_slow_before(world: World) -> None:
    now_s = 0.0

    def begins() -> None:
        nonlocal now_s
        now_s += 0.0 if world.state.applied else 60.0

    slow, poison = world.inbox.log[:2], [replace(each, value=None) for each in world.inbox.log[:2]]
    world.inbox.log = [*slow, *poison, *world.inbox.log[2:]]
    world.broker.may.set()
    world.state.begins = begins
    applier = world.applier()
    applier.clock = lambda: now_s
    assert applier.step()
    assert world.broker.keys == ["0", "1"]
    assert applier.step()
    assert world.broker.keys == ALL
    assert world.inbox.rewound == 0


def test_after_an_abort_what_was_applied_behind_it_is_read_again_and_answered_in_its_turn(world: World) -> None:
    world.broker.aborts = 1
    world.broker.may.set()
    applier = world.applier()
    assert applier.step()
    assert world.state.applied[:2] == ["0", "1"]
    assert world.broker.keys == []
    assert (world.inbox.done, world.inbox.taken, world.inbox.rewound) == (0, 0, 1)
    applier.step()
    assert world.broker.keys == ALL


def test_an_abort_of_the_last_batch_is_read_again_too(world: World) -> None:
    world.inbox.log = corrections(1)
    world.broker.aborts = 1
    world.broker.may.set()
    applier = world.applier()
    assert applier.step()
    assert (world.inbox.done, world.inbox.taken) == (0, 0)
    applier.step()
    assert world.broker.keys == ["0"]


def test_a_state_that_goes_away_takes_no_answer_with_it(world: World) -> None:
    def begins() -> None:
        world.state.faults = int(world.state.applied == ["0", "1"])

    world.state.begins = begins
    world.broker.may.set()
    applier = world.applier()
    with pytest.raises(StateUnavailable):
        applier.step()
    assert world.state.applied == ["0", "1"], "nor is anything applied that came behind"
    assert world.broker.keys == ["0", "1"]
    assert world.inbox.done == 2
    world.inbox.rewind()
    world.state.begins = lambda: None
    applier.step()
    assert world.broker.keys == ALL


def test_a_slow_state_is_not_gone_on_with_for_as_long_as_there_is_something_at_hand(world: World) -> None:
    """Else nobody polls for minutes: others wait for the rebalance, and the broker takes the member for dead."""
    now_s = 0.0

    def begins() -> None:
        nonlocal now_s
        now_s += 60.0

    world.state.begins = begins
    world.broker.may.set()
    applier = world.applier()
    applier.clock = lambda: now_s
    assert applier.step()
    assert world.broker.keys == ["0", "1"]
    assert applier.step()
    assert applier.step()
    assert world.broker.keys == ALL
    assert not applier.step()
