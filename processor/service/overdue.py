"""Corrections that the applier did not answer in time are sent round to be compared again.

A pass is repeated only after `repeat_s`, so one correction is published at most once in that time; one published twice
is one chunk id, which the processor accepts once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from processor.service.history_ports import HistoryTables, HistoryWriter

PAGE = 500


@dataclass(frozen=True, slots=True)
class OverdueRule:
    answer_deadline_s: float = 86_400.0
    repeat_s: float = 300.0


class Overdue:
    """`owns` says whether a request's answers are this process's business."""

    def __init__(
        self, tables: HistoryTables, writer: HistoryWriter, rule: OverdueRule, owns: Callable[[str], bool]
    ) -> None:
        self._tables = tables
        self._writer = writer
        self._rule = rule
        self._owns = owns
        self._place: tuple[datetime, str, str, str] | None = None
        self._deadline: datetime | None = None
        self._next_pass: datetime | None = None
        self.published = 0

    @property
    def is_passing(self) -> bool:
        return self._deadline is not None

    def step(self, now: datetime) -> None:
        """Publish one page of the pass that is under way, or begin a pass when one is due."""
        if self._deadline is None:
            if self._next_pass is not None and now < self._next_pass:
                return
            self._deadline = now - timedelta(seconds=self._rule.answer_deadline_s)
            self._next_pass = now + timedelta(seconds=self._rule.repeat_s)
            self._place = None
        page = self._tables.unanswered(self._deadline, self._place, PAGE)
        chunks = [item.chunk for item in page if self._owns(item.chunk.request_id)]
        if chunks:
            self._writer.retries(chunks)
            self.published += len(chunks)
        if len(page) < PAGE:
            self._deadline = None
        else:
            self._place = page[-1].place
