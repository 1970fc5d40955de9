"""The processor: gather a batch, have it read and compared, commit it; meanwhile the next ones are on their way.

Batches are of two kinds. Requests, answers and retries are done *at once*: their batches are read ahead of the commit,
one after the other (ADR 0228). *Chunks* of large requests are read beside these, by connections of their own
(ADR 0220). One thread, the loop's, takes records and commits.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from processor.codec.codec import Codec
from processor.codec.errors import RegistryUnavailable
from processor.core.catalog import Catalog
from processor.core.chunk import Chunk
from processor.core.pace import KEYS_AT_ONCE
from processor.core.policy import Policy
from processor.core.request import Request
from processor.service.ahead import Ahead
from processor.service.bulk import MOST_KEYS_BESIDE, SIDE_BY_SIDE, Bulk
from processor.service.comparing import Compared
from processor.service.gathering import BatchLimits, Gathered
from processor.service.hand import Hand, InHand, Known
from processor.service.inbox import MAX_WAIT_S, Inbox
from processor.service.intake import Intake
from processor.service.records import Lane, Outgoing, Received
from processor.service.resync import needs_rows
from processor.service.sorter import Sorter
from processor.service.tally import count_batch, timed_commit
from processor.service.work import Poison, Work, decode

log = logging.getLogger(__name__)

AHEAD = 3
"""Batches in hand of what is done at once: one is compared or committed, one read, and one waits for the reader, so
that databases do not rest while the loop commits (ADR 0230). A fourth is gathered."""


class AcceptedSet(Protocol):
    """Ids of work taken on."""

    def __contains__(self, accepted_id: object) -> bool: ...

    def update(self, accepted_ids: Iterable[bytes], /) -> None: ...


@dataclass(slots=True)
class Processor:
    """One processor's way from records to committed transactions."""

    inbox: Inbox
    codec: Codec
    catalog: Catalog
    partitions: int
    """Of the topics that go by district."""
    hand: Hand
    ahead: Ahead
    bulk: Bulk
    accepted: AcceptedSet
    limits: BatchLimits
    commit_transaction: Callable[[Iterable[Outgoing], Sequence[Any]], bool]
    """Writes records and offsets atomically; False where it was aborted and nothing is visible."""
    policy: Policy | None = None
    remembered_since_s: Callable[[], float] = lambda: 0.0
    """Unix seconds: what was taken on before, be it a cancellation, may not be among `accepted`."""
    _gathered: Gathered | None = None
    _waits_for_chunks: bool = False
    """Whether what was begun last of what is done at once has keys that wait for chunks."""

    def step(self) -> bool:
        """Begins what can be begun, then commits one batch that is done, or waits a little for one to be done.

        False where the loop may wait for records. Raises RegistryUnavailable.
        """
        begun_at_once, begun_chunks = self._begin_at_once(), self._begin_chunks()
        if self._finish() or begun_at_once or begun_chunks:
            return True
        if not self.hand.at_once():
            return False
        self.hand.wait_for_one(MAX_WAIT_S)
        return True

    def is_busy(self) -> bool:
        """Whether there will be something to do that no record tells of."""
        return bool(self.hand.chunks()) or self.bulk.has_rests()

    def _begin_at_once(self) -> bool:
        """While others are in hand a batch that is not full waits until one of them can be committed, and may grow."""
        gathered, in_hand = self._gather(), self.hand.at_once()
        if gathered is None or in_hand >= AHEAD:
            return False
        if in_hand and not gathered.is_full and not self.hand.is_next_done():
            return False
        self._gathered = None
        intake = self._sorter().sort(gathered.taken, datetime.now(UTC))
        self._waits_for_chunks = intake.waits_for_chunks
        self._begin(None, intake, self.ahead.compare(intake))
        return True

    def _begin_chunks(self) -> bool:
        """Chunks come only where nothing else may be taken. What is gathered was taken.

        There is always some of that while requests keep coming (ADR 0247). Retries that wait for chunks leave a turn to
        them: of enough retries some are always due (ADR 0249).
        """
        due_s = self.inbox.next_due_s()
        is_their_turn = self._waits_for_chunks or due_s is None or due_s > _now_s()
        if self.hand.chunks() >= SIDE_BY_SIDE or not is_their_turn:
            return False
        self._waits_for_chunks = False
        taken = self._take_chunks()
        if not taken:
            return False
        partition = taken[0].record.partition
        intake = self._sorter().sort(taken, datetime.now(UTC))
        self._begin(partition, intake, self.bulk.compare(partition, intake))
        return True

    def _begin(self, chunks_of: int | None, intake: Intake, compared: Future[Compared]) -> None:
        offsets = self.inbox.offsets(chunks_of)
        self.hand.add(InHand(chunks_of, self.inbox.generation, offsets, intake, compared, self.bulk.clock()))

    def _finish(self) -> bool:
        """Commits one batch that is done, if there is one. Not all: new requests are looked for in between."""
        batch = self.hand.finished(self.bulk.clock())
        if batch is None:
            if not self.hand.chunks():
                self.bulk.none_in_hand()
            return False
        if batch.chunks_of is not None:
            self.bulk.ended(batch)
        if not self.hand.is_void(batch):
            self._commit(batch.compared.result(), batch.offsets)
        return True

    def _commit(self, compared: Compared, offsets: Sequence[Any]) -> None:
        """Makes all of the batch visible and moves past its input, or goes back to before all that is in hand."""
        offsets = [*offsets, *self.inbox.at_rest([*offsets, *self.hand.offsets()])]
        if not timed_commit(self.commit_transaction, compared.records, offsets):
            log.warning("transaction aborted; its input is read again")
            self.inbox.rewind()
            return
        self.inbox.committed(offsets)
        self.accepted.update(compared.intake.accepted)
        count_batch(compared.intake, compared.plan)

    def _sorter(self) -> Sorter:
        return Sorter(
            self.catalog,
            self.partitions,
            Known(self.accepted, self.hand),
            self.policy,
            lambda partition: self.inbox.waits(Lane.CHUNKS, partition),
            remembered_since_s=self.remembered_since_s(),
        )

    def _gather(self) -> Gathered | None:
        """Takes what may be done at once until the batch is full. What was gathered before a rebalance is void."""
        gathered, generation = self._gathered, self.inbox.generation
        if gathered is None or gathered.generation != generation:
            most = min(self.ahead.keys, self.limits.max_keys)
            gathered = Gathered(replace(self.limits, max_keys=most), generation)
        was_asked = False
        for record in self.inbox.ready(_now_s()):
            if gathered.is_full:
                break
            is_asked = record.lane is Lane.REQUESTS
            if not is_asked and gathered.keys_of[record.lane] >= MOST_KEYS_BESIDE and not self.bulk.is_quiet():
                continue
            item = self._decoded(record, is_needed=not gathered.taken and not self.hand.at_once())
            if item is None or not gathered.add(item):
                break
            if is_asked and not was_asked and isinstance(item, Work) and item.keys <= MOST_KEYS_BESIDE:
                was_asked = True
                self.bulk.asked()
            self.inbox.take(record)
        self._gathered = gathered if gathered.taken else None
        return self._gathered

    def _take_chunks(self) -> list[Work | Poison]:
        """Of one partition. Requests, parts of scans, and chunks that were put off, are read by themselves."""
        gathered: Gathered | None = None
        for record in self.inbox.chunks(self.bulk.resting()):
            item = self._decoded(record, is_needed=gathered is None and not self.hand)
            if item is None:
                break
            gathered = gathered or Gathered(self._limits_of_chunks(item), self.inbox.generation)
            if (gathered.taken and _is_apart(item)) or not gathered.add(item):
                break
            self.inbox.take(record)
            if gathered.is_full or _is_apart(item):
                break
        return [] if gathered is None else gathered.taken

    def _limits_of_chunks(self, first: Work | Poison) -> BatchLimits:
        """Of the batch that begins with it."""
        most = self.bulk.keys(first.record.partition) if self.bulk.is_quiet() else MOST_KEYS_BESIDE
        if isinstance(first, Work) and isinstance(first.ask, Chunk) and needs_rows(first.ask):
            most = min(most, KEYS_AT_ONCE)
        return replace(self.limits, max_keys=min(most, self.limits.max_keys))

    def _decoded(self, record: Received, *, is_needed: bool) -> Work | Poison | None:
        """None where the registry is away and there is something else to be done first."""
        try:
            return decode(record, self.codec)
        except RegistryUnavailable:
            if is_needed:
                raise
            return None


def _now_s() -> float:
    return datetime.now(UTC).timestamp()


def _is_apart(item: Work | Poison) -> bool:
    """Whether it is read in a batch of its own: a large request, a part of a scan, or keys that could not be read."""
    ask = item.ask if isinstance(item, Work) else None
    return isinstance(ask, Request) or (
        isinstance(ask, Chunk) and (ask.scan is not None or ask.deferred_since is not None)
    )
