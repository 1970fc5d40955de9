"""The guard: what passes by itself, what has to be released, and that parking loses no key."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.core.catalog import Limits
from processor.core.chunk import Stage
from processor.core.correction import Correction, Op
from processor.core.errors import Reason
from processor.core.guard import (
    MAX_SAMPLES,
    changes,
    decide,
    deletes,
    guard_of,
    is_beyond,
    least_guard,
    merged,
    plan_counts,
    stage_of_parts,
)
from processor.core.history import Guard, PlanCounts, Planned, RequestState, RequestStatus, Sample
from processor.core.request import Dependencies, Mode
from tests.unit.core.builders import World, catalog, chunk, ours, request, theirs

LIMITS = Limits()


@pytest.mark.parametrize(
    ("limits", "rows", "guard"),
    [
        (Limits(), 0, Guard(100, 0)),
        (Limits(), 300, Guard(100, 0)),
        (Limits(), 4_000, Guard(1_000, 0)),
        (Limits(), 1_000_000, Guard(10_000, 0)),
        (Limits(hold_changes=50, hold_deletes=7), 1_000_000, Guard(50, 7)),
        (Limits(hold_share=1.0), 10, Guard(10_000, 0)),
        (Limits(hold_share=0.0), 1_000_000, Guard(100, 0)),
    ],
)
def test_changes_pass_up_to_a_number_and_a_share(limits: Limits, rows: int, guard: Guard) -> None:
    assert guard_of(limits, rows) == guard


def test_more_than_the_guard_is_held_and_as_many_are_not() -> None:
    plan = PlanCounts((Planned("Person", Op.UPDATE, None, 3), Planned("Person", Op.DELETE, None, 2)))
    assert (changes(plan), deletes(plan)) == (5, 2)
    assert not is_beyond(plan, Guard(5, 2))
    assert is_beyond(plan, Guard(4, 2))
    assert is_beyond(plan, Guard(5, 1))


def test_a_plan_counts_by_object_operation_and_field() -> None:
    held = World(
        {("Person", "1"): (ours(lastName="Else"),), ("Person", "2"): (ours(),)},
        {("Person", "1"): (theirs(),)},
    )
    found = plan_counts(held.decide(chunk("1", "2")).corrections)
    assert found == PlanCounts(
        (
            Planned("Person", Op.CREATE, None, 1),
            Planned("Person", Op.UPDATE, None, 1),
            Planned("Person", Op.UPDATE, "lastName", 1),
        ),
        (Sample("Person", Op.CREATE, "2"), Sample("Person", Op.UPDATE, "1")),
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=4))
def test_parts_add_up_to_the_plan_of_the_whole(sizes: list[int]) -> None:
    keys = [[f"{part}{n:03}".lstrip("0") or "0" for n in range(size)] for part, size in enumerate(sizes, 1)]
    held = World({("Person", key): (ours(),) for part in keys for key in part}, {})
    parts = [held.decide(chunk(*part)).corrections for part in keys]
    together = merged(plan_counts(part) for part in parts)
    assert together == plan_counts(correction for part in parts for correction in part)
    assert changes(together) == sum(sizes)
    assert len(together.samples) == min(MAX_SAMPLES, sum(sizes))


KINDS = st.tuples(st.sampled_from(["Enrollment", "Person"]), st.sampled_from(list(Op)))
CHANGES = st.lists(st.lists(st.tuples(KINDS, st.integers(1, 500).map(str)), max_size=60), min_size=1, max_size=5)


def planned(changes_of_part: list[tuple[tuple[str, Op], str]]) -> PlanCounts:
    return plan_counts(change(name, op, key) for (name, op), key in changes_of_part)


def change(name: str, op: Op, key: str) -> Correction:
    (made,) = World({("Person", key): (ours(),)}, {}).decide(chunk(key)).corrections
    return replace(made, op=op, source=replace(made.source, object=name, changed_fields=()))


@settings(max_examples=50, deadline=None)
@given(CHANGES, st.randoms(use_true_random=False))
def test_samples_tell_of_each_object_and_operation_whatever_the_order(
    parts: list[list[tuple[tuple[str, Op], str]]], random: Random
) -> None:
    found = merged(map(planned, parts))
    whole = [each for part in parts for each in part]
    sizes = Counter(kind for kind, _ in whole)
    named = Counter((sample.object, sample.op) for sample in found.samples)
    assert sum(named.values()) == min(MAX_SAMPLES, len(whole))
    assert named.keys() == sizes.keys()
    least = min((named[kind] for kind in sizes if named[kind] < sizes[kind]), default=MAX_SAMPLES)
    assert all(number <= least + 1 for number in named.values()), "none has room that another lacks"
    is_delete = [sample.op is Op.DELETE for sample in found.samples]
    assert is_delete == sorted(is_delete, reverse=True)
    random.shuffle(whole)
    random.shuffle(parts)
    assert found == planned(whole) == merged(map(planned, parts))


def test_few_deletions_among_many_changes_are_named() -> None:
    plan = planned([(("Person", Op.CREATE), str(key)) for key in range(1, 200)] + [(("Person", Op.DELETE), "900")])
    assert plan.samples[0] == Sample("Person", Op.DELETE, "900")
    assert [sample.key for sample in plan.samples[1:]] == [str(key) for key in range(1, MAX_SAMPLES)]


@pytest.mark.parametrize(
    ("mode", "keys", "stage"),
    [
        (Mode.VERIFY, 1_000_000, Stage.GUARDED),
        (Mode.SYNC, 100, Stage.RELEASED),
        (Mode.SYNC, 101, Stage.PLAN),
        (Mode.FORCE, 101, Stage.PLAN),
    ],
)
def test_only_what_could_be_beyond_the_guard_is_planned_first(mode: Mode, keys: int, stage: Stage) -> None:
    alone = Dependencies.NONE
    assert stage_of_parts(mode, alone, keys, LIMITS) is stage
    assert stage_of_parts(mode, alone, keys, replace(LIMITS, hold_share=1.0)) is (
        Stage.GUARDED if mode is Mode.VERIFY else Stage.RELEASED if keys <= 10_000 else Stage.PLAN
    )
    for with_parents in (Dependencies.PARENTS, Dependencies.ALL):
        found = stage_of_parts(mode, with_parents, keys, LIMITS)
        assert found is (Stage.GUARDED if mode is Mode.VERIFY else Stage.PLAN), "nobody knows how many parents go along"
    assert least_guard(catalog(hold_changes=5).limits).changes == 5


NOW = datetime(2026, 8, 1, tzinfo=UTC)
PERSONS, CHILDREN = Guard(10, 2), Guard(4, 1)
BOTH = {"Person": PERSONS, "Enrollment": CHILDREN}


def of(persons: int, children: int = 0, deletes: int = 0) -> PlanCounts:
    counts = (
        Planned("Person", Op.UPDATE, None, persons),
        Planned("Person", Op.UPDATE, "lastName", persons),
        Planned("Enrollment", Op.CREATE, None, children),
        Planned("Person", Op.DELETE, None, deletes),
    )
    return PlanCounts(tuple(each for each in counts if each.keys))


@pytest.mark.parametrize(
    ("plan", "guards", "guard", "detail"),
    [
        (PlanCounts(), BOTH, Guard(10, 1), None),
        (of(6, 4), BOTH, Guard(10, 1), None),
        (of(8, 2), {"Person": PERSONS}, PERSONS, None),
        (of(8, 3), {"Person": PERSONS}, PERSONS, "it would change 11 records; without a release at most 10 pass"),
        (of(8, 3), BOTH, Guard(10, 1), "it would change 11 records; without a release at most 10 pass"),
        (of(0, 5), BOTH, Guard(4, 1), "it would change 5 records of Enrollment; without a release at most 4 pass"),
        (of(1, 0, 2), BOTH, Guard(10, 1), "it would delete 2 records; without a release at most 1 pass"),
        (
            of(10, 0, 3),
            {"Person": PERSONS},
            PERSONS,
            (
                "it would delete 3 records; without a release at most 2 pass; "
                "it would change 13 records of Person; without a release at most 10 pass"
            ),
        ),
    ],
)
def test_what_is_beyond_is_told_by_number_and_limit(
    plan: PlanCounts, guards: Mapping[str, Guard], guard: Guard, detail: str | None
) -> None:
    asked = RequestStatus(request(), RequestState.ACCEPTED, None, None, 0, NOW)
    found = decide(asked, plan, guards, NOW)
    state = RequestState.ACCEPTED if detail is None else RequestState.HELD
    reason = None if detail is None else Reason.MASS_CHANGE
    assert found == replace(asked, state=state, reason=reason, detail=detail, guard=guard, planned=plan)
