"""What history claims became of each planted key, against the list of what was planted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import class_row

Record: TypeAlias = tuple[str, str, str]
"""Object, district, key."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One row of `history.outcomes`."""

    request_id: str
    district_id: str
    object: str
    key: str
    status: str
    reason: str | None
    detail: str | None
    changed_fields: list[str]
    parent_object: str | None
    parent_key: str | None
    attempt: int

    @property
    def record(self) -> Record:
        return self.object, self.district_id, self.key


def read_claims(history: psycopg.Connection, request_ids: Iterable[str]) -> list[Claim]:
    with history.cursor(row_factory=class_row(Claim)) as cursor:
        cursor.execute(
            "select request_id, district_id, object, key, status, reason, detail, changed_fields, parent_object,"
            " parent_key, attempt from history.outcomes where request_id = any(%s)",
            (list(request_ids),),
        )
        return cursor.fetchall()


def check_requests(history: psycopg.Connection, requests: list[dict[str, Any]]) -> Iterator[str]:
    """Each request ended as planted."""
    rows = history.execute(
        "select request_id, state, reason from history.requests where request_id = any(%s)",
        ([r["request_id"] for r in requests],),
    ).fetchall()
    ends = {row[0]: (row[1], row[2]) for row in rows}
    for request in requests:
        found, planted = ends.get(request["request_id"], ("nothing", None)), (request["state"], request["reason"])
        if found != planted:
            yield f"{_name(request)}: planted to end {_words(*planted)}, history says {_words(*found)}"


def check_outcomes(claims: list[Claim], requests: list[dict[str, Any]]) -> Iterator[str]:
    """Each planted key has one outcome, the planted one, and no request has an outcome that was not planted."""
    by_request: dict[str, dict[tuple[str, str], Claim]] = {r["request_id"]: {} for r in requests}
    for claim in claims:
        by_request[claim.request_id][claim.object, claim.key] = claim
    for request in requests:
        found = by_request[request["request_id"]]
        for expected in request["expected"]:
            record = (expected["object"], expected["key"])
            problem = _mismatch(found[record], expected) if record in found else "no outcome"
            if record in found and (said := found.pop(record).district_id) != request["district_id"]:
                problem = f"the outcome is said to be one of {said}"
            if problem:
                yield f"{_name(request)}, {expected['object']} {expected['key']} ({expected['kind']}): {problem}"
        for object_name, key in found:
            yield f"{_name(request)}: an outcome of {object_name} {key}, which was neither asked for nor needed"


def matches(claim: Claim | None, expected: dict[str, Any]) -> bool:
    return claim is not None and _mismatch(claim, expected) is None


def _mismatch(claim: Claim, expected: dict[str, Any]) -> str | None:
    """Why the outcome is not the planted one; None if it is."""
    found, planted = (claim.status, claim.reason), (expected["status"], expected["reason"])
    if found != planted:
        return (
            f"planted to be {_words(*planted)}, history says {_words(*found)} (attempt {claim.attempt}, {claim.detail})"
        )
    named = f"{claim.detail} {' '.join(claim.changed_fields)}"
    if expected["names"] not in named:
        return f"the outcome does not name {expected['names']}: {named}"
    if expected["changed"] is not None and sorted(claim.changed_fields) != sorted(expected["changed"]):
        return f"changed fields are said to be {claim.changed_fields}, planted were {expected['changed']}"
    if expected["parent"] is not None and f"{claim.parent_object} {claim.parent_key}" != expected["parent"]:
        return f"the parent is said to be {claim.parent_object} {claim.parent_key}, planted was {expected['parent']}"
    if expected["attempts"] is not None and claim.attempt != expected["attempts"]:
        return f"took {claim.attempt} attempts, planted were {expected['attempts']}"
    return None


def _words(status: str, reason: str | None) -> str:
    return f"{status} {reason}" if reason else status


def _name(request: dict[str, Any]) -> str:
    return f"request {request['request_id']} ({request['district_id']} {request['object']})"
