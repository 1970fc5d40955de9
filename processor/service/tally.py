"""What a batch adds to the counters. Counted once it is committed, so an aborted one counts for nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from processor import metrics
from processor.core.correction import Answer
from processor.core.errors import Reason
from processor.core.history import (
    OPEN_STATUSES,
    Alike,
    KeyOutcome,
    RequestState,
    RequestStatus,
    Sent,
    SingleOutcomes,
    SingleStatuses,
    Status,
    Told,
)
from processor.core.plan import Plan
from processor.service.intake import Intake
from processor.service.records import Lane, Outgoing

_BY_REASON = {Status.DEFERRED: metrics.DEFERRED, Status.FAILED: metrics.FAILURES}


def timed_commit(
    commit: Callable[[Iterable[Outgoing], Sequence[Any]], bool], records: Iterable[Outgoing], offsets: Sequence[Any]
) -> bool:
    with metrics.COMMIT.time():
        done = commit(records, offsets)
    metrics.TRANSACTIONS.labels("committed" if done else "aborted").inc()
    return done


def count_batch(intake: Intake, decided: Plan) -> None:
    """A batch of the processor: what needed no reading, and what was decided about its chunks."""
    for item in intake.poison:
        metrics.DEAD_LETTERS.labels(item.reason).inc()
    for lane, count in Counter(received.lane for received, _ in intake.misrouted).items():
        metrics.MISROUTED.labels(lane_label(lane)).inc(count)
    for lane, count in Counter(intake.repeated).items():
        metrics.REPEATED_RECORDS.labels(lane_label(lane)).inc(count)
    for ground, count in Counter(intake.refused).items():
        metrics.NOT_AUTHORIZED.labels(ground).inc(count)
    metrics.REQUESTS.labels("REPEATED").inc(intake.repeated.count(Lane.REQUESTS))
    history = (*intake.plan.history, *decided.history)
    _count_requests(_requests(history))
    _count_outcomes(_outcomes(history, intake.requested_at))
    for plan in (intake.plan, decided):
        for op, count in Counter(correction.op for correction in plan.corrections).items():
            metrics.CORRECTIONS.labels(op.name.lower()).inc(count)
        for cause, count in Counter(chunk.cause for chunk in plan.retries).items():
            metrics.RETRIES.labels(cause).inc(count)


def count_applied(answers: Iterable[Answer], poison: Iterable[Reason], misrouted: int) -> None:
    """A batch of the applier."""
    for result, count in Counter(answer.result for answer in answers).items():
        metrics.ANSWERS.labels(result).inc(count)
    for reason in poison:
        metrics.DEAD_LETTERS.labels(reason).inc()
    metrics.MISROUTED.labels(lane_label(Lane.CORRECTIONS)).inc(misrouted)


def lane_label(lane: Lane) -> str:
    return lane.name.lower()


def _requests(history: Iterable[Told]) -> Iterator[tuple[RequestStatus, datetime | None, int]]:
    """Statuses of requests, with when they were asked for, and how many have one like it."""
    for record in history:
        if isinstance(record, RequestStatus):
            yield record, record.request.requested_at, 1
        elif isinstance(record, SingleStatuses):
            for requested_at, requests in Counter(single.requested_at for single in record.singles).items():
                yield record.first, requested_at, requests


def _count_requests(told: Iterable[tuple[RequestStatus, datetime | None, int]]) -> None:
    for status, requested_at, requests in told:
        metrics.REQUESTS.labels(status.state).inc(requests)
        if status.state is RequestState.REJECTED and status.reason is not None:
            metrics.REJECTED.labels(status.reason).inc(requests)
        if requested_at is not None:
            metrics.REQUEST_WAIT.observe_many(_seconds(requested_at, status.decided_at), requests)


def _outcomes(
    history: Iterable[Told], requested_at: Mapping[str, datetime]
) -> Iterator[tuple[KeyOutcome, datetime, int]]:
    """Outcomes, with since when they are counted, and how many keys have one like it."""
    for record in history:
        match record:
            case KeyOutcome():
                yield record, requested_at.get(record.request_id, record.first_decided_at), 1
            case Alike(first=first, asks=asks):
                yield first, requested_at.get(first.request_id, first.first_decided_at), len(asks)
            case Sent(first=first, sources=sources):
                yield first, requested_at.get(first.request_id, first.first_decided_at), len(sources)
            case SingleOutcomes(first=first, singles=singles):
                times = Counter(single.requested_at or first.first_decided_at for single in singles)
                yield from ((first, since, keys) for since, keys in times.items())


def _count_outcomes(outcomes: Iterable[tuple[KeyOutcome, datetime, int]]) -> None:
    """Thousands a batch, so they are added up first."""
    statuses, reasons, ages = Counter[Status](), Counter[tuple[Status, Reason]](), Counter[float]()
    for outcome, since, keys in outcomes:
        statuses[outcome.status] += keys
        if outcome.reason is not None:
            reasons[outcome.status, outcome.reason] += keys
        if outcome.status not in OPEN_STATUSES:
            ages[_seconds(since, outcome.decided_at)] += keys
    for status, keys in statuses.items():
        metrics.OUTCOMES.labels(status).inc(keys)
    for (status, reason), keys in reasons.items():
        if status in _BY_REASON:
            _BY_REASON[status].labels(reason).inc(keys)
    for age_s, keys in ages.items():
        metrics.KEY_AGE.observe_many(age_s, keys)


def _seconds(since: datetime, until: datetime) -> float:
    """Not negative: the clock that the first time came from may be ahead of ours."""
    return max(0.0, (until - since).total_seconds())
