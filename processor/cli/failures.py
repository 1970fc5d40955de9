"""Failures of a request by cause, each with what mends it, for people and as documents."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processor.core.errors import RULES, Mender
from processor.core.mend import Asked, Cause, mend
from processor.core.printable import printable
from processor.core.request import Dependencies, Mode, OnStateOnly

MOST_SHOWN = 10
"""Keys of a cause that are told one by one."""


def asked_of(request: Mapping[str, Any]) -> Asked:
    """From a row of the history."""
    return Asked(
        request["request_id"],
        request["district_id"],
        Mode(request["mode"]),
        Dependencies(request["dependencies"]),
        OnStateOnly(request["on_state_only"]),
    )


def failure_documents(asked: Asked, causes: Sequence[Cause]) -> list[dict[str, Any]]:
    """As `schemas/cli/show.json` says."""
    documents = []
    for cause in causes:
        way = mend(asked, cause)
        documents.append(
            {
                "object": cause.object,
                "reason": cause.reason,
                "detail": cause.detail,
                "parent_object": cause.parent_object,
                "keys": cause.keys,
                "sample_keys": list(cause.named),
                "parent_keys": cause.parent_keys,
                "sample_parents": list(cause.parents),
                "mended_by": RULES[cause.reason].mender,
                "advice": way.advice,
                "command": way.command,
            }
        )
    return documents


def failure_text(cause: Cause) -> str:
    """`2 of PersonIdentity REJECTED_BY_STATE: the constraint`."""
    detail = f": {cause.detail}" if cause.detail else ""
    return f"{cause.keys} of {cause.object} {cause.reason}{detail}"


def failure_lines(asked: Asked, cause: Cause) -> Iterator[str]:
    """A heading, and what is known of the cause."""
    rule, way = RULES[cause.reason], mend(asked, cause)
    yield printable(failure_text(cause))
    by = "" if rule.mender is Mender.NOBODY else f" (can be mended by: {rule.mender})"
    yield f"  {rule.meaning}{by}"
    yield f"  keys     {_some(cause.named, cause.keys)}"
    if cause.parents:
        yield f"  parents  {cause.parent_object} {_some(cause.parents, cause.parent_keys)}"
    yield f"  to do    {way.advice}"
    if way.command is not None:
        yield f"  run      {way.command}"


def _some(keys: Sequence[str], total: int) -> str:
    named = ", ".join(map(printable, keys[:MOST_SHOWN]))
    return named if total <= MOST_SHOWN else f"{named} and {total - MOST_SHOWN} more"
