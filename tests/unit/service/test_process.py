"""A processor's batch: what it takes, when it is known, and what an abort leaves behind."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from processor.codec.codec import Codec
from processor.codec.errors import RegistryUnavailable
from processor.core.catalog import District
from processor.core.history import KeyOutcome, RequestStatus, Status
from processor.core.ids import accepted_id
from processor.core.partition import partition_of
from processor.core.request import Keys, Request
from processor.service.emit import Emitter
from processor.service.inbox import run
from processor.service.process import BatchLimits, Processor
from processor.service.records import Lane, Outgoing, Received
from processor.settings import Topics
from tests.unit.codec.records import CATALOG as SHIPPED
from tests.unit.service.databases import Databases
from tests.unit.service.received import PARTITIONS, received

CATALOG = replace(SHIPPED, districts={"NORTH": District("NORTH", "North", "")})
CODEC = Codec.open(None, CATALOG)
NORTH = partition_of("NORTH", PARTITIONS)
IDS = [f"0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c{number:02x}" for number in range(10)]
NEEDS_THE_REGISTRY = received(Lane.REQUESTS, b"\x00\x00\x00\x00\x07x", partition=NORTH, offset=99)


def requests(*sizes: int) -> list[Received]:
    """Requests of so many keys each, one after the other in their district's partition."""
    made = []
    for offset, size in enumerate(sizes):
        keys = Keys(tuple(str(number) for number in range(1, size + 1)))
        asked = Request(IDS[offset], "NORTH", "PersonIdentity", keys, "sis")
        made.append(received(Lane.REQUESTS, CODEC.encode("any", asked), partition=NORTH, offset=offset))
    return made


@dataclass(slots=True)
class Waiting:
    """An inbox of one partition, in memory."""

    log: list[Received]
    taken: int = 0
    done: int = 0
    rewound: int = 0

    def fill(self, timeout_s: float) -> int:
        assert timeout_s >= 0
        return 0

    def ready(self, now_s: float) -> Iterator[Received]:
        assert now_s > 0
        while self.taken < len(self.log):
            before = self.taken
            yield self.log[before]
            if self.taken == before:
                return

    def take(self, record: Received) -> None:
        assert record is self.log[self.taken]
        self.taken += 1

    def waits(self, lane: Lane, partition: int) -> bool:
        return any(r.lane is lane and r.partition == partition for r in self.log[self.taken :])

    def next_due_s(self) -> float | None:
        return None

    def offsets(self) -> Sequence[int]:
        return [self.taken]

    def committed(self) -> None:
        self.done = self.taken

    def rewind(self) -> None:
        self.taken = self.done
        self.rewound += 1


@dataclass(slots=True)
class Broker:
    """Commits, or aborts as often as told."""

    aborts: int = 0
    written: list[Outgoing] = field(default_factory=list)
    offsets: list[Any] = field(default_factory=list)

    def commit(self, records: Iterable[Outgoing], offsets: Sequence[Any]) -> bool:
        if self.aborts:
            self.aborts -= 1
            return False
        self.written += records
        self.offsets.append(list(offsets))
        return True

    def outcomes(self) -> list[KeyOutcome]:
        history = [
            CODEC.decode(r.value or b"", (RequestStatus, KeyOutcome))
            for r in self.written
            if r.topic == "resync.history"
        ]
        return [record for record in history if isinstance(record, KeyOutcome)]


@dataclass(slots=True)
class Parts:
    """A processor and what it works with."""

    inbox: Waiting
    broker: Broker = field(default_factory=Broker)
    databases: Databases = field(default_factory=Databases)
    known: set[bytes] = field(default_factory=set)
    steps: list[str] = field(default_factory=list)

    def processor(self, **limits: Any) -> Processor:
        most = {"max_keys": 1_000, "max_records": 1_000, "max_bytes": 1_000_000, "max_s": 60.0}
        codec = Codec.open(None, CATALOG, "http://127.0.0.1:1") if NEEDS_THE_REGISTRY in self.inbox.log else CODEC
        return Processor(
            inbox=self.inbox,
            codec=codec,
            catalog=CATALOG,
            snapshots=self.databases,
            scans=self.databases,
            emitter=Emitter(CODEC, Topics(), PARTITIONS, 6, "resync-process"),
            accepted=self.known,
            limits=BatchLimits(**{**most, **limits}),
            commit_transaction=self.broker.commit,
            rows=lambda _district_id, _object: 0,
            passed=self.steps.append,
        )


def parts(*records: Received, **more: Any) -> Parts:
    return Parts(Waiting(list(records)), **more)


def test_a_batch_is_committed_with_its_own_offsets_and_then_known() -> None:
    world = parts(*requests(2, 1))
    assert world.processor().step()
    assert [(o.key, o.status) for o in world.broker.outcomes()] == [(key, Status.NOT_FOUND) for key in ("1", "2", "1")]
    assert world.broker.offsets == [[2]]
    assert world.inbox.done == 2
    assert world.known == {accepted_id(each, "NORTH", "0", 1) for each in IDS[:2]}
    assert world.steps == ["after_read", "after_compare"]
    assert not world.processor().step(), "nothing is left"


def test_an_aborted_batch_is_not_known_and_is_read_again() -> None:
    world = parts(*requests(1), broker=Broker(aborts=2))
    processor = world.processor()
    assert processor.step()
    assert (world.known, world.inbox.rewound, world.inbox.taken, world.broker.written) == (set(), 1, 0, [])
    assert processor.step()
    assert processor.step()
    assert len(world.broker.outcomes()) == 1
    assert world.broker.offsets == [[1]]


@pytest.mark.parametrize(
    ("sizes", "limits", "batches"),
    [
        ([1, 1, 1], {}, [3]),
        ([1, 1, 1], {"max_records": 2}, [2, 3]),
        ([2, 2, 2], {"max_keys": 4}, [2, 3]),
        ([2, 2, 2], {"max_keys": 5}, [2, 3]),
        ([9, 1], {"max_keys": 4}, [1, 2]),
        ([1, 9, 1], {"max_keys": 4}, [1, 2, 3]),
        ([1, 1, 1], {"max_bytes": 1}, [1, 2, 3]),
        ([1, 1, 1], {"max_s": 0.0}, [1, 2, 3]),
    ],
)
def test_batches_are_bounded_by_keys_records_bytes_and_time(
    sizes: list[int], limits: dict[str, Any], batches: list[int]
) -> None:
    world = parts(*requests(*sizes))
    processor = world.processor(**limits)
    while processor.step():
        pass
    assert world.broker.offsets == [[offset] for offset in batches]
    assert len(world.broker.outcomes()) == sum(sizes)


def test_poison_between_good_records_is_set_aside_in_the_same_transaction() -> None:
    first, second = requests(1, 1)
    world = parts(first, received(Lane.REQUESTS, b"?", partition=NORTH, offset=7), second)
    world.processor().step()
    assert [r.value for r in world.broker.written if r.topic == "resync.dead-letters"] == [b"?"]
    assert len(world.broker.outcomes()) == 2


def test_a_registry_that_is_away_ends_a_batch_before_the_record_that_needs_it() -> None:
    world = parts(*requests(1, 1), NEEDS_THE_REGISTRY)
    processor = world.processor()
    assert processor.step()
    assert world.broker.offsets == [[2]]
    with pytest.raises(RegistryUnavailable):
        processor.step()
    assert world.inbox.taken == 2, "its offset does not move"


def test_the_loop_waits_for_what_is_away_and_reads_again() -> None:
    inbox = Waiting([])
    asked = 0

    def step() -> bool:
        nonlocal asked
        asked += 1
        if asked in {2, 3}:
            raise RegistryUnavailable("registry: away")
        return asked == 1

    run(inbox, step, stop=lambda: asked == 4)
    assert inbox.rewound == 2
