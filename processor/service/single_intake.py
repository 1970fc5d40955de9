"""Requests of one key that come in and are alike: from a few on they are taken on together (ADR 0244)."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

from processor.core.catalog import Catalog
from processor.core.history import SingleStatuses
from processor.core.ids import FIRST_CHUNK, accepted_id
from processor.core.partition import partition_of
from processor.core.request import Request, Single
from processor.core.single import Singles, accept_single, is_plain_key
from processor.service.records import Received
from processor.service.request_intake import RequestIntake
from processor.service.taken import Taken


@dataclass(slots=True)
class _Kind:
    """Requests that are like one, which came by one topic and partition."""

    like: Request
    """Held, so that no other one takes its identity."""
    seen: int = 0
    singles: Singles | None = None
    """None where there is more to be done about them, or they are few so far."""


class SingleIntake:
    """Of one batch. From the `many`th of a kind on they go together.

    Not so those with an id of `apart`, of which the batch has more to tell, be it of another district: what is told
    last has to be of the record that came last.
    """

    def __init__(
        self,
        catalog: Catalog,
        taken: Taken,
        now: datetime,
        requests: RequestIntake,
        *,
        partitions: int,
        many: int,
        apart: Container[str],
    ) -> None:
        self._catalog = catalog
        self._taken = taken
        self._intake = taken.intake
        self._now = now
        self._requests = requests
        self._partitions = partitions
        self._many = many
        self._apart = apart
        self._kinds: dict[tuple[int, str, int], _Kind] = {}
        """By identity of the request that others are like, topic and partition."""

    def takes_with_others(self, record: Received, single: Single) -> bool:
        """Whether it is taken on with those like it, or was before; else it is to be taken as any other request."""
        if single.request_id in self._apart:
            return False
        like = single.like
        kind = self._catalog.objects.get(like.object)
        if kind is None or not is_plain_key(single.key, kind.key_type):
            return False
        place = id(like), record.topic, record.partition
        alike = self._kinds.get(place) or self._kinds.setdefault(place, _Kind(like))
        alike.seen += 1
        if alike.seen == self._many:
            alike.singles = self._begin(record, single)
        singles = alike.singles
        if singles is None:
            return False
        if self._taken.is_new(record, accepted_id(single.request_id, like.district_id, FIRST_CHUNK, 1)):
            intake = self._intake
            intake.note(record, single)
            singles.singles.append(single)
            singles.places.append((len(intake.chunks), len(intake.accepted)))
        return True

    def _begin(self, record: Received, single: Single) -> Singles | None:
        """Where those like it are to be put; None where there is more to be done about them."""
        home = partition_of(single.like.district_id, self._partitions)
        if home != record.partition or self._requests.refusal(record, single.like) is not None:
            return None
        accepted = accept_single(single, self._catalog, self._now)
        if accepted is None:
            return None
        status, chunk = accepted
        alike = Singles(chunk)
        self._intake.plan.history.append(SingleStatuses(status, alike.singles))
        self._intake.singles.append(alike)
        return alike
