"""What a batch of records asks for: each becomes chunks to compare, a plan that needs no reading, or is passed on."""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from datetime import datetime

from processor.core.catalog import Catalog
from processor.core.chunk import Chunk
from processor.core.correction import Answer
from processor.core.history import RequestState, RequestStatus
from processor.core.ids import accepted_id
from processor.core.partition import partition_of
from processor.core.policy import Policy
from processor.core.request import Request, Single
from processor.core.settle import settle, tell_with
from processor.service.chunk_intake import ChunkIntake
from processor.service.intake import Intake
from processor.service.records import Lane, Received
from processor.service.request_intake import RequestIntake
from processor.service.single_intake import SingleIntake
from processor.service.taken import Taken, WorkId, id_of_chunk
from processor.service.work import Poison, Work, origin_of

MANY = 6
"""Requests that are alike go together from this many on: for fewer the preparation would not pay."""


class Sorter:
    """Sorts batches for one process. `known` holds the ids of work already taken on; without a policy all may ask."""

    def __init__(
        self,
        catalog: Catalog,
        partitions: int,
        known: Container[WorkId],
        policy: Policy | None = None,
        bulk_waits: Callable[[int], bool] = lambda _partition: False,
        *,
        remembered_since_s: float = 0.0,
        many: int = MANY,
    ) -> None:
        """`bulk_waits` and `remembered_since_s` as in `ChunkIntake`, `many` as in `SingleIntake`."""
        self._catalog = catalog
        self._partitions = partitions
        self._known = known
        self._policy = policy
        self._bulk_waits = bulk_waits
        self._remembered_since_s = remembered_since_s
        self._many = many

    def sort(self, batch: Sequence[Work | Poison], now: datetime) -> Intake:
        """Sorts the records in their order; the first of several alike is the one that counts."""
        intake, catalog = Intake(), self._catalog
        taken = Taken(self._known, intake)
        requests = RequestIntake(catalog, taken, now, self._policy)
        singles = SingleIntake(
            catalog, taken, now, requests, partitions=self._partitions, many=self._many, apart=_ids_of_several(batch)
        )
        chunks = ChunkIntake(catalog, taken, now, self._bulk_waits, self._remembered_since_s)
        for item in batch:
            if isinstance(item, Poison):
                intake.poison.append(item)
                continue
            record, ask = item.record, item.ask
            if isinstance(ask, Single):
                if singles.takes_with_others(record, ask):
                    continue
                ask = ask.request
            origin = origin_of(ask)
            home = partition_of(origin.district_id, self._partitions)
            if home != record.partition:
                intake.misrouted.append((record, home))
                continue
            match ask:
                case Request():
                    requests.take(item, ask)
                case Chunk():
                    intake.note(record, ask)
                    chunks.take(record, ask)
                case Answer():
                    intake.note(record, ask.source)
                    self._take_answer(ask, intake, now)
                case RequestStatus():
                    intake.note(record, ask.request)
                    _take_status(record, ask, taken)
        intake.singles = [alike for alike in intake.singles if alike.singles]
        return intake

    def _take_answer(self, answer: Answer, intake: Intake, now: datetime) -> None:
        """A late answer whose next comparison has begun already must not reopen the key."""
        history, limits = intake.plan.history, self._catalog.limits
        if history and tell_with(history[-1], answer, limits, now):
            return  # what is told together is not compared again
        plan = settle(answer, limits, now)
        begun = any(id_of_chunk(retry) in self._known for retry in plan.retries)
        if begun:
            intake.repeated.append(Lane.ANSWERS)
        else:
            intake.plan.add(plan)


def _ids_of_several(batch: Sequence[Work | Poison]) -> frozenset[str]:
    """Of requests that several records of the batch are about."""
    asks = [item.ask for item in batch if isinstance(item, Work)]
    if not any(isinstance(ask, Single) for ask in asks):
        return frozenset()
    ids = [(ask if isinstance(ask, Single) else origin_of(ask)).request_id for ask in asks]
    if len({*ids}) == len(ids):
        return frozenset()
    return frozenset(request_id for request_id, count in Counter(ids).items() if count > 1)


def _take_status(record: Received, status: RequestStatus, taken: Taken) -> None:
    """What the store decided, or passed on, about a request: written once, and nothing after a cancellation."""
    request = status.request
    decision = accepted_id(request.request_id, request.district_id, f"~{status.state}", 1, status.decided_at)
    if taken.is_cancelled(request) or not taken.is_new(record, decision):
        return
    if status.state is RequestState.CANCELLED:
        taken.cancel(request, record)
    taken.intake.plan.history.append(status)
