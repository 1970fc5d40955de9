import os
import pwd
import socket
from pathlib import Path
from typing import Any

import pytest

from processor.cli.exits import UsageError
from processor.cli.person import Person, identified
from processor.core.history import OrderAction
from processor.core.policy import ControlRight, ControlTopic, Grant, Policy, Principal, Right, Scope
from processor.core.request import Side
from processor.core.rights import NotAuthorized
from processor.settings import Settings
from stack.layout import REPO

POLICY = REPO / "demo" / "policy.yaml"
NOBODY = Person("someone@somewhere")


def person(*grants: Grant) -> Person:
    control = {
        "control": ControlTopic("control", Scope(None, None), ()),
        "control.all": ControlTopic("control.all", Scope(None, None), (), frozenset(ControlRight)),
        "control.river": ControlTopic("control.river", Scope(frozenset({"RIVER"}), None), ()),
    }
    return Person("clerk", (Policy({}, {}, control=control), Principal("clerk", grants)))


def grant(scope: Scope, *rights: Right, sides: frozenset[Side] = frozenset(Side)) -> Grant:
    return Grant(scope, sides, frozenset(rights))


NORTH = Scope(frozenset({"NORTH", "LAKE"}), frozenset({"Person"}))


def test_what_may_be_seen_is_pairs_of_a_district_and_an_object() -> None:
    clerk = person(grant(NORTH, Right.SEE), grant(Scope(None, None), Right.CLEAR), grant(Scope(None, None), Right.SEE))
    assert clerk.seen() == [("LAKE", "Person"), ("NORTH", "Person"), (None, None)]
    assert NOBODY.seen("NORTH") is None


def test_who_may_see_nothing_is_told_so() -> None:
    with pytest.raises(NotAuthorized, match="NOT_AUTHORIZED: clerk may see no history"):
        person(grant(NORTH, Right.CLEAR)).seen()
    with pytest.raises(NotAuthorized, match="NOT_AUTHORIZED: clerk may not see this district"):
        person(grant(NORTH, Right.SEE)).seen("RIVER")


def test_a_row_that_may_not_be_seen_does_not_exist() -> None:
    clerk = person(grant(NORTH, Right.SEE))
    mine, theirs = ({"district_id": d, "object": "Person"} for d in ("NORTH", "RIVER"))
    assert (clerk.if_seen(mine), clerk.if_seen(theirs), clerk.if_seen(None)) == (mine, None, None)
    assert NOBODY.if_seen(theirs) == theirs


def test_keys_of_an_object_are_seen_by_a_right_of_its_own() -> None:
    clerk = person(grant(NORTH, Right.SEE), grant(Scope(None, frozenset({"Enrollment"})), Right.SEE))
    assert clerk.seen_objects("NORTH") == ["Enrollment", "Person"]
    assert clerk.seen_objects("RIVER") == ["Enrollment"]
    assert person(grant(NORTH, Right.SEE)).seen_objects("RIVER") == []
    assert person(grant(NORTH, Right.SEE), grant(Scope(None, None), Right.SEE)).seen_objects("NORTH") is None
    assert NOBODY.seen_objects("NORTH") is None


def a_request(*others: tuple[str, str]) -> dict[str, Any]:
    """Of NORTH's persons, as it is read before it is cleared; `others` lie under the same id."""
    places = [["NORTH", "Person"], *map(list, others)]
    return {"request_id": "r", "district_id": "NORTH", "object": "Person", "places": places}


def test_clearing_is_a_right_of_its_own_and_of_the_topic() -> None:
    clearer = person(grant(NORTH, Right.SEE, Right.CLEAR))
    clearer.check_clearing("control", a_request())
    NOBODY.check_clearing("control", a_request(("RIVER", "Person")))
    for who, topic, told in (
        (person(grant(NORTH, Right.SEE)), "control", "clerk may not clear the history of Person of NORTH"),
        (clearer, "control.river", "the writers of control.river may clear nothing of this district"),
        (clearer, "other", "the policy does not declare other, so its writers may clear nothing"),
    ):
        with pytest.raises(NotAuthorized, match=told):
            who.check_clearing(topic, a_request())
    for other in (("RIVER", "Person"), ("NORTH", "School")):
        with pytest.raises(NotAuthorized) as refused:
            clearer.check_clearing("control", a_request(other))
        assert refused.value.detail == "the id r has another request's history too, which clerk may not clear"


def test_values_are_seen_by_a_right_of_their_own() -> None:
    clerk = person(grant(NORTH, Right.SEE, Right.SEE_VALUES), grant(Scope(None, None), Right.SEE))
    clerk.check_values("NORTH", ["Person"])
    NOBODY.check_values("RIVER", ["Person", "Enrollment"])
    for district, objects, named in (
        ("RIVER", ["Person"], "Person"),
        ("NORTH", ["Person", "Enrollment"], "Enrollment"),
        ("NOWHERE", ["x\n"], r"x\\n"),
    ):
        with pytest.raises(NotAuthorized, match=f"clerk may not see values of {named} here: it needs see-values"):
            clerk.check_values(district, objects)


def test_what_is_of_everything_needs_a_right_for_everything() -> None:
    everything = Scope(None, None)
    person(grant(NORTH, Right.SEE), grant(everything, Right.SEE)).check_everywhere(Right.SEE, "compare")
    NOBODY.check_everywhere(Right.CLEAR, "rebuild")
    for right, scope in (
        (Right.CLEAR, everything),
        (Right.SEE, Scope(None, NORTH.objects)),
        (Right.SEE, Scope(NORTH.districts, None)),
    ):
        with pytest.raises(NotAuthorized, match="clerk may not compare: it needs R for all districts and all objects"):
            person(grant(scope, right)).check_everywhere(Right.SEE, "compare")


@pytest.mark.parametrize(
    ("sides", "side"), [(Side, Side.DISTRICT), ([Side.DISTRICT], Side.DISTRICT), ([Side.STATE], Side.STATE)]
)
def test_a_person_asks_on_the_side_that_is_allowed(sides: list[Side], side: Side) -> None:
    assert person(grant(NORTH, Right.SEE, sides=frozenset(sides))).side() is side


def test_without_a_policy_a_person_is_the_account_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    assert identified(Settings()).name == f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"


@pytest.mark.parametrize("name", ["state-admin", "north-clerk", "auditor"])
def test_a_token_says_who_asks_whatever_the_account(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("USER", "root")
    assert identified(Settings(policy=POLICY, token=f"demo-token-of-the-{name}")).name == name


def test_no_token_and_nobody_s_token(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="RESYNC_TOKEN_FILE"):
        identified(Settings(policy=POLICY))
    with pytest.raises(NotAuthorized, match="nobody's in the policy") as caught:
        identified(Settings(policy=POLICY, token="S3CR3T"))  # noqa: S106 (not one)
    assert "S3CR3T" not in str(caught.value)
    assert "S3CR3T" not in repr(Settings(policy=tmp_path, token="S3CR3T"))  # noqa: S106


ROW = {"district_id": "NORTH", "object": "Person", "requested_by": "somebody", "planned": None}
PLANNED = {"counts": [{"object": "Enrollment"}], "samples": []}


@pytest.mark.parametrize("action", [OrderAction.RELEASE, OrderAction.REJECT])
def test_who_asked_for_a_request_does_not_release_it_with_or_without_a_policy(action: OrderAction) -> None:
    allowed = person(grant(Scope(None, None), Right.RELEASE)).known
    for who in (Person("somebody"), Person("somebody", allowed)):
        with pytest.raises(NotAuthorized, match="somebody else has to"):
            who.check_order(action, "control.all", ROW)
    Person("somebody").check_order(OrderAction.CANCEL, "control.all", ROW)
    NOBODY.check_order(action, "control", ROW)


def test_releasing_needs_its_own_right_for_all_that_would_change_and_the_topic_s() -> None:
    chief = person(grant(NORTH, Right.SEE, Right.RELEASE))
    chief.check_order(OrderAction.RELEASE, "control.all", ROW)
    with pytest.raises(NotAuthorized, match="may not release this: it needs release for Enrollment"):
        chief.check_order(OrderAction.RELEASE, "control.all", {**ROW, "planned": PLANNED})
    with pytest.raises(NotAuthorized, match="may not cancel this: it needs W for Person"):
        chief.check_order(OrderAction.CANCEL, "control.all", ROW)
    with pytest.raises(NotAuthorized, match="the writers of control may release nothing"):
        chief.check_order(OrderAction.REJECT, "control", ROW)


def test_cancelling_needs_what_asking_needs() -> None:
    clerk = person(grant(NORTH, Right.SEE, Right.SYNC))
    clerk.check_order(OrderAction.CANCEL, "control", ROW)
    with pytest.raises(NotAuthorized, match="may cancel nothing of this district"):
        clerk.check_order(OrderAction.CANCEL, "control.river", ROW)
    with pytest.raises(NotAuthorized, match="it needs release for Person"):
        clerk.check_order(OrderAction.RELEASE, "control.all", ROW)
