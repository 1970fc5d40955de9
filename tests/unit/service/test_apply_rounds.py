from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.correction import Correction, Op
from processor.service.apply_rounds import Group, record_of, reference_fields, rounds
from tests.integration.applier.catalog import CATALOG, ENROLLMENT
from tests.integration.applier.world import create, delete, update

A = {"lastName": "A"}


def groups(*corrections: Correction) -> list[tuple[str, Op, list[str]]]:
    made = rounds(corrections, CATALOG)
    return [(group.object_type.name, group.op, [c.source.key for c in group.corrections]) for group in made]


def test_an_empty_batch_has_no_rounds() -> None:
    assert groups() == []


def test_parents_go_first_and_alike_go_together() -> None:
    assert groups(
        create("Behavior", "b", {"enrollmentID": "1"}),
        create("Enrollment", "1", {"personID": "7"}),
        create("Enrollment", "2", {"personID": "9"}),
        create("Person", "7", A),
        create("Person", "8", A),
    ) == [
        ("Person", Op.CREATE, ["7", "8"]),
        ("Enrollment", Op.CREATE, ["2"]),
        ("Enrollment", Op.CREATE, ["1"]),
        ("Behavior", Op.CREATE, ["b"]),
    ]


def test_children_are_deleted_first() -> None:
    assert groups(
        delete("Person", "7", A),
        delete("Enrollment", "1", {"personID": "7"}),
        delete("Behavior", "b", {"enrollmentID": "1"}),
        delete("Person", "8", A),
    ) == [
        ("Behavior", Op.DELETE, ["b"]),
        ("Person", Op.DELETE, ["8"]),
        ("Enrollment", Op.DELETE, ["1"]),
        ("Person", Op.DELETE, ["7"]),
    ]


def test_districts_do_not_wait_for_each_other() -> None:
    child = create("Enrollment", "1", {"personID": "7"})
    assert groups(child, create("Person", "7", A, district="RIVER"))[-1] == ("Enrollment", Op.CREATE, ["1"])
    assert [op for _, op, _ in groups(child, create("Person", "7", A, district="RIVER"))] == [Op.CREATE, Op.CREATE]


def test_a_child_does_not_wait_for_a_later_create_when_its_parent_had_an_earlier_turn() -> None:
    batch = [
        create("Person", "7", A),
        create("Enrollment", "1", {"personID": "7"}),
        delete("Enrollment", "1", {"personID": "7"}),
        delete("Person", "7", A),
        create("Person", "7", A),
    ]
    assert [(name, op) for name, op, _ in groups(*batch)] == [(c.source.object, c.op) for c in batch]


def test_a_circle_is_cut_where_it_began() -> None:
    """A child moved under a record that is created below one that is deleted: no order pleases all."""
    batch = [
        delete("Person", "7", A),
        create("Enrollment", "2", {"personID": "7"}),
        update("Behavior", "b", {"enrollmentID": "1"}, {"enrollmentID": "2"}),
        delete("Enrollment", "1", {"personID": "7"}),
    ]
    assert groups(*batch)[0] == ("Person", Op.DELETE, ["7"])
    assert sum(len(keys) for _, _, keys in groups(*batch)) == len(batch)


def test_references_are_the_parent_and_lookups_into_an_objects_table() -> None:
    assert reference_fields(ENROLLMENT, CATALOG) == {"personID": "Person", "mentorID": "Person"}


def corrections() -> st.SearchStrategy[Correction]:
    persons, enrollments = st.sampled_from("12"), st.sampled_from("56")
    parents = persons.map(lambda key: {"personID": key})
    return st.one_of(
        st.builds(create, st.just("Person"), persons, st.just(A)),
        st.builds(delete, st.just("Person"), persons, st.just(A)),
        st.builds(create, st.just("Enrollment"), enrollments, parents),
        st.builds(update, st.just("Enrollment"), enrollments, parents, parents),
        st.builds(delete, st.just("Enrollment"), enrollments, parents),
        st.builds(create, st.just("Behavior"), st.just("b"), enrollments.map(lambda key: {"enrollmentID": key})),
        st.builds(delete, st.just("Behavior"), st.just("b"), enrollments.map(lambda key: {"enrollmentID": key})),
    )


def written(batch: Sequence[Correction]) -> list[Correction]:
    return [correction for group in rounds(batch, CATALOG) for correction in group.corrections]


def place(order: Sequence[Correction], correction: Correction) -> int:
    return next(n for n, other in enumerate(order) if other.source.sent_at == correction.source.sent_at)


@given(st.lists(corrections(), max_size=14))
def test_every_correction_has_its_turn_and_a_key_keeps_its_order(batch: list[Correction]) -> None:
    order = written(batch)

    assert sorted(c.source.sent_at for c in order) == sorted(c.source.sent_at for c in batch)
    for record in {record_of(c) for c in batch}:
        came = [c.source.sent_at for c in batch if record_of(c) == record]
        assert [c.source.sent_at for c in order if record_of(c) == record] == came


@given(st.lists(corrections(), max_size=14))
def test_no_group_has_a_key_twice(batch: list[Correction]) -> None:
    def keys(group: Group) -> list[object]:
        return [record_of(c) for c in group.corrections]

    for group in rounds(batch, CATALOG):
        assert len(set(keys(group))) == len(keys(group))
        assert {(c.op, c.source.object) for c in group.corrections} == {(group.op, group.object_type.name)}


ONCE_EACH = st.lists(corrections(), max_size=8, unique_by=record_of)


@pytest.mark.parametrize("parent_op", [Op.CREATE, Op.DELETE])
@given(batch=ONCE_EACH)
def test_creates_go_down_and_deletes_go_up(parent_op: Op, batch: list[Correction]) -> None:
    """Of keys that have one turn each, which is what one chunk sends."""
    order = written(batch)
    fields = {"Enrollment": ("Person", "personID"), "Behavior": ("Enrollment", "enrollmentID")}
    for child in batch:
        if child.op is not parent_op or child.source.object not in fields:
            continue
        name, field = fields[child.source.object]
        held = (child.after if parent_op is Op.CREATE else child.before) or {}
        for parent in batch:
            if parent.op is parent_op and (parent.source.object, parent.source.key) == (name, held[field]):
                earlier, later = (parent, child) if parent_op is Op.CREATE else (child, parent)
                assert place(order, earlier) < place(order, later)
