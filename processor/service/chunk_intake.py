"""Chunks that come in: to be compared, cancelled, parked once more, passed on, or sent round again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from processor.core.accept import chunk_status
from processor.core.catalog import Catalog
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.descent import WITH_CHILDREN
from processor.core.errors import Reason
from processor.core.history import ChunkState, Parked
from processor.core.keys import is_canonical
from processor.core.plan import Plan
from processor.core.scan import cancel_part, fail_part
from processor.core.settle import another_round, cancel, give_up
from processor.service.intake import Unfolded
from processor.service.records import Lane, Received
from processor.service.rounds import is_bulky, is_early, may_be_cancelled, sends_anew, to_be_planned
from processor.service.taken import Taken, id_of_chunk


class ChunkIntake:
    """Of one batch.

    `bulk_waits` says whether chunks of a partition are yet to be decided. What was taken on before
    `remembered_since_s`, in Unix seconds, may be missing from `taken`.
    """

    def __init__(
        self,
        catalog: Catalog,
        taken: Taken,
        now: datetime,
        bulk_waits: Callable[[int], bool],
        remembered_since_s: float,
    ) -> None:
        self._catalog = catalog
        self._taken = taken
        self._intake = taken.intake
        self._now = now
        self._bulk_waits = bulk_waits
        self._remembered_since_s = remembered_since_s

    def take(self, record: Received, chunk: Chunk) -> None:
        """One that is passed on is as new as any: what nobody remembers about it is to be asked before."""
        is_passed_on = _is_to_pass_on(record, chunk) and not is_early(chunk, self._now)
        if is_passed_on and not self._may_be_cancelled(record, chunk):
            self._intake.bulky.append(record)
        elif self._taken.is_new(record, id_of_chunk(chunk)):
            self._take_new(record, chunk)

    def _take_new(self, record: Received, given: Chunk) -> None:
        intake, now = self._intake, self._now
        chunk = self._not_cancelled(record, given)
        if chunk is None:
            return
        if is_early(chunk, now) or _is_to_pass_on(record, chunk):
            intake.plan.retries.append(another_round(chunk))
            return
        if self._parent_may_wait(chunk, record.partition):
            intake.plan.retries.append(another_round(chunk))
            intake.waits_for_chunks = True
            return
        missing = self._left_the_catalog(chunk)
        if missing is not None:
            end = give_up(chunk, missing, None, now) if chunk.scan is None else fail_part(chunk, missing, None, now)
            intake.plan.add(end)
            return
        if chunk.scan is not None:
            intake.parts.append(chunk)
            return
        chunk = self._without_unfit(chunk)
        if not chunk.asks:
            return
        if chunk.dependencies in WITH_CHILDREN:
            intake.unfolded.append(Unfolded(Plan(), chunk, None))
        else:
            intake.chunks.append(chunk)

    def _not_cancelled(self, record: Received, chunk: Chunk) -> Chunk | None:
        """What is to be done of a chunk whose request may have been held, released or cancelled; None: it ends."""
        intake, now = self._intake, self._now
        is_not_let_pass = chunk.cause is Cause.HELD and chunk.stage is not Stage.RELEASED
        is_cancelled = is_not_let_pass or (sends_anew(chunk) and self._taken.is_cancelled(chunk))
        if is_cancelled and not is_not_let_pass:
            self._taken.cancel(chunk, record)
        is_doubtful = not is_cancelled and self._may_be_cancelled(record, chunk)
        if is_doubtful:
            # Before the tombstone of what was parked, or nothing of it would be open (ADR 0154).
            intake.plan.history.append(chunk_status(chunk, ChunkState.PENDING, now, keys=len(chunk.asks)))
        if chunk.cause is Cause.HELD:
            intake.plan.history.append(Parked(chunk, is_gone=True))
        if is_cancelled:
            intake.plan.add(cancel(chunk, now) if chunk.scan is None else cancel_part(chunk, now))
            return None
        if chunk.cause is Cause.HELD:
            chunk = replace(chunk, cause=Cause.SPLIT)
        return to_be_planned(chunk) if is_doubtful else chunk

    def _may_be_cancelled(self, record: Received, chunk: Chunk) -> bool:
        return may_be_cancelled(record, chunk, self._remembered_since_s)

    def _left_the_catalog(self, chunk: Chunk) -> Reason | None:
        """A chunk was accepted under an earlier catalog, which may have had more."""
        if chunk.district_id not in self._catalog.districts:
            return Reason.UNKNOWN_DISTRICT
        if chunk.object not in self._catalog.objects:
            return Reason.UNKNOWN_OBJECT
        return None

    def _parent_may_wait(self, chunk: Chunk, partition: int) -> bool:
        """A child may have overtaken its parent, if that is in a large request that is carried out chunk by chunk.

        What was asked for before must be done before a key fails for want of its parent (P4). The time counts from when
        it was sent: it may have been held for days before.
        """
        if chunk.cause is not Cause.PARENT_MISSING or not self._bulk_waits(partition):
            return False
        waited = self._now - (chunk.sent_at or chunk.first_decided_at or self._now)
        return waited < timedelta(seconds=self._catalog.limits.snapshot_deadline_s)

    def _without_unfit(self, chunk: Chunk) -> Chunk:
        """Ends keys that are none by the catalog as it is now: one of them would fail the reading of all."""
        key_type = self._catalog.objects[chunk.object].key_type
        fit, unfit = list[Ask](), list[Ask]()
        for ask in chunk.asks:
            (fit if is_canonical(ask.key, key_type) else unfit).append(ask)
        if not unfit:
            return chunk
        ending = replace(chunk, asks=tuple(unfit), announced=chunk.announced and not fit)
        self._intake.plan.add(give_up(ending, Reason.INVALID_KEY, None, self._now))
        return replace(chunk, asks=tuple(fit))


def _is_to_pass_on(record: Received, chunk: Chunk) -> bool:
    """Whether it has come round, and belongs where large requests are worked on."""
    return record.lane is Lane.RETRY and is_bulky(chunk)
