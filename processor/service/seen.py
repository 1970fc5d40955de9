"""Following only what somebody may see: everything else is as if it did not exist."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from processor.core.history import PlanCounts
from processor.core.rights import NotAuthorized
from processor.service.follow import ClearedResult, Follower, RequestResult, Standing


def seen_plan(plan: PlanCounts, district_id: str, may_see: Callable[[str, str], bool]) -> PlanCounts:
    """What of a plan is about objects that may be seen."""
    return PlanCounts(
        tuple(each for each in plan.counts if may_see(district_id, each.object)),
        tuple(sample for sample in plan.samples if may_see(district_id, sample.object)),
    )


class SeenFollower:
    """A request that may not be seen never ends here, as one that does not exist."""

    def __init__(self, follower: Follower, may_see: Callable[[str, str], bool]) -> None:
        self._follower = follower
        self._may_see = may_see

    def standings(self, wait_s: float) -> Mapping[str, Standing]:
        """The follower beneath may find that all has ended, and so return at once: then the rest is waited here."""
        until = time.monotonic() + wait_s
        found = self._follower.standings(wait_s)
        hidden = {
            request_id
            for request_id, standing in found.items()
            if standing != Standing() and not self._may_see(standing.district_id, standing.object)
        }
        if hidden and (left_s := until - time.monotonic()) > 0:
            time.sleep(left_s)
        return {i: Standing() if i in hidden else self._shown(standing) for i, standing in found.items()}

    def results(self) -> Sequence[RequestResult | ClearedResult]:
        """Asked for when all have ended, so when all may be seen; but not all keys that dependencies brought along.

        Raises NotAuthorized where another request of the same id has come in between.
        """
        return [each if isinstance(each, ClearedResult) else self._seen(each) for each in self._follower.results()]

    def _shown(self, standing: Standing) -> Standing:
        """Of what it would change only what may be seen: it may bring along records of other objects."""
        if standing.planned is None:
            return standing
        return replace(standing, planned=seen_plan(standing.planned, standing.district_id, self._may_see))

    def _seen(self, result: RequestResult) -> RequestResult:
        if not self._may_see(result.district_id, result.object):
            raise NotAuthorized(f"the id {result.request_id} stands for another request by now: draw an id of your own")
        return replace(result, noted=tuple(o for o in result.noted if self._may_see(result.district_id, o.object)))
