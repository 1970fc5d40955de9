"""Linked runs: verify, resync what differs, verify again, as requests that follow from one another."""

import uuid
from dataclasses import replace
from enum import StrEnum

from processor.core.history import RequestEnd, RequestState, Status
from processor.core.request import Keys, Mode, OnStateOnly, Request

_GOES_ON = frozenset({RequestState.COMPLETE, RequestState.COMPLETE_WITH_FAILURES})


class Step(StrEnum):
    """In their order. Each one's request id follows from the run's."""

    VERIFY = "verify"
    RESYNC = "resync"
    VERIFY_AGAIN = "verify-again"


def is_run_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def step_id(run_id: str, step: Step) -> str:
    """The request id of a step: doing it twice is nothing new. `run_id` is a uuid in lower case."""
    return str(uuid.uuid5(uuid.UUID(run_id), step))


def step_of(run_id: str, request_id: str) -> Step | None:
    """Which step of a run has this id; None where none has."""
    return next((step for step in Step if step_id(run_id, step) == request_id), None)


def fault_of_step(request: Request) -> str | None:
    """Why a linked request cannot begin, or go on with, a run; None where it can."""
    if request.run_id is None or not is_run_id(request.run_id):
        return "a linked request needs a run_id that is a uuid in lower case"
    step = step_of(request.run_id, request.request_id)
    if step is None:
        return "a linked request's id is the uuid5 of its run_id and its step"
    if isinstance(request.selection, Keys):
        return "a linked request selects all records, or those that match a filter"
    if (request.mode is Mode.VERIFY) is (step is Step.RESYNC):
        return f"step {step} cannot have mode {request.mode}"
    return None


def next_step(request: Request, end: RequestEnd) -> Request | None:
    """What follows a step that has ended so; None where the run ends with it.

    A function of both alone, so that what is begun twice is the same request.
    """
    if not request.linked or request.run_id is None or fault_of_step(request) is not None or end.state not in _GOES_ON:
        return None
    match step_of(request.run_id, request.request_id):
        case Step.VERIFY if _wants_mending(request, end):
            return _as(request, request.run_id, Step.RESYNC, Mode.SYNC, end)
        case Step.RESYNC:
            return _as(request, request.run_id, Step.VERIFY_AGAIN, Mode.VERIFY, end)
        case _:
            return None


def _wants_mending(request: Request, end: RequestEnd) -> bool:
    mended = {Status.DIFFERS, Status.MISSING_AT_STATE}
    if request.on_state_only is OnStateOnly.DELETE:
        mended.add(Status.MISSING_AT_DISTRICT)
    return any(count.status in mended and count.keys for count in end.counts)


def _as(request: Request, run_id: str, step: Step, mode: Mode, end: RequestEnd) -> Request:
    return replace(request, request_id=step_id(run_id, step), mode=mode, requested_at=end.last_decided_at)
