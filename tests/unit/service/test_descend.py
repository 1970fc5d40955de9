"""What hangs below the named keys comes along, in order, or stands in the way."""

from dataclasses import replace

from processor.core.catalog import Catalog
from processor.core.chunk import Chunk
from processor.core.errors import Reason
from processor.core.history import ChunkState, ChunkStatus, RequestState, RequestStatus, Status
from processor.core.plan import Plan
from processor.core.request import Dependencies, OnStateOnly, Request
from processor.service.descend import descend
from processor.service.intake import Intake, Unfolded, take_request
from processor.service.resync import observe, resync
from tests.unit.core.builders import CATALOG, NOW, catalog, chunk, outcomes, request
from tests.unit.service.databases import Databases

CHILDREN = request("1", dependencies=Dependencies.CHILDREN)


def below() -> Databases:
    """Person 1 has enrollments 11 and 12; behavior 111 hangs below 11, sanction 1111 below that."""
    return Databases(
        below={
            ("NORTH", "Enrollment", "1"): ["12", "11"],
            ("NORTH", "Behavior", "11"): ["111"],
            ("NORTH", "Sanction", "111"): ["1111"],
        }
    )


def taken(asked: Request, databases: Databases, known: Catalog = CATALOG) -> Intake:
    intake = Intake()
    take_request(asked, known, intake, NOW)
    descend(intake, databases, known, NOW)
    return intake


def shape(chunks: list[Chunk]) -> list[tuple[str, list[str]]]:
    return [(c.object, [ask.key for ask in c.asks]) for c in chunks]


def request_status(intake: Intake) -> RequestStatus:
    (status,) = [record for record in intake.plan.history if isinstance(record, RequestStatus)]
    return status


def test_descendants_follow_their_parents_and_were_not_asked_for() -> None:
    intake = taken(CHILDREN, below())
    assert shape(intake.chunks) == [
        ("Person", ["1"]),
        ("Enrollment", ["11", "12"]),
        ("Behavior", ["111"]),
        ("Sanction", ["1111"]),
    ]
    assert {c.dependencies for c in intake.chunks} == {Dependencies.NONE}
    assert [ask.asked_as for c in intake.chunks for ask in c.asks] == ["1", None, None, None, None]
    assert len({c.chunk for c in intake.chunks}) == 4
    assert (request_status(intake).state, request_status(intake).keys) == (RequestState.ACCEPTED, 1)


def test_what_cannot_be_a_key_ends_and_stops_nothing() -> None:
    databases = Databases(below={("NORTH", "Enrollment", "1"): ["012", "x", "11"]})
    intake = taken(CHILDREN, databases)
    assert shape(intake.chunks) == [("Person", ["1"]), ("Enrollment", ["11", "12"])]
    (outcome,) = outcomes(intake.plan)
    assert (outcome.object, outcome.status, outcome.reason) == ("Enrollment", Status.FAILED, Reason.INVALID_KEY)
    assert outcome.key.startswith("!")
    assert outcome.asked_as is None, "nobody named it"


def test_a_family_cut_after_a_district_was_away_ends() -> None:
    known = catalog(max_keys=2)
    databases = Databases(below={("NORTH", "Enrollment", "1"): ["11", "12", "13"]}, away={("NORTH", "Enrollment")})
    (retry,) = taken(CHILDREN, databases, known).plan.retries
    databases.away.clear()
    again = Intake(unfolded=[Unfolded(Plan(), retry, None)])
    descend(again, databases, known, NOW)
    announced = [h.chunk for h in again.plan.history if isinstance(h, ChunkStatus)]
    assert len(announced) == 3
    ended = resync(observe(again.plan.chunks, databases, known), known, NOW)
    assert sorted(h.chunk for h in ended.history if isinstance(h, ChunkStatus)) == sorted(announced)


def test_a_family_member_that_is_away_is_told_to_wait() -> None:
    """Else the request would seem to have ended with its named keys."""
    databases = below()
    databases.away.add(("NORTH", "Enrollment"))
    (retry,) = taken(CHILDREN, databases).plan.retries
    databases.away.clear()
    again = Intake(unfolded=[Unfolded(Plan(), retry, None)])
    descend(again, databases, CATALOG, NOW)
    databases.away.add(("NORTH", "Sanction"))
    plan = resync(observe(again.chunks, databases, CATALOG), CATALOG, NOW)
    assert [(o.key, o.status) for o in outcomes(plan) if o.object == "Sanction"] == [("1111", Status.DEFERRED)]


def test_a_family_is_told_of_before_the_keys_that_were_named() -> None:
    """Whoever reads the history batch by batch never sees all named keys ended and nothing of what came along."""
    intake = taken(CHILDREN, below())
    plan = resync(observe(intake.chunks, below(), CATALOG), CATALOG, NOW)
    assert [o.asked_as for o in outcomes(plan)] == [None, None, None, None, "1"]


def test_with_all_only_the_named_keys_look_upward() -> None:
    intake = taken(replace(CHILDREN, dependencies=Dependencies.ALL), below())
    assert [c.dependencies for c in intake.chunks] == [Dependencies.PARENTS, *[Dependencies.NONE] * 3]


def test_more_than_may_come_along_rejects_the_request_with_the_count() -> None:
    intake = taken(CHILDREN, below(), catalog(max_keys_by_dependency=3))
    status = request_status(intake)
    assert (status.state, status.reason, intake.chunks) == (RequestState.REJECTED, Reason.TOO_MANY_KEYS, [])
    assert status.detail is not None
    assert status.detail.startswith("4 records hang below the named ones; a request takes at most 3 along")


def test_a_family_too_large_for_one_transaction_comes_in_parts_in_the_same_order() -> None:
    intake = taken(CHILDREN, below(), catalog(max_keys=2))
    assert intake.chunks == []
    assert shape(intake.plan.chunks) == [
        ("Person", ["1"]),
        ("Enrollment", ["11", "12"]),
        ("Behavior", ["111"]),
        ("Sanction", ["1111"]),
    ]
    pending = [record for record in intake.plan.history if isinstance(record, ChunkStatus)]
    assert [(p.chunk, p.state) for p in pending] == [(c.chunk, ChunkState.PENDING) for c in intake.plan.chunks]


def test_a_family_that_may_be_deleted_must_fit_in_one_transaction() -> None:
    intake = taken(replace(CHILDREN, on_state_only=OnStateOnly.DELETE), below(), catalog(max_keys=2))
    assert (request_status(intake).state, request_status(intake).reason) == (
        RequestState.REJECTED,
        Reason.TOO_MANY_KEYS,
    )


def test_more_named_keys_than_one_transaction_takes_cannot_have_descendants() -> None:
    asked = request("1", "2", "3", dependencies=Dependencies.CHILDREN)
    assert request_status(taken(asked, below(), catalog(max_keys=2))).reason is Reason.TOO_MANY_KEYS


def test_while_a_database_is_away_the_named_keys_wait_and_are_unfolded_later() -> None:
    databases = below()
    databases.away.add(("NORTH", "Behavior"))
    intake = taken(CHILDREN, databases)
    assert request_status(intake).state is RequestState.ACCEPTED
    assert [o.status for o in outcomes(intake.plan)] == [Status.DEFERRED]
    (waiting,) = intake.plan.retries
    assert waiting.dependencies is Dependencies.CHILDREN

    databases.away.clear()
    later = Intake(unfolded=[Unfolded(Intake().plan, waiting, None)])
    descend(later, databases, CATALOG, NOW)
    assert [name for name, _ in shape(later.chunks)] == ["Person", "Enrollment", "Behavior", "Sanction"]


def test_too_many_found_only_later_fail_the_named_keys_with_the_count() -> None:
    known = catalog(max_keys_by_dependency=3)
    waiting = chunk("1", dependencies=Dependencies.CHILDREN)
    later = Intake(unfolded=[Unfolded(Intake().plan, waiting, None)])
    descend(later, below(), known, NOW)
    [outcome] = outcomes(later.plan)
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.TOO_MANY_KEYS)
    assert outcome.detail is not None
    assert outcome.detail.startswith("4 records hang below the named ones; a request takes at most 3 along")


def test_a_child_whose_table_lacks_a_column_ends_the_named_keys_at_once() -> None:
    intake = taken(CHILDREN, Databases(lacking={("NORTH", "Enrollment")}))
    assert request_status(intake).state is RequestState.ACCEPTED
    assert [(o.key, o.status, o.reason, o.detail) for o in outcomes(intake.plan)] == [
        ("1", Status.FAILED, Reason.SNAPSHOT_UNAVAILABLE, "district NORTH: no such column")
    ]
    assert (intake.plan.retries, intake.chunks) == ([], [])
