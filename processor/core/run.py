"""Linked runs: verify, resync what differs, verify again, as requests that follow from one another."""

import uuid
from enum import StrEnum

from processor.core.request import Keys, Mode, Request


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


def fault_of_step(request: Request) -> str | None:
    """Why a linked request cannot begin, or go on with, a run; None where it can."""
    if request.run_id is None or not is_run_id(request.run_id):
        return "a linked request needs a run_id that is a uuid in lower case"
    step = next((step for step in Step if step_id(request.run_id, step) == request.request_id), None)
    if step is None:
        return "a linked request's id is the uuid5 of its run_id and its step"
    if isinstance(request.selection, Keys):
        return "a linked request selects all records, or those that match a filter"
    if (request.mode is Mode.VERIFY) is (step is Step.RESYNC):
        return f"step {step} cannot have mode {request.mode}"
    return None
