"""Which work was taken on: that of which the processor remembers an id is not done again."""

from collections.abc import Container
from typing import TypeAlias

from processor.core.chunk import Chunk
from processor.core.ids import CANCELLED, accepted_id
from processor.core.request import Request
from processor.service.intake import Intake
from processor.service.records import Received

WorkId: TypeAlias = bytes


class Taken:
    """By batches before this one, whose ids are `known`, and by this one, whose ids are among those of `intake`."""

    def __init__(self, known: Container[WorkId], intake: Intake) -> None:
        self.intake = intake
        self._known = known

    def __contains__(self, work_id: WorkId) -> bool:
        return work_id in self._known or work_id in self.intake.accepted

    def is_new(self, record: Received, work_id: WorkId) -> bool:
        """Takes it on; or counts the record as repeated."""
        if work_id in self:
            self.intake.repeated.append(record.lane)
            return False
        self.intake.accepted[work_id] = record.partition
        return True

    def is_cancelled(self, origin: Request | Chunk) -> bool:
        return _cancelled_id(origin) in self

    def cancel(self, origin: Request | Chunk, record: Received) -> None:
        """Remembers it anew with each record that tells of it: chunks of a request may come a day apart."""
        self.intake.accepted[_cancelled_id(origin)] = record.partition


def id_of_chunk(chunk: Chunk) -> WorkId:
    return accepted_id(chunk.request_id, chunk.district_id, chunk.chunk, chunk.attempt, chunk.first_decided_at)


def _cancelled_id(origin: Request | Chunk) -> WorkId:
    return accepted_id(origin.request_id, origin.district_id, CANCELLED, 1)
