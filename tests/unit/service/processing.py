"""A processor on memory: what comes in, what is committed, and what is worked on beside the loop."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any

from processor.codec.codec import Codec
from processor.core.catalog import District
from processor.core.chunk import Chunk
from processor.core.history import KeyOutcome, RequestStatus
from processor.core.partition import partition_of
from processor.core.request import Keys, Request
from processor.service.ahead import Ahead
from processor.service.bulk import Bulk
from processor.service.comparing import Comparer
from processor.service.emit import Emitter
from processor.service.gathering import BatchLimits
from processor.service.hand import Hand
from processor.service.process import Processor
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


class OfChunks(int):
    """An offset in the partition of chunks."""


class AtRest(int):
    """Where a partition that has no records is to be moved."""


@dataclass(slots=True)
class Waiting:
    """An inbox of one partition, in memory."""

    log: list[Received]
    taken: int = 0
    done: int = 0
    rewound: int = 0
    bulk: list[Received] = field(default_factory=list)
    """Of one partition of chunks."""
    bulk_taken: int = 0
    bulk_done: int = 0
    turns: int = 0
    """Each look at what is ready begins with another partition."""
    moved: list[list[int]] = field(default_factory=list)
    """What was told to be under way, by each look for partitions at rest."""
    resting: list[AtRest] = field(default_factory=list)
    rested: list[AtRest] = field(default_factory=list)

    @property
    def generation(self) -> int:
        return self.rewound

    def fill(self, timeout_s: float) -> int:
        assert timeout_s >= 0
        return 0

    def ready(self, now_s: float) -> Iterator[Received]:
        assert now_s > 0
        self.turns += 1
        while self.taken < len(self.log):
            before = self.taken
            yield self.log[before]
            if self.taken == before:
                return

    def chunks(self, resting: Collection[int] = ()) -> Iterator[Received]:
        if NORTH in resting or self.bulk_taken > self.bulk_done:
            return
        while self.bulk_taken < len(self.bulk):
            before = self.bulk_taken
            yield self.bulk[before]
            if self.bulk_taken == before:
                return

    def take(self, record: Received) -> None:
        if record.lane is Lane.CHUNKS:
            assert record is self.bulk[self.bulk_taken]
            self.bulk_taken += 1
        else:
            assert record is self.log[self.taken]
            self.taken += 1

    def waits(self, lane: Lane, partition: int) -> bool:
        return lane is Lane.CHUNKS and partition == NORTH and self.bulk_done < len(self.bulk)

    def next_due_s(self) -> float | None:
        return 0.0 if self.taken < len(self.log) else None

    def offsets(self, chunks_of: int | None = None) -> Sequence[int]:
        return [self.taken if chunks_of is None else OfChunks(self.bulk_taken)]

    def at_rest(self, moved: Sequence[int]) -> Sequence[int]:
        self.moved.append(list(moved))
        told, self.resting = self.resting, []
        return told

    def committed(self, offsets: Sequence[int]) -> None:
        for offset in offsets:
            if isinstance(offset, OfChunks):
                self.bulk_done = offset
            elif isinstance(offset, AtRest):
                self.rested.append(offset)
            else:
                self.done = offset

    def rewind(self) -> None:
        self.taken, self.bulk_taken = self.done, self.bulk_done
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
            if r.topic == "resync.history" and b"~" not in (r.key or b"")
        ]
        return [record for record in history if isinstance(record, KeyOutcome)]


def no_rows(_district_id: str, _object: str) -> int:
    return 0


def _done(future: Future[Any], call: Callable[[], Any]) -> None:
    try:
        future.set_result(call())
    except Exception as fault:  # noqa: BLE001  (as a thread pool does)
        future.set_exception(fault)


class Now(Executor):
    """Does at once what it is given."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        _done(future, lambda: fn(*args, **kwargs))
        return future


class Later(Executor):
    """Does what it is given when told to."""

    def __init__(self) -> None:
        self.given: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.given.append((future, lambda: fn(*args, **kwargs)))
        return future

    def work(self, most: int | None = None) -> None:
        for future, call in self.given[:most]:
            _done(future, call)
        del self.given[:most]


@dataclass(slots=True)
class Parts:
    """A processor and what it works with."""

    inbox: Waiting
    broker: Broker = field(default_factory=Broker)
    databases: Databases = field(default_factory=Databases)
    known: set[bytes] = field(default_factory=set)
    steps: list[str] = field(default_factory=list)
    threads: Later = field(default_factory=Later)
    """For chunks."""
    at_once: Executor = field(default_factory=Now)
    now_s: float = 0.0
    share: float = 1.0
    key_takes_s: float = 0.0
    """Beside the loop."""

    def processor(self, **limits: Any) -> Processor:
        most = {"max_keys": 1_000, "max_records": 1_000, "max_bytes": 1_000_000, "max_s": 60.0}
        values = [record.value for record in (*self.inbox.log, *self.inbox.bulk)]
        needs_it = NEEDS_THE_REGISTRY.value in values
        codec = Codec.open(None, CATALOG, "http://127.0.0.1:1") if needs_it else CODEC
        comparer = self.comparer()
        beside = replace(comparer, passed=self._work_on_a_batch)
        return Processor(
            inbox=self.inbox,
            codec=codec,
            catalog=CATALOG,
            partitions=PARTITIONS,
            hand=Hand(lambda: self.inbox.generation),
            ahead=Ahead(comparer.read, comparer.decide, self.at_once, self.at_once),
            bulk=Bulk(beside, self.threads, clock=lambda: self.now_s, share=self.share),
            accepted=self.known,
            limits=BatchLimits(**{**most, **limits}),
            commit_transaction=self.broker.commit,
        )

    def comparer(self) -> Comparer:
        emitter = Emitter(CODEC, Topics(), PARTITIONS, 6, "resync-process")
        return Comparer(CATALOG, self.databases, self.databases, no_rows, emitter, self.steps.append)

    def _work_on_a_batch(self, step: str) -> None:
        if step == "after_read" and self.databases.asked:
            self.now_s += self.key_takes_s * sum(map(len, self.databases.asked[-1].values()))
        self.steps.append(step)


def parts(*records: Received, **more: Any) -> Parts:
    return Parts(Waiting(list(records)), **more)


def chunk_records(*chunks: Chunk) -> list[Received]:
    """In their district's partition, one after the other."""
    return [
        received(Lane.CHUNKS, CODEC.encode("any", each), partition=NORTH, offset=offset)
        for offset, each in enumerate(chunks)
    ]
