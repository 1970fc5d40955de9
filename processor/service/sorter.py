"""What a batch of records asks for: each becomes chunks to compare, a plan that needs no reading, or is passed on."""

import logging
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from processor.core.accept import Rejected, chunk_status, refuse
from processor.core.catalog import Catalog
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.correction import Answer, Source
from processor.core.descent import WITH_CHILDREN
from processor.core.errors import Reason
from processor.core.history import ChunkState, Parked, RequestState, RequestStatus, SingleStatuses
from processor.core.ids import CANCELLED, FIRST_CHUNK, REFUSED, accepted_id
from processor.core.keys import is_canonical
from processor.core.partition import partition_of
from processor.core.plan import Plan
from processor.core.request import Request, Single
from processor.core.rights import Policy, Refusal, topic_refusal
from processor.core.scan import cancel_part, fail_part
from processor.core.settle import another_round, cancel, give_up, settle, tell_with
from processor.core.single import Singles, accept_single, is_plain_key
from processor.service.intake import Intake, Unfolded, take_request
from processor.service.records import Lane, Received
from processor.service.rounds import is_bulky, is_early, may_be_cancelled, sends_anew, to_be_planned
from processor.service.work import Item, Poison, Work, origin_of

log = logging.getLogger(__name__)


MANY = 6
"""From the so manieth on, requests that are alike go together: what tells of them takes a while to prepare."""


@dataclass(slots=True)
class _Kind:
    """Requests that are like one, which came by one topic and partition."""

    like: Request
    seen: int = 0
    singles: Singles | None = None
    """None where there is more to be done about them, or they are few so far."""


class Sorter:
    """Sorts batches for one process. `known` holds the ids of work already taken on; without a policy all may ask."""

    def __init__(
        self,
        catalog: Catalog,
        partitions: int,
        known: Container[bytes],
        policy: Policy | None = None,
        bulk_waits: Callable[[int], bool] = lambda _partition: False,
        *,
        remembered_since_s: float = 0.0,
        many: int = MANY,
    ) -> None:
        """`bulk_waits` says whether chunks of a partition are yet to be decided.

        `remembered_since_s`: what was taken on before, in Unix seconds, may not be among `known`.
        """
        self._catalog = catalog
        self._partitions = partitions
        self._known = known
        self._policy = policy
        self._bulk_waits = bulk_waits
        self._remembered_since_s = remembered_since_s
        self._many = many
        self._kinds: dict[tuple[int, str, int], _Kind] = {}
        """By the one that others are like, which each of these holds so that no other one takes its place."""

    def sort(self, batch: Sequence[Work | Poison], now: datetime) -> Intake:
        """Sorts the records in their order; the first of several alike is the one that counts."""
        self._kinds.clear()
        intake = Intake()
        for item in batch:
            if isinstance(item, Poison):
                intake.poison.append(item)
            elif not isinstance(item.ask, Single):
                self._apart(item, item.ask, intake, now)
            elif not self._together(item, item.ask, intake, now):
                self._apart(item, item.ask.request, intake, now)
        intake.singles = [alike for alike in intake.singles if alike.singles]
        return intake

    def _apart(self, item: Work, ask: Item, intake: Intake, now: datetime) -> None:
        origin = origin_of(ask)
        home = partition_of(origin.district_id, self._partitions)
        if home != item.record.partition:
            intake.misrouted.append((item.record, home))
            return
        if not isinstance(ask, Request):
            _note(item.record, origin, intake)
        match ask:
            case Request():
                self._request(item, ask, intake, now)
            case Chunk():
                self._chunk(item, ask, intake, now)
            case Answer():
                self._answer(ask, intake, now)
            case RequestStatus():
                self._status(item, ask, intake)

    def _together(self, item: Work, single: Single, intake: Intake, now: datetime) -> bool:
        """Whether it is taken on with those like it, or was before; else it is a request as any other."""
        record, like = item.record, single.like
        kind = self._catalog.objects.get(like.object)
        if kind is None or not is_plain_key(single.key, kind.key_type):
            return False
        place = id(like), record.topic, record.partition
        alike = self._kinds.get(place) or self._kinds.setdefault(place, _Kind(like))
        alike.seen += 1
        if alike.seen == self._many:
            alike.singles = self._begin(record, single, intake, now)
        singles = alike.singles
        if singles is None:
            return False
        if self._is_new(item, accepted_id(single.request_id, like.district_id, FIRST_CHUNK, 1), intake):
            _note(record, single, intake)
            singles.singles.append(single)
            singles.places.append((len(intake.chunks), len(intake.accepted)))
        return True

    def _begin(self, record: Received, single: Single, intake: Intake, now: datetime) -> Singles | None:
        """Where those like it are to be put; None where there is more to be done about them."""
        home = partition_of(single.like.district_id, self._partitions)
        if home != record.partition or self._refusal(record, single.like) is not None:
            return None
        accepted = accept_single(single, self._catalog, now)
        if accepted is None:
            return None
        status, chunk = accepted
        alike = Singles(chunk)
        intake.plan.history.append(SingleStatuses(status, alike.singles))
        intake.singles.append(alike)
        return alike

    def _is_taken(self, work_id: bytes, intake: Intake) -> bool:
        return work_id in self._known or work_id in intake.accepted

    def _is_new(self, item: Work, work_id: bytes, intake: Intake) -> bool:
        if self._is_taken(work_id, intake):
            intake.repeated.append(item.record.lane)
            return False
        intake.accepted[work_id] = item.record.partition
        return True

    def _request(self, item: Work, request: Request, intake: Intake, now: datetime) -> None:
        """A refusal takes up no request's place and never overwrites one that was taken on."""
        work_id = accepted_id(request.request_id, request.district_id, FIRST_CHUNK, 1)
        why = self._refusal(item.record, request)
        if why is None:
            self._allowed(item, request, work_id, intake, now)
        elif self._is_taken(work_id, intake):
            intake.repeated.append(item.record.lane)
        elif self._is_new(item, accepted_id(request.request_id, request.district_id, REFUSED, 1), intake):
            intake.refused.append(why.ground)
            _note(item.record, request, intake)
            self._kinds.clear()  # who is taken on after it is told of after it
            log.warning("%s: request %s is not authorised: %s", item.record.place, request.request_id, why.ground)
            intake.plan.add(refuse(request, Rejected(Reason.NOT_AUTHORIZED, why.detail), now))

    def _allowed(self, item: Work, request: Request, work_id: bytes, intake: Intake, now: datetime) -> None:
        """Very many keys take long to be made chunks of: the id of such a request counts where that is done."""
        is_large = item.record.lane is Lane.REQUESTS and item.keys > self._catalog.limits.max_keys
        if is_large and not self._is_taken(work_id, intake):
            intake.bulky.append(item.record)
        elif self._is_new(item, work_id, intake):
            _note(item.record, request, intake)
            if item.record.lane is Lane.CHUNKS:
                intake.large.append(request)
            else:
                take_request(request, self._catalog, intake, now)

    def _status(self, item: Work, status: RequestStatus, intake: Intake) -> None:
        """What the store decided, or passed on, about a request: written once, and nothing after a cancellation."""
        request = status.request
        decision = accepted_id(request.request_id, request.district_id, f"~{status.state}", 1, status.decided_at)
        if self._is_cancelled(request, intake) or not self._is_new(item, decision, intake):
            return
        if status.state is RequestState.CANCELLED:
            intake.accepted[_cancelled_id(request)] = item.record.partition
        intake.plan.history.append(status)

    def _is_cancelled(self, origin: Request | Chunk, intake: Intake) -> bool:
        return self._is_taken(_cancelled_id(origin), intake)

    def _refusal(self, record: Received, request: Request) -> Refusal | None:
        """By the topic that the record came by: who it says that asks is a claim.

        A step of a run comes from the store; what the run's first request was allowed covers it. A large request was
        held against its topic's rights before it was passed on.
        """
        if record.lane is not Lane.REQUESTS:
            return None
        return None if self._policy is None else topic_refusal(self._policy, record.topic, request, self._catalog)

    def _chunk(self, item: Work, chunk: Chunk, intake: Intake, now: datetime) -> None:
        """One that is passed on is as new as any: what nobody remembers about it is to be asked before."""
        if _is_to_pass_on(item, chunk) and not is_early(chunk, now) and not self._may_be_cancelled(item, chunk):
            intake.bulky.append(item.record)
        elif self._is_new(item, _accepted_id(chunk), intake):
            self._new_chunk(item, chunk, intake, now)

    def _not_cancelled(self, item: Work, chunk: Chunk, intake: Intake, now: datetime) -> Chunk | None:
        """What is to be done of a chunk whose request may have been held, released or cancelled; None: it ends."""
        is_not_let_pass = chunk.cause is Cause.HELD and chunk.stage is not Stage.RELEASED
        is_cancelled = is_not_let_pass or (sends_anew(chunk) and self._is_cancelled(chunk, intake))
        if is_cancelled and not is_not_let_pass:
            # Anew, so that it is known for as long as chunks of the request come, be they a day apart.
            intake.accepted[_cancelled_id(chunk)] = item.record.partition
        is_doubtful = not is_cancelled and self._may_be_cancelled(item, chunk)
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

    def _may_be_cancelled(self, item: Work, chunk: Chunk) -> bool:
        return may_be_cancelled(item.record, chunk, self._remembered_since_s)

    def _new_chunk(self, item: Work, given: Chunk, intake: Intake, now: datetime) -> None:
        chunk = self._not_cancelled(item, given, intake, now)
        if chunk is None:
            return
        is_not_now = is_early(chunk, now) or _is_to_pass_on(item, chunk)
        if is_not_now or self._parent_may_wait(chunk, item.record.partition, now):
            intake.plan.retries.append(another_round(chunk))
            return
        missing = self._left_the_catalog(chunk)
        if missing is not None:
            end = give_up(chunk, missing, None, now) if chunk.scan is None else fail_part(chunk, missing, None, now)
            intake.plan.add(end)
            return
        if chunk.scan is not None:
            intake.parts.append(chunk)
            return
        chunk = self._without_unfit(chunk, intake, now)
        if not chunk.asks:
            return
        if chunk.dependencies in WITH_CHILDREN:
            intake.unfolded.append(Unfolded(Plan(), chunk, None))
        else:
            intake.chunks.append(chunk)

    def _left_the_catalog(self, chunk: Chunk) -> Reason | None:
        """A chunk was accepted under an earlier catalog, which may have had more."""
        if chunk.district_id not in self._catalog.districts:
            return Reason.UNKNOWN_DISTRICT
        if chunk.object not in self._catalog.objects:
            return Reason.UNKNOWN_OBJECT
        return None

    def _parent_may_wait(self, chunk: Chunk, partition: int, now: datetime) -> bool:
        """A child may have overtaken its parent, if that is in a large request that is carried out chunk by chunk.

        What was asked for before must be done before a key fails for want of its parent (P4). The time counts from when
        it was sent: it may have been held for days before.
        """
        if chunk.cause is not Cause.PARENT_MISSING or not self._bulk_waits(partition):
            return False
        waited = now - (chunk.sent_at or chunk.first_decided_at or now)
        return waited < timedelta(seconds=self._catalog.limits.snapshot_deadline_s)

    def _without_unfit(self, chunk: Chunk, intake: Intake, now: datetime) -> Chunk:
        """Ends keys that are none by the catalog as it is now: one of them would fail the reading of all."""
        key_type = self._catalog.objects[chunk.object].key_type
        fit, unfit = list[Ask](), list[Ask]()
        for ask in chunk.asks:
            (fit if is_canonical(ask.key, key_type) else unfit).append(ask)
        if not unfit:
            return chunk
        ending = replace(chunk, asks=tuple(unfit), announced=chunk.announced and not fit)
        intake.plan.add(give_up(ending, Reason.INVALID_KEY, None, now))
        return replace(chunk, asks=tuple(fit))

    def _answer(self, answer: Answer, intake: Intake, now: datetime) -> None:
        """A late answer whose next comparison has begun already must not reopen the key."""
        history, limits = intake.plan.history, self._catalog.limits
        if history and tell_with(history[-1], answer, limits, now):
            return
        plan = settle(answer, limits, now)
        begun = any(_accepted_id(retry) in self._known for retry in plan.retries)
        if begun:
            intake.repeated.append(Lane.ANSWERS)
        else:
            intake.plan.add(plan)


def _note(record: Received, origin: Request | Single | Chunk | Source, intake: Intake) -> None:
    """What else is told of a request: by the record that counts, so not by one that comes again."""
    if record.headers and (trace := record.trace) is not None:
        intake.traces[origin.request_id] = trace
    if origin.requested_at is not None:
        intake.requested_at[origin.request_id] = origin.requested_at


def _is_to_pass_on(item: Work, chunk: Chunk) -> bool:
    """Whether it has come round, and belongs where large requests are worked on."""
    return item.record.lane is Lane.RETRY and is_bulky(chunk)


def _accepted_id(chunk: Chunk) -> bytes:
    return accepted_id(chunk.request_id, chunk.district_id, chunk.chunk, chunk.attempt, chunk.first_decided_at)


def _cancelled_id(origin: Request | Chunk) -> bytes:
    return accepted_id(origin.request_id, origin.district_id, CANCELLED, 1)
