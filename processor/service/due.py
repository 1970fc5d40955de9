"""When a record may be taken: retries wait, and come due together (ADR 0002), but for second looks (ADR 0240)."""

import math
from collections.abc import Callable

from processor.core.chunk import Cause, Chunk
from processor.service.records import Header, Lane, Received

SECOND_LOOK: Header = ("cause", Cause.CONFIRM.value.encode())
"""Header of a chunk that is read again lest a change on its way count as a difference: nothing is sent for it."""


def headers_of_due(chunk: Chunk) -> tuple[Header, ...]:
    """What tells a reader of the retry topic, before it decodes, when the chunk is due."""
    return (SECOND_LOOK,) if chunk.cause is Cause.CONFIRM else ()


def due_at(delay_s: float, gather_s: float) -> Callable[[Received], float]:
    """In Unix seconds. Retries come due at whole multiples of `gather_s`, so that those of one key share a batch."""

    def due_at_s(record: Received) -> float:
        if record.lane is not Lane.RETRY:
            return 0.0
        due_s = record.timestamp_s + delay_s
        if not gather_s or SECOND_LOOK in record.headers:
            return due_s
        return math.ceil(due_s / gather_s) * gather_s

    return due_at_s
