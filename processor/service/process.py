"""The processor: read a batch, decide it, commit it.

The three calls share nothing but the batch, so that a later batch can be read while this one is committed.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from processor.codec.codec import Codec
from processor.codec.errors import RegistryUnavailable
from processor.core.catalog import Catalog
from processor.core.plan import Plan
from processor.core.rights import Policy
from processor.service.descend import descend
from processor.service.emit import Emitter
from processor.service.inbox import Inbox
from processor.service.intake import Intake, Poison, Sorter, Work, decode
from processor.service.ports import Scans, Snapshots
from processor.service.records import Lane, Outgoing
from processor.service.resync import CountRows, Observation, observe, resync
from processor.service.scan import PartRead, decide_part, read_part, survey
from processor.service.tally import count_batch, timed_commit

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
class ReadBatch:
    """Sorted records and what both sides hold; the offsets stand for exactly these records."""

    intake: Intake
    seen: Observation
    parts: Sequence[PartRead]
    offsets: Sequence[Any]
    keys: int


@dataclass(frozen=True, slots=True)
class Decided:
    """What the batch's chunks became, and the records of all of the batch."""

    plan: Plan
    records: Sequence[Outgoing]


@dataclass(frozen=True, slots=True)
class Processor:
    """One processor's way from records to a committed transaction."""

    inbox: Inbox
    codec: Codec
    catalog: Catalog
    snapshots: Snapshots
    scans: Scans
    emitter: Emitter
    accepted: AcceptedSet
    limits: BatchLimits
    commit_transaction: Callable[[Iterable[Outgoing], Sequence[Any]], bool]
    """Writes records and offsets atomically; False where it was aborted and nothing is visible."""
    passed: Callable[[str], None]
    rows: CountRows
    policy: Policy | None = None

    def step(self) -> bool:
        """One batch from its records to its commit; False where nothing is due. Raises RegistryUnavailable."""
        batch = self.read()
        if batch is None:
            return False
        self.commit(batch, self.decide(batch))
        return True

    def read(self) -> ReadBatch | None:
        """Takes the next records and reads both sides of their keys; None where nothing is due."""
        taken = self._take(datetime.now(UTC).timestamp())
        if not taken:
            return None
        sorter = Sorter(
            self.catalog,
            self.emitter.partitions,
            self.accepted,
            self.policy,
            lambda partition: self.inbox.waits(Lane.CHUNKS, partition),
        )
        intake = sorter.sort(taken, datetime.now(UTC))
        descend(intake, self.snapshots, self.catalog, datetime.now(UTC))
        survey(intake, self.scans, self.catalog, datetime.now(UTC))
        seen = observe(intake.chunks, self.snapshots, self.catalog)
        parts = [read_part(chunk, self.scans, self.catalog) for chunk in intake.parts]
        self.passed("after_read")
        keys = sum(item.keys for item in taken if isinstance(item, Work))
        return ReadBatch(intake, seen, parts, self.inbox.offsets(), keys)

    def decide(self, batch: ReadBatch) -> Decided:
        """What becomes of the batch."""
        plan = resync(batch.intake.chunks, batch.seen, self.catalog, datetime.now(UTC), self.rows)
        for part in batch.parts:
            plan.add(decide_part(part, self.catalog, datetime.now(UTC)))
        records = list(self.emitter.records(batch.intake, plan))
        self.passed("after_compare")
        return Decided(plan, records)

    def commit(self, batch: ReadBatch, decided: Decided) -> bool:
        """Makes all of the batch visible and moves past its input, or goes back to before it."""
        done = timed_commit(self.commit_transaction, decided.records, batch.offsets)
        if not done:
            log.warning("transaction aborted; its input is read again")
            self.inbox.rewind()
            return False
        self.inbox.committed()
        for accepted_id in batch.intake.accepted:
            self.accepted.add(accepted_id)
        count_batch(batch.intake, decided.plan)
        return True

    def _take(self, now_s: float) -> list[Work | Poison]:
        """A registry that is away ends the batch before the record that needs it, and is fatal to none."""
        taken: list[Work | Poison] = []
        keys = size = 0
        until = time.monotonic() + self.limits.max_s
        for record in self.inbox.ready(now_s):
            try:
                item = decode(record, self.codec)
            except RegistryUnavailable:
                if not taken:
                    raise
                return taken
            weight = item.keys if isinstance(item, Work) else 1
            if taken and keys + weight > self.limits.max_keys:
                return taken
            self.inbox.take(record)
            taken.append(item)
            keys += weight
            size += len(record.value or b"")
            if len(taken) >= self.limits.max_records or size >= self.limits.max_bytes or time.monotonic() >= until:
                return taken
        return taken
