"""Who may ask for what: questions that the declared policy alone answers.

What a request may ask for is a `Permit`. The writers of a topic have one, as declared; a person has one for each grant
with the right to sync. One function, `refusal`, holds a request against permits, whoever they are of.
"""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from processor.core.catalog import Catalog
from processor.core.descent import WITH_CHILDREN, descending
from processor.core.errors import CoreError, Reason
from processor.core.policy import EVERYTHING, Permit, Policy, Principal, Right, Scope
from processor.core.request import Dependencies, Keys, Mode, OnStateOnly, Request


class Ground(StrEnum):
    """What of a request is not allowed: the closed list that metrics count by."""

    UNDECLARED = "undeclared"
    DISTRICT = "district"
    SIDE = "side"
    OBJECT = "object"
    MODE = "mode"
    DEPENDENCIES = "dependencies"
    DELETE = "delete"
    BATCH = "batch"
    RIGHT = "right"
    """Of a control topic: what it may not be used for at all."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`detail` says nothing but what the request itself said, so that it teaches nothing about other districts."""

    ground: Ground
    detail: str


class NotAuthorized(CoreError):
    """Somebody asks for what the policy does not give to them."""

    reason = Reason.NOT_AUTHORIZED

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def identify(policy: Policy, token: str) -> Principal | None:
    """Whose token it is. Takes as long for a wrong token as for a right one."""
    given = sha256(token.encode(errors="surrogateescape")).hexdigest()
    found = None
    for principal in policy.principals.values():
        for known in principal.token_hashes:
            if hmac.compare_digest(given, known):
                found = principal
    return found


def topic_refusal(policy: Policy, topic: str, request: Request, catalog: Catalog) -> Refusal | None:
    """Why the writers of a topic may not ask for this; None where they may."""
    declared = policy.topics.get(topic)
    if declared is None:
        return Refusal(
            Ground.UNDECLARED, f"the policy does not declare the topic {topic}, so its writers may do nothing"
        )
    return refusal(f"the writers of {topic}", [declared.permit], request, catalog)


def principal_refusal(principal: Principal, request: Request, catalog: Catalog) -> Refusal | None:
    """Why somebody may not ask for this; None where they may."""
    return refusal(principal.name, permits_of(principal), request, catalog)


def permits_of(principal: Principal) -> list[Permit]:
    """What may be asked for; who may sync may also verify."""
    return [
        Permit(
            scope=grant.scope,
            sides=grant.sides,
            modes=frozenset(Mode) if Right.FORCE in grant.rights else frozenset({Mode.SYNC, Mode.VERIFY}),
            dependencies=frozenset(Dependencies),
            delete=Right.DELETE in grant.rights,
            batch=Right.BATCH in grant.rights,
        )
        for grant in principal.grants
        if Right.SYNC in grant.rights
    ]


def refusal(who: str, permits: Sequence[Permit], request: Request, catalog: Catalog) -> Refusal | None:
    """Holds a request, and every object that it may reach by dependencies, against permits.

    A district that no permit names is refused before anything else is looked at, whether or not it exists.
    """
    here = [permit for permit in permits if permit.scope.has_district(request.district_id)]
    if not here:
        return Refusal(Ground.DISTRICT, f"{who} may not ask for this district")
    for object_name in touched(request, catalog):
        lacks = min((list(_lacks(permit, request, object_name)) for permit in here), key=len)
        if lacks:
            named = ", ".join(text for _, text in lacks)
            return Refusal(lacks[0][0], f"{who} may not ask for this here: {named}")
    return None


def touched(request: Request, catalog: Catalog) -> list[str]:
    """The object asked for, then those whose rows the request may reach by its dependencies."""
    names = [request.object]
    if request.object not in catalog.objects:
        return names
    if request.dependencies in (Dependencies.PARENTS, Dependencies.ALL):
        while (parent := catalog.objects[names[-1]].parent) is not None:
            names.append(parent.object)
    if request.dependencies in WITH_CHILDREN:
        names += [kind.name for kind in descending(request.object, catalog)]
    return names


def _lacks(permit: Permit, request: Request, object_name: str) -> Iterator[tuple[Ground, str]]:
    if not permit.scope.has_object(object_name):
        yield Ground.OBJECT, "this object" if object_name == request.object else f"its relative {object_name}"
    if request.requested_from not in permit.sides:
        yield Ground.SIDE, f"side {request.requested_from}"
    for mode in sorted({request.mode, *((Mode.SYNC, Mode.VERIFY) if request.linked else ())} - permit.modes):
        yield Ground.MODE, f"mode {mode}"
    if request.dependencies not in permit.dependencies:
        yield Ground.DEPENDENCIES, f"dependencies {request.dependencies}"
    if request.on_state_only is OnStateOnly.DELETE and not permit.delete:
        yield Ground.DELETE, "deletion of what only the state has"
    if not isinstance(request.selection, Keys) and not permit.batch:
        yield Ground.BATCH, "a selection other than keys"


def scopes(principal: Principal, right: Right) -> tuple[Scope, ...]:
    """Where somebody has a right."""
    return tuple(grant.scope for grant in principal.grants if right in grant.rights)


def has_right(principal: Principal, right: Right, district_id: str, object_name: str) -> bool:
    return any(scope.covers(district_id, object_name) for scope in scopes(principal, right))


def may_see(principal: Principal, district_id: str, object_name: str) -> bool:
    return has_right(principal, Right.SEE, district_id, object_name)


def may_see_values(principal: Principal, district_id: str, object_name: str) -> bool:
    return has_right(principal, Right.SEE_VALUES, district_id, object_name)


def may_clear(principal: Principal, district_id: str, object_name: str) -> bool:
    """Of a request, by its own district and object; see also `scopes(principal, Right.CLEAR)`."""
    return has_right(principal, Right.CLEAR, district_id, object_name)


def has_everywhere(principal: Principal, right: Right) -> bool:
    """Whether one grant has a right for all districts and all objects, also for those that are still to come."""
    return any(scope == EVERYTHING for scope in scopes(principal, right))
