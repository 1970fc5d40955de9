"""What the store and replay need from the outside, and the faults that these may raise."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from processor.core import ids
from processor.core.model import Chunk, Cleared, RequestEnd
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

    records: Sequence[RawRecord]
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


@dataclass(frozen=True, slots=True)
class BuriedKey:
    """A record of a cleared request that is still on the topic; see `record_key`."""

    place: int
    request_id: str
    object: str | None
    key: str | None
    chunk: str | None

    @property
    def record_key(self) -> str:
        if self.chunk is not None:
            return ids.chunk_key(self.request_id, self.chunk)
        if self.object is None:
            return ids.request_key(self.request_id)
        if self.key is None:
            return ids.end_key(self.request_id)
        return ids.outcome_key(self.request_id, self.object, self.key)


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

    def stage(self, changes: Changes) -> None:
        """Bring a batch to the server. Holds no lock yet, so a process that stands still here keeps nobody waiting."""

    def holds(self, expected: Mapping[int, int]) -> bool:
        """Lock the offsets of these partitions; whether each is what is expected."""

    def merge(self) -> None:
        """What was staged, into the tables."""

    def ended(self, request_ids: Sequence[str]) -> Sequence[RequestEnd]:
        """The ends of those of the requests that have ended."""

    def advance(self, offsets: Mapping[int, int]) -> None: ...

    def mark_live(self, partitions: Iterable[int]) -> None: ...


class HistoryTables(Protocol):
    def transaction(self) -> AbstractContextManager[HistoryTransaction]:
        """Commits at the end of the block, rolls back on an exception. Raises StoreUnavailable."""

    def offsets(self, begin: Mapping[int, int], topic_id: str) -> Mapping[int, StoredOffset]:
        """Where to read on; partitions not seen before are entered with the offset to begin at, not live."""

    def ended_after(self, request_id: str, limit: int) -> Sequence[RequestEnd]:
        """Ended requests in order of their id, from the first one after `request_id`."""

    def unanswered(
        self, before: datetime, after: tuple[datetime, str, str, str] | None, limit: int
    ) -> Sequence[Unanswered]:
        """Corrections sent earlier than `before` in the order of `Unanswered.place`, beginning after `after`."""

    def clearable(self, request_id: str, before: datetime) -> tuple[str, str, int] | None:
        """District, object and number of outcomes of a request that ended before then and is not cleared."""

    def buried(self, limit: int) -> Sequence[BuriedKey]:
        """Keys that still want a tombstone, the oldest first."""

    def forget_buried(self, page: Sequence[BuriedKey]) -> None: ...

    def disconnect(self) -> None:
        """Drop the connection; the next call makes a new one."""


class HistoryWriter(Protocol):
    """Writes what the store may write. Returns when the broker has it; raises StoreUnavailable when unsure."""

    def ends(self, ends: Sequence[RequestEnd]) -> Sequence[tuple[int, int]]:
        """Partition and offset of each."""

    def retries(self, chunks: Sequence[Chunk]) -> None: ...

    def cleared(self, marks: Sequence[Cleared]) -> None: ...

    def tombstones(self, keys: Sequence[BuriedKey]) -> None: ...


Stop = Callable[[], bool]
"""Asked often; True once the process should end."""
