"""Who uses the command line, and what the policy lets this person ask for and see.

This answers sooner than the service and is no wall against it: the walls are the broker's ACLs and the rights in the
history's database.
"""

import os
import pwd
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from processor.cli.exits import UsageError
from processor.core.history import OrderAction
from processor.core.printable import printable
from processor.core.request import Request, Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from processor.core.catalog import Catalog
    from processor.core.policy import Policy, Principal, Right
    from processor.service.client_ports import Row
    from processor.settings import Settings


@dataclass(frozen=True, slots=True)
class Person:
    """`known` is the policy and who this is in it; None where no policy is set, so that everything is allowed."""

    name: str
    known: "tuple[Policy, Principal] | None" = None

    def side(self) -> Side:
        """On whose behalf this person asks without saying so: the district's, where that is allowed."""
        if self.known is None:
            return Side.DISTRICT
        sides = {side for grant in self.known[1].grants for side in grant.sides}
        return Side.DISTRICT if Side.DISTRICT in sides else Side.STATE

    def check_request(self, topic: str, request: Request, catalog: "Catalog") -> None:
        """Raises NotAuthorized where this person may not ask for it, or nobody by this topic."""
        if self.known is None:
            return
        from processor.core.rights import NotAuthorized, principal_refusal, topic_refusal

        policy, principal = self.known
        why = principal_refusal(principal, request, catalog) or topic_refusal(policy, topic, request, catalog)
        if why is not None:
            raise NotAuthorized(why.detail)

    def may_see(self, district_id: str, object_name: str) -> bool:
        if self.known is None:
            return True
        from processor.core.rights import may_see

        return may_see(self.known[1], district_id, object_name)

    def check_values(self, district_id: str, object_names: "Iterable[str]") -> None:
        """Raises NotAuthorized where this person may not see values of an object; says nothing about what there is."""
        from processor.core.rights import NotAuthorized

        for name in object_names:
            if not self.may_see_values(district_id, name):
                raise NotAuthorized(f"{self.name} may not see values of {printable(name)} here: it needs see-values")

    def may_see_values(self, district_id: str, object_name: str) -> bool:
        if self.known is None:
            return True
        from processor.core.rights import may_see_values

        return may_see_values(self.known[1], district_id, object_name)

    def seen_objects(self, district_id: str) -> list[str] | None:
        """The objects of a district whose keys may be seen, None being all: dependencies bring along keys of others."""
        if self.known is None:
            return None
        from processor.core.policy import Right
        from processor.core.rights import scopes

        here = [scope.objects for scope in scopes(self.known[1], Right.SEE) if scope.has_district(district_id)]
        return None if None in here else sorted(frozenset().union(*(each for each in here if each is not None)))

    def check_order(self, action: OrderAction, topic: str, row: "Row") -> None:
        """Raises NotAuthorized where this person may not order this about a request, or nobody by this way."""
        from processor.core.control_rights import may_cancel, may_release, order_refusal
        from processor.core.order import is_same_person
        from processor.core.rights import NotAuthorized

        is_cancel = action is OrderAction.CANCEL
        if not is_cancel and is_same_person(self.name, row["requested_by"]):
            raise NotAuthorized(f"{self.name} asked for it, so somebody else has to release or reject it")
        if self.known is None:
            return
        policy, principal = self.known
        may = may_cancel if is_cancel else may_release
        for name in sorted({row["object"], *(each["object"] for each in (row["planned"] or {}).get("counts", ()))}):
            place = (row["district_id"], name)
            if not may(principal, *place):
                needed = "W" if is_cancel else "release"
                raise NotAuthorized(f"{self.name} may not {action.lower()} this: it needs {needed} for {name}")
            why = order_refusal(policy, topic, action, place)
            if why is not None:
                raise NotAuthorized(why.detail)

    def check_clearing(self, topic: str, row: "Row") -> None:
        """Raises NotAuthorized where this person may not clear the history of such a request, or nobody by this way."""
        if self.known is None:
            return
        from processor.core.control_rights import clearing_refusal
        from processor.core.rights import NotAuthorized, may_clear

        policy, principal = self.known
        district_id, object_name = row["district_id"], row["object"]
        if not may_clear(principal, district_id, object_name):
            raise NotAuthorized(f"{self.name} may not clear the history of {object_name} of {district_id}")
        why = clearing_refusal(policy, topic, district_id, object_name)
        if why is not None:
            raise NotAuthorized(f"{why.detail} ({object_name} of {district_id})")
        if not all(
            may_clear(principal, *place) and clearing_refusal(policy, topic, *place) is None for place in row["places"]
        ):
            raise NotAuthorized(
                f"the id {row['request_id']} has another request's history too, which {self.name} may not clear"
            )

    def clearable(self, topic: str, district_id: str | None = None) -> list[tuple[str | None, str | None]] | None:
        """Pairs of a district and an object of which this person may clear the history by this way; see `seen`.

        Raises NotAuthorized where there is none, or none of the district.
        """
        if self.known is None:
            return None
        from processor.core.control_rights import clearable
        from processor.core.rights import NotAuthorized

        pairs = [pair for scope in clearable(*self.known, topic) for pair in scope.pairs()]
        if not any(district_id is None or district in {None, district_id} for district, _ in pairs):
            where = "" if district_id is None else " of this district"
            raise NotAuthorized(f"{self.name} may clear no history{where} by {topic}")
        return pairs

    def check_everywhere(self, right: "Right", what: str) -> None:
        """Raises NotAuthorized unless this person has the right for all districts and all objects."""
        if self.known is None:
            return
        from processor.core.rights import NotAuthorized, has_everywhere

        if not has_everywhere(self.known[1], right):
            raise NotAuthorized(f"{self.name} may not {what}: it needs {right} for all districts and all objects")

    def if_seen(self, row: "Row | None") -> "Row | None":
        """The row, unless it is of a district or an object that may not be seen: then it does not exist."""
        return row if row is None or self.may_see(row["district_id"], row["object"]) else None

    def seen(self, district_id: str | None = None) -> list[tuple[str | None, str | None]] | None:
        """Pairs of a district and an object that may be seen, None being all; None instead of a list is everything.

        Raises NotAuthorized where nothing may be seen, or nothing of the district.
        """
        if self.known is None:
            return None
        from processor.core.policy import Right
        from processor.core.rights import NotAuthorized, scopes

        where = scopes(self.known[1], Right.SEE)
        if not where:
            raise NotAuthorized(f"{self.name} may see no history")
        if district_id is not None and not any(scope.has_district(district_id) for scope in where):
            raise NotAuthorized(f"{self.name} may not see this district")
        return [pair for scope in where for pair in scope.pairs()]


def identified(settings: "Settings") -> Person:
    """By the token, where there is a policy; raises UsageError without one and NotAuthorized with an unknown one."""
    from processor.cli import parts

    policy = parts.open_policy(settings)
    if policy is None:
        return Person(account())
    if not settings.token:
        raise UsageError("a policy is set: say who you are by RESYNC_TOKEN_FILE (or RESYNC_TOKEN)")
    from processor.core.rights import NotAuthorized, identify

    principal = identify(policy, settings.token)
    if principal is None:
        raise NotAuthorized("the token in RESYNC_TOKEN or RESYNC_TOKEN_FILE is nobody's in the policy")
    return Person(principal.name, (policy, principal))


def account() -> str:
    """The account that the process runs under, whatever its environment says, and the machine; as good as that is."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
