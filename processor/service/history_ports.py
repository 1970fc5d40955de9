"""What the store and replay need from the outside, and the faults that these may raise."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from processor.core import ids
from processor.core.chunk import Chunk
from processor.core.history import Clear, Cleared, RequestEnd, RequestStatus
from processor.core.request import Request
from processor.service.guard_ports import GuardTables

if TYPE_CHECKING:
    # Commands that only read the tables have no need of the codec.
    from processor.service.history_changes import Changes, RawRecord


class StoreUnavailable(Exception):
    """A part that the store needs gave no answer. Nothing of the batch stands; the same work is tried again."""


class OutsideLog(Exception):
    """What the store knows of the topic is not what the topic holds. Its message says what to do; never a reset."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    records: int = 5_000
    bytes: int = 8 * 1024 * 1024
    linger_s: float = 0.01
    """How long a batch that holds at least one record waits for more."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Records in offset order a partition. `start` and `end` are positions before and after, markers included.

    Only partitions whose position moved are in `start` and `end`, which have the same keys.
    """

    records: "Sequence[RawRecord]"
    start: Mapping[int, int]
    end: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Extent:
    """`low` is the first offset that the log may hold. Committed records end at `stable`, all at `high`."""

    low: int
    stable: int
    high: int


@dataclass(frozen=True, slots=True)
class StoredOffset:
    next_offset: int
    topic_id: str
    live: bool
    away_s: float = 0.0
    """Since the store last kept up with the partition, by the database's clock."""


@dataclass(frozen=True, slots=True)
class Clearable:
    """A request that may be cleared, with what its mark tells."""

    request_id: str
    district_id: str
    object: str
    outcomes: int
    places: Sequence[tuple[str, str]]
    """Districts and objects of all that goes with it: two requests may share one id (ADR 0180)."""


RowPlace: TypeAlias = tuple[int, str, str]
"""Kind, and what its key has beside the request: 0 an outcome, object and key; 1 a chunk, its id; 2 a parked chunk, its
id; 3 the request."""

FIRST_PLACE: RowPlace = (0, "", "")

RecordKey: TypeAlias = tuple[str, str]
"""A request, and the whole key of one of its history records."""


@dataclass(frozen=True, slots=True)
class BuriedRow:
    """A row of a cleared request, whose record is still on the topic."""

    request_id: str
    place: RowPlace

    @property
    def record_key(self) -> RecordKey:
        kind, first, second = self.place
        match kind:
            case 0:
                return self.request_id, ids.outcome_key(self.request_id, first, second)
            case 1:
                return self.request_id, ids.chunk_key(self.request_id, first)
            case 2:
                return self.request_id, ids.held_key(self.request_id, first)
            case _:
                return self.request_id, ids.request_key(self.request_id)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A correction without an answer, with what its request asked for."""

    chunk: Chunk
    correction_id: str
    sent_at: datetime

    @property
    def place(self) -> tuple[datetime, str, str, str]:
        return (self.sent_at, self.chunk.request_id, self.chunk.object, self.chunk.asks[0].key)


class HistoryLog(Protocol):
    """The history topic as a member of the store's consumer group sees it."""

    @property
    def topic(self) -> str: ...

    @property
    def partitions(self) -> int: ...

    def read(self, limits: BatchLimits, wait_s: float) -> LogBatch:
        """Waits for a first record for at most `wait_s`. Serves rebalances; see `to_place`."""

    def to_place(self) -> frozenset[int] | None:
        """Partitions that wait for `place` before anything is read from them; None when none wait."""

    def place(self, offsets: Mapping[int, int]) -> None:
        """Start reading the waiting partitions at these offsets."""

    def displace(self) -> None:
        """Read nothing more until `place`: all partitions wait for it."""

    def extents(self, partitions: Iterable[int]) -> Mapping[int, Extent]: ...

    def topic_id(self) -> str: ...

    def tombstones_kept_s(self) -> float:
        """For how long the topic is sure to show a tombstone."""

    def report(self, offsets: Mapping[int, int]) -> None:
        """Tell the group's offsets, for lag only."""


class HistoryScan(Protocol):
    """The history topic read from anywhere to anywhere, outside any group."""

    @property
    def topic(self) -> str: ...

    @property
    def partitions(self) -> int: ...

    def batches(self, start: Mapping[int, int], end: Mapping[int, int], limits: BatchLimits) -> Iterator[LogBatch]:
        """All records with start <= offset < end. Ends when each partition was read to its end."""

    def extents(self, partitions: Iterable[int]) -> Mapping[int, Extent]: ...

    def topic_id(self) -> str: ...


class HistoryTransaction(Protocol):
    """One SQL transaction on the store's tables."""

    def stage(self, changes: "Changes") -> None:
        """Bring a batch to the server. Holds no lock yet, so a process that stands still here keeps nobody waiting."""

    def holds(self, expected: Mapping[int, int]) -> bool:
        """Lock the offsets of these partitions; whether each is what is expected."""

    def shared_ids(self) -> Sequence[str]:
        """Requests of what was staged whose records name two districts; to be asked before `merge`."""

    def merge(self) -> None:
        """What was staged, into the tables."""

    def ended(self, request_ids: Sequence[str]) -> Sequence[RequestEnd]:
        """The ends of those of the requests that have ended."""

    def linked(self, request_ids: Sequence[str]) -> Sequence[RequestStatus]:
        """Those of the requests that are steps of linked runs."""

    def known(self, request_ids: Sequence[str]) -> Sequence[str]:
        """Those of the requests of which there is, or was, a history."""

    def advance(self, offsets: Mapping[int, int]) -> None: ...

    def mark_live(self, partitions: Iterable[int]) -> None: ...

    def mark_kept(self, partitions: Iterable[int]) -> None:
        """The store keeps up with these, though nothing came."""


class HistoryTables(GuardTables, Protocol):
    def transaction(self) -> AbstractContextManager[HistoryTransaction]:
        """Commits at the end of the block, rolls back on an exception. Raises StoreUnavailable."""

    def offsets(self, begin: Mapping[int, int], topic_id: str) -> Mapping[int, StoredOffset]:
        """Where to read on; partitions not seen before are entered with the offset to begin at, not live."""

    def last_decided_at(self) -> datetime | None:
        """When the last of all requests was decided on, by the processors' clocks; None where there is none."""

    def ended_after(self, request_id: str, until: datetime, limit: int) -> Sequence[RequestEnd]:
        """Ended requests decided on until then, in order of their id, from the first one after `request_id`."""

    def linked(self, request_ids: Sequence[str]) -> Sequence[RequestStatus]:
        """As of a transaction."""

    def known(self, request_ids: Sequence[str]) -> Sequence[str]:
        """As of a transaction."""

    def unanswered(
        self, before: datetime, after: tuple[datetime, str, str, str] | None, limit: int
    ) -> Sequence[Unanswered]:
        """Corrections sent earlier than `before` in the order of `Unanswered.place`, beginning after `after`."""

    def clearable(self, wishes: Sequence[Clear]) -> Sequence[Clearable]:
        """Of the requests wished for, those not yet cleared that have ended and stand as the one who asks saw them."""

    def burials(self, partitions: Sequence[int], after: str, limit: int) -> Sequence[str]:
        """Cleared requests of these partitions that may have left something, in order, from the first after `after`."""

    def to_bury(self, request_id: str, after: RowPlace, limit: int) -> Sequence[BuriedRow]:
        """Rows of a request in the order of their places."""

    def empty_burials(self, partitions: Sequence[int], limit: int) -> Sequence[str]:
        """Those of `burials` that have no row left."""

    def forget_burials(self, request_ids: Sequence[str]) -> None:
        """Unless they have rows after all."""

    def disconnect(self) -> None:
        """Drop the connection; the next call makes a new one."""


class HistoryWriter(Protocol):
    """Writes what the store may write. Returns when the broker has it; raises StoreUnavailable when unsure."""

    def ends(self, ends: Sequence[RequestEnd]) -> Sequence[tuple[int, int]]:
        """Partition and offset of each."""

    def retries(self, chunks: Sequence[Chunk]) -> None: ...

    def orders(self, records: Sequence[RequestStatus | Request]) -> None:
        """For the processor, which takes them up without delay."""

    def chunks(self, chunks: Sequence[Chunk]) -> None:
        """For the processor, in this order a district."""

    def cleared(self, marks: Sequence[Cleared]) -> Sequence[tuple[int, int]]:
        """Partition and offset of each."""

    def tombstones(self, keys: Sequence[RecordKey]) -> Sequence[tuple[int, int]]:
        """Partition and offset of each."""


Stop = Callable[[], bool]
"""Asked often; True once the process should end."""
