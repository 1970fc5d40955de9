"""Who may wish for what by a control topic: that history be cleared, that a request be released or cancelled."""

from processor.core.history import OrderAction
from processor.core.policy import ControlRight, Policy, Principal, Right, Scope
from processor.core.rights import Ground, Refusal, has_right, scopes


def clearing_refusal(policy: Policy, topic: str, district_id: str, object_name: str) -> Refusal | None:
    """Why the writers of a control topic may not have such a request's history cleared; None where they may."""
    return control_refusal(policy, topic, ControlRight.CLEAR, (district_id, object_name))


def control_refusal(policy: Policy, topic: str, right: ControlRight, place: tuple[str, str]) -> Refusal | None:
    """Why the writers of a control topic may not wish for this about a request of the place; None where they may."""
    declared = policy.control.get(topic)
    if declared is None:
        return Refusal(Ground.UNDECLARED, f"the policy does not declare {topic}, so its writers may {right} nothing")
    if right not in declared.rights:
        return Refusal(Ground.RIGHT, f"the writers of {topic} may {right} nothing")
    if not declared.scope.has_district(place[0]):
        return Refusal(Ground.DISTRICT, f"the writers of {topic} may {right} nothing of this district")
    if not declared.scope.has_object(place[1]):
        what = "the history" if right is ControlRight.CLEAR else "requests"
        return Refusal(Ground.OBJECT, f"the writers of {topic} may not {right} {what} of this object here")
    return None


def order_refusal(policy: Policy, topic: str, action: OrderAction, place: tuple[str, str]) -> Refusal | None:
    """Why the writers of a control topic may not order this about a request that changes such an object."""
    right = ControlRight.CANCEL if action is OrderAction.CANCEL else ControlRight.RELEASE
    return control_refusal(policy, topic, right, place)


def clearable(policy: Policy, principal: Principal, topic: str) -> list[Scope]:
    """What somebody may clear by a control topic."""
    declared = policy.control.get(topic)
    if declared is None or ControlRight.CLEAR not in declared.rights:
        return []
    return [scope.within(declared.scope) for scope in scopes(principal, Right.CLEAR)]


def may_release(principal: Principal, district_id: str, object_name: str) -> bool:
    """What is held; or reject it."""
    return has_right(principal, Right.RELEASE, district_id, object_name)


def may_cancel(principal: Principal, district_id: str, object_name: str) -> bool:
    """Who may ask for it may also say that it be left."""
    return has_right(principal, Right.SYNC, district_id, object_name)
