"""Linked runs: the end of a step begins the next one, as soon as it is announced (ADR 0156).

The next step is a function of the step and its end. It is begun where an end is announced, before the offsets are
stored: a crash begins it twice, which is nothing new for the processor. A step of which there is, or was, a history is
not begun again: by then the processor may have forgotten its id.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from processor import metrics
from processor.core.history import RequestEnd, RequestStatus
from processor.core.request import Request
from processor.core.run import next_step
from processor.crashpoint import CrashPoints
from processor.service.history_ports import HistoryWriter

log = structlog.get_logger(__name__)

FRESH = timedelta(hours=12)
"""Of a store that announces all ends anew: an older step's follower may have been asked for, and have been cleared."""


class Steps(Protocol):
    """The tables, or a transaction on them."""

    def linked(self, request_ids: Sequence[str]) -> Sequence[RequestStatus]: ...

    def known(self, request_ids: Sequence[str]) -> Sequence[str]: ...


class Linked:
    def __init__(self, writer: HistoryWriter, crash: CrashPoints) -> None:
        self._writer = writer
        self._crash = crash

    def follow(self, ends: Iterable[RequestEnd], steps: Steps) -> None:
        """Begin what follows from ends that are announced."""
        by_id = {end.request_id: end for end in ends}
        if not by_id:
            return
        following = [
            step
            for status in steps.linked(sorted(by_id))
            if (step := next_step(status.request, by_id[status.request.request_id])) is not None
        ]
        if not following:
            return
        known = set(steps.known([step.request_id for step in following]))
        self._begin([step for step in following if step.request_id not in known])

    def sweep(self, ends: Iterable[RequestEnd], steps: Steps, now: datetime) -> None:
        """The same where all ends are announced anew."""
        self.follow((end for end in ends if end.last_decided_at and now - end.last_decided_at < FRESH), steps)

    def _begin(self, steps: Sequence[Request]) -> None:
        if not steps:
            return
        self._crash("store.before_step")
        self._writer.orders(steps)
        self._crash("store.after_step")
        for step in steps:
            metrics.STORE_STEPS.labels(step.mode).inc()
            log.info("linked run goes on", run_id=step.run_id, request_id=step.request_id, mode=step.mode)
