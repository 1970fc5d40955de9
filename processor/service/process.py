"""The processor: read a batch, decide it, commit it. Chunks of large requests are read beside the loop (ADR 0220)."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from processor.codec.codec import Codec
from processor.codec.errors import RegistryUnavailable
from processor.core.chunk import Chunk
from processor.core.request import Request
from processor.core.rights import Policy
from processor.service.bulk import MOST_KEYS_BESIDE, Bulk
from processor.service.comparing import Compared, Comparer
from processor.service.inbox import Inbox
from processor.service.intake import Sorter
from processor.service.records import Lane, Outgoing, Received
from processor.service.tally import count_batch, timed_commit
from processor.service.work import Poison, Work, decode

log = logging.getLogger(__name__)


class AcceptedSet(Protocol):
    """Ids of work taken on."""

    def __contains__(self, accepted_id: object) -> bool: ...

    def add(self, accepted_id: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """A batch ends with the record that reaches one of these; a single record may be larger."""

    max_keys: int
    max_records: int
    max_bytes: int
    max_s: float


@dataclass(frozen=True, slots=True)
class Processor:
    """One processor's way from records to a committed transaction."""

    inbox: Inbox
    codec: Codec
    comparer: Comparer
    """For all that is done at once."""
    bulk: Bulk
    accepted: AcceptedSet
    limits: BatchLimits
    commit_transaction: Callable[[Iterable[Outgoing], Sequence[Any]], bool]
    """Writes records and offsets atomically; False where it was aborted and nothing is visible."""
    policy: Policy | None = None
    remembered_since_s: Callable[[], float] = lambda: 0.0
    """Unix seconds: what was taken on before, be it a cancellation, may not be among `accepted`."""

    def step(self) -> bool:
        """One batch from its records to its commit, and then one of chunks that is ready or can be begun.

        False where nothing is due. Raises RegistryUnavailable.
        """
        taken = self._take(datetime.now(UTC).timestamp())
        if taken:
            compared = self.comparer.compare(self._sorter().sort(taken, datetime.now(UTC)))
            self._commit(compared, self.inbox.offsets())
        return self._finish_bulk() or self._begin_bulk() or bool(taken)

    def _finish_bulk(self) -> bool:
        """One at a time: what is asked for at once is looked at in between."""
        done = self.bulk.finished(self.inbox.generation)
        if done is None:
            return False
        self._commit(done.compared.result(), done.offsets, done.partition)
        return True

    def _begin_bulk(self) -> bool:
        """Chunks come only where nothing that is done at once may be taken."""
        if not self.bulk.has_room() or next(self.inbox.ready(datetime.now(UTC).timestamp()), None) is not None:
            return False
        taken = self._take_chunks()
        if not taken:
            return False
        partition = taken[0].record.partition
        intake = self._sorter().sort(taken, datetime.now(UTC))
        self.bulk.begin(partition, self.inbox.generation, self.inbox.offsets(partition), intake)
        return True

    def _sorter(self) -> Sorter:
        return Sorter(
            self.comparer.catalog,
            self.comparer.emitter.partitions,
            self.accepted,
            self.policy,
            lambda partition: self.inbox.waits(Lane.CHUNKS, partition),
            remembered_since_s=self.remembered_since_s(),
        )

    def _commit(self, compared: Compared, offsets: Sequence[Any], chunks_of: int | None = None) -> None:
        """Makes all of the batch visible and moves past its input, or goes back to before it."""
        if not timed_commit(self.commit_transaction, compared.records, offsets):
            log.warning("transaction aborted; its input is read again")
            self.inbox.rewind()
            return
        self.inbox.committed(chunks_of)
        for accepted_id in compared.intake.accepted:
            self.accepted.add(accepted_id)
        count_batch(compared.intake, compared.plan)

    def _take(self, now_s: float) -> list[Work | Poison]:
        """A registry that is away ends the batch before the record that needs it, and is fatal to none."""
        batch = _Batch(self.limits)
        for record in self.inbox.ready(now_s):
            item = self._decoded(record, batch)
            if item is None or not batch.has_room_for(item):
                break
            if record.lane is Lane.REQUESTS:
                self.bulk.asked()
            elif batch.others >= MOST_KEYS_BESIDE and not self.bulk.is_quiet():
                continue
            self.inbox.take(record)
            if batch.add(item):
                break
        return batch.taken

    def _take_chunks(self) -> list[Work | Poison]:
        """Of one partition. Requests, parts of scans, and chunks that were put off, are read by themselves."""
        batch: _Batch | None = None
        for record in self.inbox.chunks(self.bulk.resting()):
            batch = batch or _Batch(self._limits_of_chunks(record.partition))
            item = self._decoded(record, batch)
            if item is None or not batch.has_room_for(item) or (batch.taken and _is_apart(item)):
                break
            self.inbox.take(record)
            if batch.add(item) or _is_apart(item):
                break
        return [] if batch is None else batch.taken

    def _limits_of_chunks(self, partition: int) -> BatchLimits:
        most = self.bulk.keys(partition) if self.bulk.is_quiet() else MOST_KEYS_BESIDE
        return replace(self.limits, max_keys=min(most, self.limits.max_keys))

    def _decoded(self, record: Received, batch: "_Batch") -> Work | Poison | None:
        try:
            return decode(record, self.codec)
        except RegistryUnavailable:
            if not batch.taken:
                raise
            return None


def _is_apart(item: Work | Poison) -> bool:
    """What took too long together is told apart by being read apart."""
    ask = item.ask if isinstance(item, Work) else None
    return isinstance(ask, Request) or (
        isinstance(ask, Chunk) and (ask.scan is not None or ask.deferred_since is not None)
    )


class _Batch:
    """Records taken so far."""

    def __init__(self, limits: BatchLimits) -> None:
        self.taken: list[Work | Poison] = []
        self.keys = 0
        self.others = 0
        """Keys that nobody has just asked for."""
        self._limits = limits
        self._size = 0
        self._until = time.monotonic() + limits.max_s

    def has_room_for(self, item: Work | Poison) -> bool:
        return not self.taken or self.keys + _weight(item) <= self._limits.max_keys

    def add(self, item: Work | Poison) -> bool:
        """Whether the batch is full now."""
        self.taken.append(item)
        self.keys += _weight(item)
        if item.record.lane is not Lane.REQUESTS:
            self.others += _weight(item)
        self._size += len(item.record.value or b"")
        limits = self._limits
        return (
            len(self.taken) >= limits.max_records or self._size >= limits.max_bytes or time.monotonic() >= self._until
        )


def _weight(item: Work | Poison) -> int:
    return item.keys if isinstance(item, Work) else 1
