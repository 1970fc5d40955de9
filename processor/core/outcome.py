"""Outcomes as they are built from where a key stands: in a chunk, or in an answer."""

from collections.abc import Iterable
from datetime import datetime

from processor.core.chunk import Ask, Chunk
from processor.core.correction import Parent, Source
from processor.core.errors import Reason
from processor.core.history import KeyOutcome, Sent, Status


def chunk_outcome(
    chunk: Chunk,
    ask: Ask,
    status: Status,
    now: datetime,
    *,
    object_name: str | None = None,
    reason: Reason | None = None,
    detail: str | None = None,
    changed_fields: tuple[str, ...] = (),
    parent: Parent | None = None,
) -> KeyOutcome:
    """An outcome that needs no correction. `object_name` is given for a dependency of another object."""
    return KeyOutcome(
        request_id=chunk.request_id,
        district_id=chunk.district_id,
        object=object_name or chunk.object,
        key=ask.key,
        asked_as=ask.asked_as,
        status=status,
        reason=reason,
        detail=detail,
        changed_fields=changed_fields,
        parent=parent,
        correction_id=chunk.correction_id if object_name in (None, chunk.object) else None,
        attempt=chunk.attempt,
        first_decided_at=chunk.first_decided_at or now,
        sent_at=chunk.sent_at if object_name in (None, chunk.object) else None,
        answered_at=None,
        decided_at=now,
    )


class SentOutcomes:
    """Of the corrections of one chunk, in their order.

    Successive ones of one object, and one reason, differ in what is of one key alone, and are told together.
    """

    def __init__(self) -> None:
        self._last: Sent | None = None

    def add(self, source: Source, reason: Reason | None) -> Iterable[Sent]:
        """What is to be told as well, if this is the first of its kind."""
        last = self._last
        if last is not None and (last.first.object, last.first.reason) == (source.object, reason):
            last.sources.append(source)
            return ()
        self._last = Sent(source_outcome(source, Status.SENT, source.sent_at, reason=reason), [source])
        return (self._last,)


def source_outcome(
    source: Source,
    status: Status,
    now: datetime,
    *,
    reason: Reason | None = None,
    detail: str | None = None,
    answered_at: datetime | None = None,
) -> KeyOutcome:
    """The outcome of a key whose correction was sent."""
    return KeyOutcome(
        request_id=source.request_id,
        district_id=source.district_id,
        object=source.object,
        key=source.key,
        asked_as=source.asked_as,
        status=status,
        reason=reason,
        detail=detail,
        changed_fields=source.changed_fields,
        parent=source.parent,
        correction_id=source.correction_id,
        attempt=source.attempt,
        first_decided_at=source.first_decided_at,
        sent_at=source.sent_at,
        answered_at=answered_at,
        decided_at=now,
    )
