"""Clearing the history of requests: wishes come by the control topic, the store answers each with a permanent mark.

The mark (`~cleared`) is what clears: where it is known, the views show nothing of the request, and never will again.
What the request left on the topic is then taken away by `service/bury.py`, in its own time.

`cleared_by` in a wish is a claim, as `requested_by` in a request is: where a policy is set, a wish has the rights of
the topic that it came by, and one beyond them is refused here, whoever sent it.
"""

from collections.abc import Iterable
from datetime import datetime

import structlog

from processor import metrics
from processor.core.control_rights import clearing_refusal
from processor.core.history import Clear, Cleared
from processor.core.policy import Policy
from processor.crashpoint import CrashPoints
from processor.service.history_ports import Clearable, HistoryTables, HistoryWriter
from processor.service.read_back import ReadBack

log = structlog.get_logger(__name__)

MAX_TEXT = 255
"""Characters of a wish's texts that its permanent mark keeps: whoever sends one may have written anything."""


class Clearings:
    """`read_back` is told of the marks written: nothing is judged before the tables show them."""

    def __init__(
        self,
        policy: Policy | None,
        tables: HistoryTables,
        writer: HistoryWriter,
        read_back: ReadBack,
        crash: CrashPoints,
    ) -> None:
        self._policy = policy
        self._tables = tables
        self._writer = writer
        self._crash = crash
        self._read_back = read_back
        self.cleared = 0

    def carry_out(self, wished: Iterable[tuple[str, Clear]], now: datetime) -> None:
        """Each with its topic; of several about one request, the first that its topic allows.

        One that is unknown, cleared, open, or of which something was decided since it was wished, stays as it is.
        """
        by_topic: dict[str, dict[str, Clear]] = {}
        for topic, wish in wished:
            by_topic.setdefault(topic, {}).setdefault(wish.request_id, wish)
        marks: dict[str, Cleared] = {}
        for topic, wishes in by_topic.items():
            for found in self._tables.clearable([wish for wish in wishes.values() if wish.request_id not in marks]):
                if self._is_allowed(topic, found):
                    marks[found.request_id] = _mark(found, wishes[found.request_id], now)
        if not marks:
            return
        self._read_back.expect(self._writer.cleared([*marks.values()]))
        self._crash("store.after_mark")
        self.cleared += len(marks)
        for mark in marks.values():
            log.info("history cleared", request_id=mark.request_id, outcomes=mark.outcomes)

    def _is_allowed(self, topic: str, found: Clearable) -> bool:
        """By the topic alone, for all that goes with the request: another district's may have the same id.

        Asked only of what could be cleared: what stays anyway is not counted as refused.
        """
        if self._policy is None:
            return True
        refusals = (clearing_refusal(self._policy, topic, *place) for place in found.places)
        why = next((each for each in refusals if each is not None), None)
        if why is None:
            return True
        metrics.STORE_REFUSED_CLEARINGS.labels(why.ground).inc()
        log.warning("a wish to clear is not authorised", topic=topic, request_id=found.request_id, ground=why.ground)
        return False


def _mark(found: Clearable, wish: Clear, now: datetime) -> Cleared:
    return Cleared(
        request_id=found.request_id,
        district_id=found.district_id,
        object=found.object,
        cleared_by=wish.cleared_by[:MAX_TEXT],
        cleared_at=now,
        outcomes=found.outcomes,
        scope=wish.scope[:MAX_TEXT],
    )
