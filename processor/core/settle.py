"""What follows from an applier's answer, and from a database that cannot be read."""

from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter

from processor.core.accept import chunk_status, pending
from processor.core.catalog import Limits
from processor.core.chunk import Ask, Cause, Chunk, Stage
from processor.core.correction import Answer, Result, Source
from processor.core.errors import Reason
from processor.core.guard import least_guard
from processor.core.history import ChunkState, KeyOutcome, Sent, Status, Told
from processor.core.ids import retry_chunk
from processor.core.outcome import chunk_outcome, source_outcome
from processor.core.plan import Plan
from processor.core.request import Dependencies, Mode, OnStateOnly, Report

MIN_BACKOFF = timedelta(seconds=5)
MAX_BACKOFF = timedelta(seconds=60)
PIECES = 10
"""Of a chunk that took too long: each that takes too long again costs a whole timeout, so few cuts are wanted."""
MAX_DETAIL = 1_000
"""Characters of an applier's detail that history keeps: constraint and field names are shorter."""

_END = attrgetter("status", "reason")
"""Of an outcome."""
_TOLD = attrgetter("detail", "answered_at", "decided_at")
"""Of an outcome: what it has of the answer and of its time."""
_OF_BOTH = attrgetter("request_id", "district_id", "object", "attempt", "first_decided_at", "sent_at")
"""Of an outcome, and of the source that it has them from."""


def settle(answer: Answer, limits: Limits, now: datetime) -> Plan:
    """The outcome that an answer means, and the comparison that it causes, if any."""
    ended = _ended(answer, limits)
    if ended is None:
        return _compare_again(answer, now, Cause(answer.result))
    return Plan(history=[Sent(_outcome(answer, now, *ended), [answer.source])])


def tell_with(last: Told, answer: Answer, limits: Limits, now: datetime) -> bool:
    """Adds the answer's source to what was told last, where they are alike but for the key; else False (ADR 0169)."""
    if not isinstance(last, Sent) or answer.detail is not None or _ended(answer, limits) != _END(last.first):
        return False
    first, source = last.first, answer.source
    is_alike = _OF_BOTH(first) == _OF_BOTH(source) and _TOLD(first) == (None, answer.answered_at, now)
    if is_alike:
        last.sources.append(source)
    return is_alike


def _ended(answer: Answer, limits: Limits) -> tuple[Status, Reason | None] | None:
    """What has become of the key; None where it is to be compared again."""
    source, result = answer.source, answer.result
    if result is Result.APPLIED:
        return Status.APPLIED, _why_sent(source)
    if result is Result.ALREADY_EQUAL:
        return Status.APPLIED, Reason.ALREADY_EQUAL
    if result is Result.CONFLICT and source.attempt < limits.max_attempts:
        return None
    if result is Result.PARENT_MISSING and source.cause is not Cause.PARENT_MISSING:
        return None
    return Status.FAILED, Reason(result)


def _why_sent(source: Source) -> Reason | None:
    if source.asked_as is None:
        return Reason.DEPENDENCY
    return Reason.FORCED if source.mode is Mode.FORCE and not source.changed_fields else None


def _compare_again(answer: Answer, now: datetime, cause: Cause) -> Plan:
    waiting = _outcome(answer, now, Status.DEFERRED, Reason(cause))
    return Plan(history=[waiting], retries=[retry_of(answer.source, cause)])


def _outcome(answer: Answer, now: datetime, status: Status, reason: Reason | None) -> KeyOutcome:
    detail = None if answer.detail is None else answer.detail[:MAX_DETAIL]
    return source_outcome(answer.source, status, now, reason=reason, detail=detail, answered_at=answer.answered_at)


def retry_of(source: Source, cause: Cause) -> Chunk:
    """The next comparison of a correction's key; the same correction always causes the same chunk."""
    return Chunk(
        request_id=source.request_id,
        chunk=retry_chunk(source.correction_id),
        district_id=source.district_id,
        object=source.object,
        asks=(Ask(source.key, source.asked_as),),
        cause=cause,
        mode=source.mode,
        dependencies=source.dependencies,
        on_state_only=source.on_state_only,
        attempt=source.attempt + 1,
        first_decided_at=source.first_decided_at,
        correction_id=source.correction_id,
        sent_at=source.sent_at,
        requested_at=source.requested_at,
        stage=Stage.RELEASED,
    )


def defer(chunk: Chunk, detail: str, limits: Limits, now: datetime, *, is_slow: bool = False) -> Plan:
    """What becomes of a chunk while a database is away: it goes round, and fails after the deadline.

    The wait doubles from 5 s to 60 s, since each is as long as the time already waited. One that is only planned stays
    PENDING meanwhile, so that its request is not decided upon without it. `is_slow`: the database is there, and takes
    too long for these keys.
    """
    since = chunk.deferred_since or now
    waited = now - since
    if waited >= timedelta(seconds=limits.snapshot_deadline_s):
        failed: list[Told] = [_unread(chunk, ask, Status.FAILED, detail, now) for ask in chunk.asks]
        return Plan(history=failed + done_if_announced(chunk, now))
    if is_slow and len(chunk.asks) > 1:
        return in_pieces(chunk, now, is_free=_is_surely_within_guard(chunk, limits))
    plan = Plan()
    is_planned = chunk.stage is Stage.PLAN
    if not is_planned and (chunk.deferred_since is None or chunk.announced):
        plan.history += [_unread(chunk, ask, Status.DEFERRED, detail, now) for ask in chunk.asks]
        plan.history += done_if_announced(chunk, now)
    plan.retries.append(put_off(chunk, since, now))
    return plan


def in_pieces(chunk: Chunk, now: datetime, pieces: int = PIECES, *, is_free: bool = False) -> Plan:
    """What becomes of a chunk that databases take too long for: its keys are read in smaller ones, announced as parts.

    What these would change is planned first where the chunk's own would have been held against the guard; unless it
    `is_free`: too few keys to be beyond it. One that stays slow would keep the others waiting.
    """
    size = -(-len(chunk.asks) // pieces)
    parts = [chunk.asks[start : start + size] for start in range(0, len(chunk.asks), size)]
    is_counted = chunk.stage is Stage.GUARDED and chunk.mode is not Mode.VERIFY
    whole = replace(chunk, deferred_since=chunk.deferred_since or now)
    if is_counted and is_free:
        whole = replace(whole, stage=Stage.RELEASED)
    elif is_counted:
        # Outcomes that tell of a database that was away are to be replaced, so no key may be counted alone.
        report = chunk.report if chunk.deferred_since is None else Report.ALL
        whole = replace(whole, stage=Stage.PLAN, report=report)
    announced = pending(whole, parts, now, chunk.cause if chunk.cause is Cause.CONFIRM else Cause.SPLIT)
    # Before the end of their cause: who has read only some of this must not find nothing open (ADR 0154).
    return Plan(history=announced.history + done_if_announced(chunk, now), retries=announced.chunks)


def _is_surely_within_guard(chunk: Chunk, limits: Limits) -> bool:
    """Whatever its keys turn out to need; nothing goes along with them."""
    is_apart = chunk.dependencies is Dependencies.NONE and chunk.on_state_only is not OnStateOnly.DELETE
    return is_apart and len(chunk.asks) <= least_guard(limits).changes


def put_off(chunk: Chunk, since: datetime, now: datetime) -> Chunk:
    """The next round of a chunk that could not be read, `since` being when that began."""
    waiting = replace(
        chunk,
        announced=chunk.announced and chunk.stage is Stage.PLAN,
        first_decided_at=chunk.first_decided_at or now,
        deferred_since=since,
        not_before=now + min(MAX_BACKOFF, max(MIN_BACKOFF, now - since)),
    )
    return another_round(waiting)


def unreadable(chunk: Chunk, detail: str, now: datetime) -> Plan:
    """What becomes of a chunk that a database will not give however long one waits."""
    plan = Plan(history=[_unread(chunk, ask, Status.FAILED, detail, now) for ask in chunk.asks])
    plan.history += done_if_announced(chunk, now)
    return plan


def give_up(chunk: Chunk, reason: Reason, detail: str | None, now: datetime) -> Plan:
    """What becomes of a chunk that cannot be compared any more."""
    plan = Plan()
    for ask in chunk.asks:
        plan.history.append(chunk_outcome(chunk, ask, Status.FAILED, now, reason=reason, detail=detail))
    plan.history += done_if_announced(chunk, now)
    return plan


def cancel(chunk: Chunk, now: datetime) -> Plan:
    """What becomes of keys that were not sent before their request was cancelled."""
    plan = Plan(history=[chunk_outcome(chunk, ask, Status.CANCELLED, now) for ask in chunk.asks])
    plan.history += done_if_announced(chunk, now)
    return plan


def done_if_announced(chunk: Chunk, now: datetime) -> list[Told]:
    """The end of a part that was announced as PENDING: from now on its keys' outcomes tell."""
    return [chunk_status(chunk, ChunkState.DONE, now)] if chunk.announced else []


def another_round(chunk: Chunk) -> Chunk:
    """The same work under the id that its next pass through `resync.retry` has.

    A part of a scan, and keys that are only planned, stay PENDING under their own id, so there the attempt tells it.
    """
    if chunk.scan is not None or chunk.stage is Stage.PLAN:
        return replace(chunk, attempt=chunk.attempt + 1)
    return replace(chunk, chunk=retry_chunk(chunk.chunk))


def _unread(chunk: Chunk, ask: Ask, status: Status, detail: str, now: datetime) -> KeyOutcome:
    return chunk_outcome(chunk, ask, status, now, reason=Reason.SNAPSHOT_UNAVAILABLE, detail=detail)
