from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.control_rights import clearable
from processor.core.policy import (
    NEEDS,
    ControlTopic,
    Grant,
    Permit,
    Policy,
    Principal,
    RequestTopic,
    Right,
    Scope,
    request_topics,
)
from processor.core.request import All, Dependencies, Filter, Keys, Mode, OnStateOnly, Request, Side
from processor.core.rights import (
    Ground,
    identify,
    may_clear,
    may_see,
    may_see_values,
    permits_of,
    principal_refusal,
    scopes,
    topic_refusal,
    touched,
)
from tests.unit.core.builders import CATALOG, request

EVERYWHERE = Scope(None, None)
OPEN = Permit(EVERYWHERE, frozenset(Side), frozenset(Mode), frozenset(Dependencies), delete=True, batch=True)
TOPIC = "requests.north"


def names(*each: str) -> frozenset[str]:
    return frozenset(each)


def declared(**changes: Any) -> Policy:
    return Policy({}, {TOPIC: RequestTopic(TOPIC, replace(OPEN, **changes), ("User:sis",))})


def principal(*rights: Right, scope: Scope = EVERYWHERE, sides: Iterable[Side] = Side) -> Principal:
    return Principal("clerk", (Grant(scope, frozenset(sides), frozenset(rights)),))


DELETE = {"on_state_only": OnStateOnly.DELETE}


@pytest.mark.parametrize(
    ("asked", "permit", "ground", "detail"),
    [
        (request("7"), {"scope": Scope(names("RIVER"), None)}, Ground.DISTRICT, "for this district"),
        (
            request("7", district_id="EAST"),
            {"scope": Scope(names("RIVER"), None)},
            Ground.DISTRICT,
            "for this district",
        ),
        (request("7"), {"scope": Scope(None, names("Behavior"))}, Ground.OBJECT, "for this here: this object"),
        (request("7", object_name="Nothing"), {"scope": Scope(None, names("Person"))}, Ground.OBJECT, "this object"),
        (request("7"), {"sides": frozenset({Side.STATE})}, Ground.SIDE, "side DISTRICT"),
        (request("7", mode=Mode.FORCE), {"modes": frozenset({Mode.SYNC})}, Ground.MODE, "mode FORCE"),
        (request("7"), {"modes": frozenset({Mode.VERIFY})}, Ground.MODE, "mode SYNC"),
        (request("7", mode=Mode.VERIFY), {"modes": frozenset({Mode.SYNC})}, Ground.MODE, "mode VERIFY"),
        (
            request("7", dependencies=Dependencies.PARENTS),
            {"dependencies": frozenset({Dependencies.NONE})},
            Ground.DEPENDENCIES,
            "dependencies PARENTS",
        ),
        (request("7", **DELETE), {"delete": False}, Ground.DELETE, "deletion of what only the state has"),
        (request(selection=All()), {"batch": False}, Ground.BATCH, "a selection other than keys"),
        (request(selection=Filter("x")), {"batch": False}, Ground.BATCH, "a selection other than keys"),
        (
            request("7", mode=Mode.FORCE, **DELETE),
            {"modes": frozenset({Mode.SYNC}), "delete": False},
            Ground.MODE,
            "mode FORCE, deletion of what only the state has",
        ),
    ],
)
def test_a_claim_beyond_a_topic_s_declaration(
    asked: Request, permit: dict[str, Any], ground: Ground, detail: str
) -> None:
    assert topic_refusal(declared(), TOPIC, asked, CATALOG) is None
    why = topic_refusal(declared(**permit), TOPIC, asked, CATALOG)
    assert why is not None
    assert (why.ground, why.detail.endswith(detail)) == (ground, True), why.detail


def test_a_topic_that_is_not_declared_may_say_nothing() -> None:
    why = topic_refusal(declared(), "other", request("7"), CATALOG)
    assert why is not None
    assert why.ground is Ground.UNDECLARED


def test_a_district_that_does_not_exist_is_refused_as_one_that_may_not_be_asked_for() -> None:
    policy = declared(scope=Scope(names("NORTH"), None))
    details = {topic_refusal(policy, TOPIC, request("7", district_id=d), CATALOG) for d in ("RIVER", "NOWHERE")}
    assert len(details) == 1


@pytest.mark.parametrize(
    ("object_name", "dependencies", "reached"),
    [
        ("Enrollment", Dependencies.NONE, ["Enrollment"]),
        ("Behavior", Dependencies.PARENTS, ["Behavior", "Enrollment", "Person"]),
        ("Enrollment", Dependencies.CHILDREN, ["Enrollment", "Behavior", "Sanction"]),
        ("Enrollment", Dependencies.ALL, ["Enrollment", "Person", "Behavior", "Sanction"]),
        ("Nothing", Dependencies.ALL, ["Nothing"]),
    ],
)
def test_rights_hold_for_dependencies_too(object_name: str, dependencies: Dependencies, reached: list[str]) -> None:
    asked = request("7", object_name=object_name, dependencies=dependencies)
    assert touched(asked, CATALOG) == reached
    assert topic_refusal(declared(scope=Scope(None, names(*reached))), TOPIC, asked, CATALOG) is None
    for missing in reached:
        rest = names(*reached) - {missing}
        why = topic_refusal(declared(scope=Scope(None, rest)), TOPIC, asked, CATALOG)
        assert why is not None
        assert why.ground is Ground.OBJECT
        assert why.detail.endswith("this object" if missing == object_name else f"its relative {missing}")


@pytest.mark.parametrize(
    ("asked", "needed"),
    [
        (request("7"), {Right.SYNC}),
        (request("7", mode=Mode.VERIFY), {Right.SYNC}),
        (request("7", mode=Mode.FORCE), {Right.SYNC, Right.FORCE}),
        (request("7", **DELETE), {Right.SYNC, Right.DELETE}),
        (request(selection=All()), {Right.SYNC, Right.BATCH}),
    ],
)
def test_what_a_person_needs(asked: Request, needed: set[Right]) -> None:
    assert principal_refusal(principal(Right.SEE, *needed), asked, CATALOG) is None
    for missing in needed:
        assert principal_refusal(principal(*(set(Right) - {missing})), asked, CATALOG) is not None


def test_grants_of_a_person_do_not_lend_each_other_rights() -> None:
    north = Grant(Scope(names("NORTH"), None), frozenset(Side), frozenset({Right.SEE, Right.SYNC, Right.FORCE}))
    river = replace(north, scope=Scope(names("RIVER"), None), rights=frozenset({Right.SEE, Right.SYNC}))
    clerk = Principal("clerk", (north, river))
    forced = request("7", mode=Mode.FORCE)
    assert principal_refusal(clerk, forced, CATALOG) is None
    assert principal_refusal(clerk, replace(forced, district_id="RIVER"), CATALOG) is not None


def test_objects_of_one_request_may_be_allowed_by_different_grants() -> None:
    one = Grant(Scope(None, names("Person")), frozenset(Side), frozenset({Right.SEE, Right.SYNC}))
    other = replace(one, scope=Scope(None, names("Enrollment")))
    asked = request("7", object_name="Enrollment", dependencies=Dependencies.PARENTS)
    assert principal_refusal(Principal("clerk", (one, other)), asked, CATALOG) is None
    assert principal_refusal(Principal("clerk", (other,)), asked, CATALOG) is not None


@pytest.mark.parametrize(
    ("may", "right"), [(may_see, Right.SEE), (may_see_values, Right.SEE_VALUES), (may_clear, Right.CLEAR)]
)
def test_seeing_and_clearing_are_by_district_and_object(may: Any, right: Right) -> None:
    somebody = principal(right, scope=Scope(names("NORTH"), names("Person")), sides=[Side.STATE])
    assert may(somebody, "NORTH", "Person")
    assert not may(somebody, "RIVER", "Person")
    assert not may(somebody, "NORTH", "Enrollment")
    assert not may(principal(*(set(Right) - {right})), "NORTH", "Person")
    assert scopes(somebody, right) == (Scope(names("NORTH"), names("Person")),)


def test_a_token_says_who_somebody_is() -> None:
    hashes = {name: sha256(f"token of {name}".encode()).hexdigest() for name in ("a", "b")}
    policy = Policy({name: Principal(name, (), ("0" * 64, text)) for name, text in hashes.items()}, {})
    for name in ("a", "b"):
        found = identify(policy, f"token of {name}")
        assert found is not None
        assert found.name == name
    for wrong in ("", "token of c", hashes["a"], "token of a ", "\udc80"):
        assert identify(policy, wrong) is None


def test_the_default_topic_is_read_even_if_it_is_not_declared() -> None:
    assert request_topics(None, "resync.requests") == ["resync.requests"]
    assert request_topics(declared(), "resync.requests") == ["resync.requests", TOPIC]
    assert request_topics(declared(), TOPIC) == [TOPIC]


DISTRICTS = ("NORTH", "RIVER", "NOWHERE")
SOME_NAMES = st.none() | st.frozensets(st.sampled_from(DISTRICTS))
SOME_OBJECTS = st.none() | st.frozensets(st.sampled_from([*CATALOG.objects, "Nothing"]))
SCOPES = st.builds(Scope, SOME_NAMES, SOME_OBJECTS)
PERMITS = st.builds(
    Permit,
    SCOPES,
    st.frozensets(st.sampled_from(Side)),
    st.frozensets(st.sampled_from(Mode)),
    st.frozensets(st.sampled_from(Dependencies)),
    st.booleans(),
    st.booleans(),
)
GRANTS = st.builds(Grant, SCOPES, st.frozensets(st.sampled_from(Side)), st.frozensets(st.sampled_from(Right)))
REQUESTS = st.builds(
    Request,
    st.just("0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"),
    st.sampled_from(DISTRICTS),
    st.sampled_from([*CATALOG.objects, "Nothing"]),
    st.sampled_from([Keys(("7",)), All(), Filter("x")]),
    st.just("clerk"),
    st.sampled_from(Mode),
    st.sampled_from(Dependencies),
    st.sampled_from(OnStateOnly),
    requested_from=st.sampled_from(Side),
)


def allowed(grants: Iterable[Grant], asked: Request) -> bool:
    return principal_refusal(Principal("clerk", tuple(grants)), asked, CATALOG) is None


@given(st.lists(GRANTS, min_size=1, max_size=3), REQUESTS, st.data())
def test_taking_a_right_away_never_allows_more(grants: list[Grant], asked: Request, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(grants) - 1))
    changed = data.draw(st.sampled_from([None, *sorted(less(grants[index]), key=repr)]))
    fewer = [*grants[:index], *([] if changed is None else [changed]), *grants[index + 1 :]]
    assert allowed(grants, asked) or not allowed(fewer, asked)
    before, after = Principal("clerk", tuple(grants)), Principal("clerk", tuple(fewer))
    for may in (may_see, may_clear):
        place = (asked.district_id, asked.object)
        assert may(before, *place) or not may(after, *place)


def less(grant: Grant) -> set[Grant]:
    """The grant with one thing taken away."""
    scope = grant.scope
    return {
        *(replace(grant, rights=grant.rights - {right}) for right in grant.rights),
        *(replace(grant, sides=grant.sides - {side}) for side in grant.sides),
        *(replace(grant, scope=replace(scope, districts=scope.districts - {d})) for d in scope.districts or ()
          if scope.districts is not None),
        *(replace(grant, scope=replace(scope, objects=scope.objects - {o})) for o in scope.objects or ()
          if scope.objects is not None),
        *([replace(grant, scope=replace(scope, districts=names("NORTH")))] if scope.districts is None else []),
        *([replace(grant, scope=replace(scope, objects=names("Person")))] if scope.objects is None else []),
    }  # fmt: skip


@given(PERMITS, REQUESTS)
def test_what_a_topic_allows_is_what_it_says_and_nothing_more(permit: Permit, asked: Request) -> None:
    """The same in other words, object by object."""
    policy = Policy({}, {TOPIC: RequestTopic(TOPIC, permit, ())})
    said = (
        all(permit.scope.covers(asked.district_id, name) for name in touched(asked, CATALOG))
        and asked.requested_from in permit.sides
        and asked.mode in permit.modes
        and asked.dependencies in permit.dependencies
        and (permit.delete or asked.on_state_only is not OnStateOnly.DELETE)
        and (permit.batch or isinstance(asked.selection, Keys))
    )
    assert (topic_refusal(policy, TOPIC, asked, CATALOG) is None) == said


@given(st.lists(GRANTS, max_size=3), REQUESTS)
def test_a_refusal_names_no_district(grants: list[Grant], asked: Request) -> None:
    why = principal_refusal(Principal("clerk", tuple(grants)), asked, CATALOG)
    assert why is None or not any(name in why.detail for name in DISTRICTS)


@given(GRANTS)
def test_only_the_right_to_sync_gives_a_permit(grant: Grant) -> None:
    assert bool(permits_of(Principal("clerk", (grant,)))) == (Right.SYNC in grant.rights)


def test_every_right_but_seeing_needs_another_one() -> None:
    assert set(NEEDS) == set(Right) - {Right.SEE}


def test_what_somebody_may_clear_is_also_what_the_topic_lets_clear() -> None:
    clearer = Principal(
        "clerk",
        (
            Grant(Scope(names("NORTH", "LAKE"), None), frozenset(Side), frozenset({Right.SEE, Right.CLEAR})),
            Grant(EVERYWHERE, frozenset(Side), frozenset({Right.SEE})),
        ),
    )
    control = {
        "all": ControlTopic("all", EVERYWHERE, ()),
        "north": ControlTopic("north", Scope(names("NORTH"), names("Person", "School")), ()),
        "river": ControlTopic("river", Scope(names("RIVER"), None), ()),
    }
    policy = Policy({}, {}, control=control)

    def pairs(topic: str) -> list[tuple[str | None, str | None]]:
        return [pair for scope in clearable(policy, clearer, topic) for pair in scope.pairs()]

    assert pairs("all") == [("LAKE", None), ("NORTH", None)]
    assert pairs("north") == [("NORTH", "Person"), ("NORTH", "School")]
    assert pairs("river") == pairs("undeclared") == []
