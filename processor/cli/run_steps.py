"""A linked run followed from step to step, by the ids that derive from the run's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from processor.cli import parts
from processor.cli.again import same_request
from processor.cli.following import beside_the_bar
from processor.cli.output import say
from processor.cli.person import Person
from processor.cli.progress import counting
from processor.cli.summary import Summary
from processor.core.history import RequestEnd, RequestState
from processor.core.request import Mode, Request
from processor.core.run import Step, next_step, step_of
from processor.service.follow import ClearedResult, RequestResult, Standing, follow
from processor.service.seen import SeenFollower

if TYPE_CHECKING:
    from processor.adapters.postgres.history_queries import HistoryQueries

RUNNING = "RUNNING"
UNHEARD_S = 30.0
"""A step begins some seconds after the one before has ended; later than this somebody should look."""


@dataclass(frozen=True, slots=True)
class StepTold:
    """`result` is None of a step that has not ended; `state` says how it stands."""

    step: Step
    request_id: str
    state: str
    detail: str | None = None
    result: RequestResult | None = None
    summary: Summary | None = None
    """Of a verification that was done."""


@dataclass(slots=True)
class RunTold:
    """What is known of a run: the steps that have begun, the last of them perhaps unfinished."""

    first: Request
    steps: list[StepTold] = field(default_factory=list)

    @property
    def run_id(self) -> str:
        return self.first.run_id or ""

    @property
    def again(self) -> str:
        """The command that tells of the same run."""
        return same_request("run", self.first, "--run-id", self.run_id)

    @property
    def state(self) -> str:
        """That of the last step."""
        return self.steps[-1].state if self.steps else RUNNING

    @property
    def before(self) -> Summary | None:
        return self._summary(Step.VERIFY)

    @property
    def after(self) -> Summary | None:
        return self._summary(Step.VERIFY_AGAIN)

    def _summary(self, step: Step) -> Summary | None:
        return next((told.summary for told in self.steps if told.step is step), None)


class _Held(Exception):
    """A step waits for somebody to release it, which may take days."""

    def __init__(self, standing: Standing) -> None:
        super().__init__()
        self.standing = standing


class RunFollower:
    """Follows a run to its end, or to a step that is held."""

    def __init__(self, queries: "HistoryQueries", person: Person, first: Request) -> None:
        self._queries = queries
        self._person = person
        self._told = RunTold(first)

    def follow(self, timeout_s: float | None) -> RunTold:
        """None waits to the end. Raises Unreachable where the history is away for long."""
        try:
            return self._to_the_end(timeout_s)
        except KeyboardInterrupt:
            say(f"Interrupted; the run was sent and goes on without you; see it again with: {self._told.again}")
            raise

    def _to_the_end(self, timeout_s: float | None) -> RunTold:
        until = None if timeout_s is None else monotonic() + timeout_s
        request: Request | None = self._told.first
        while request is not None and (step := step_of(self._told.run_id, request.request_id)) is not None:
            told = self._step(step, request, None if until is None else max(0.0, until - monotonic()))
            self._told.steps.append(told)
            request = None if told.result is None else next_step(request, _end_of(told.result))
        return self._told

    def _step(self, step: Step, request: Request, timeout_s: float | None) -> StepTold:
        request_id = request.request_id
        follower = SeenFollower(
            parts.open_follower(self._queries, [request_id], self._person.seen()), self._person.may_see
        )
        try:
            if not self._has_ended(follower, step, timeout_s):
                return StepTold(step, request_id, RUNNING)
        except _Held as held:
            return StepTold(step, request_id, RequestState.HELD, held.standing.detail)
        (result,) = follower.results()
        if isinstance(result, ClearedResult):
            return StepTold(step, request_id, "CLEARED")
        is_told = request.mode is Mode.VERIFY and result.state is not RequestState.REJECTED
        summary = Summary.of(result, self._queries.verification(request_id) or {}) if is_told else None
        return StepTold(step, request_id, result.state, result.detail, result, summary)

    def _has_ended(self, follower: SeenFollower, step: Step, timeout_s: float | None) -> bool:
        """Raises _Held."""
        began, is_told = monotonic(), False

        def show(standings: Mapping[str, Standing]) -> None:
            nonlocal is_told
            (standing,) = standings.values()
            count(standing.settled, standing.keys, beside_the_bar([standing]))
            if standing.state is RequestState.HELD:
                raise _Held(standing)
            if standing.state is None and not is_told and monotonic() - began > UNHEARD_S:
                is_told = True
                say(f"nothing of step {step} for {UNHEARD_S:.0f} s: do `resync process` and `resync store` run?")

        with counting(step.replace("-", " ")) as count:
            return follow(follower, timeout_s, show)


def _end_of(result: RequestResult) -> RequestEnd:
    """As the store announces it, as far as the next step depends on it."""
    return RequestEnd(
        result.request_id,
        result.district_id,
        result.object,
        result.state,
        result.reason,
        result.detail,
        result.counts,
        None,
        None,
    )
