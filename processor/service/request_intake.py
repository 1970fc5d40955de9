"""Requests that come in: refused, passed on because they are large, or taken on."""

import logging
from datetime import datetime

from processor.core.accept import Rejected, refuse
from processor.core.catalog import Catalog
from processor.core.errors import Reason
from processor.core.ids import FIRST_CHUNK, REFUSED, accepted_id
from processor.core.policy import Policy
from processor.core.request import Request
from processor.core.rights import Refusal, topic_refusal
from processor.service.intake import take_request
from processor.service.records import Lane, Received
from processor.service.taken import Taken, WorkId
from processor.service.work import Work

log = logging.getLogger(__name__)


class RequestIntake:
    """Of one batch. Without a policy all may ask."""

    def __init__(self, catalog: Catalog, taken: Taken, now: datetime, policy: Policy | None) -> None:
        self._catalog = catalog
        self._taken = taken
        self._intake = taken.intake
        self._now = now
        self._policy = policy

    def take(self, item: Work, request: Request) -> None:
        """A refusal takes up no request's place and never overwrites one that was taken on."""
        record, work_id = item.record, accepted_id(request.request_id, request.district_id, FIRST_CHUNK, 1)
        why = self.refusal(record, request)
        if why is None:
            self._take_allowed(item, request, work_id)
        elif work_id in self._taken:
            self._intake.repeated.append(record.lane)
        elif self._taken.is_new(record, accepted_id(request.request_id, request.district_id, REFUSED, 1)):
            log.warning("%s: request %s is not authorised: %s", record.place, request.request_id, why.ground)
            self._intake.refused.append(why.ground)
            self._intake.note(record, request)
            self._intake.plan.add(refuse(request, Rejected(Reason.NOT_AUTHORIZED, why.detail), self._now))

    def refusal(self, record: Received, request: Request) -> Refusal | None:
        """By the topic that the record came by: who it says that asks is a claim.

        A step of a run comes from the store; what the run's first request was allowed covers it. A large request was
        held against its topic's rights before it was passed on.
        """
        if record.lane is not Lane.REQUESTS or self._policy is None:
            return None
        return topic_refusal(self._policy, record.topic, request, self._catalog)

    def _take_allowed(self, item: Work, request: Request, work_id: WorkId) -> None:
        """Very many keys take long to be made chunks of: the id of such a request counts where that is done."""
        record, intake = item.record, self._intake
        is_large = record.lane is Lane.REQUESTS and item.keys > self._catalog.limits.max_keys
        if is_large and work_id not in self._taken:
            intake.bulky.append(record)
        elif self._taken.is_new(record, work_id):
            intake.note(record, request)
            if record.lane is Lane.CHUNKS:
                intake.large.append(request)
            else:
                take_request(request, self._catalog, intake, self._now)
