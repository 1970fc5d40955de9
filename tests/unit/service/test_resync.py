from typing import Any

import pytest

from processor.core.errors import Reason
from processor.core.model import Dependencies, Status
from processor.core.snapshot import Row
from processor.service.resync import lineage, observe, resync
from tests.unit.core.builders import (
    BEHAVIOR,
    CATALOG,
    ENROLLMENT,
    NOW,
    SANCTION,
    chunk,
    ours,
    outcomes,
    row,
    theirs,
)
from tests.unit.service.databases import Databases, Target

PARENTS = {"dependencies": Dependencies.PARENTS}


def line(district: str = "NORTH") -> dict[Target, dict[str, tuple[Row, ...]]]:
    """A sanction and its three ancestors."""
    return {
        (district, "Person"): {"1": (ours(),)},
        (district, "Enrollment"): {"2": (row(ENROLLMENT, personID="1", grade="9"),)},
        (district, "Behavior"): {"3": (row(BEHAVIOR, enrollmentID="2", code="a"),)},
        (district, "Sanction"): {"4": (row(SANCTION, behaviorID="3", days="1"),)},
    }


def test_keys_of_a_batch_are_read_together_and_each_once() -> None:
    databases = Databases()
    chunks = [
        chunk("7", "8"),
        chunk("8", "9", request_id="other"),
        chunk("7", object_name="Enrollment"),
        chunk("7", district_id="RIVER"),
    ]
    observe(chunks, databases, CATALOG)
    assert databases.asked == [
        {("NORTH", "Person"): ["7", "8", "9"], ("NORTH", "Enrollment"): ["7"], ("RIVER", "Person"): ["7"]}
    ]


def test_nothing_is_read_for_nothing() -> None:
    databases = Databases()
    assert observe([], databases, CATALOG).snapshots == {}
    assert databases.asked == []


def test_parents_are_read_level_by_level() -> None:
    databases = Databases(line() | line("RIVER"))
    chunks = [chunk("4", object_name="Sanction", district_id=name, **PARENTS) for name in ("NORTH", "RIVER")]
    seen = observe(chunks, databases, CATALOG)
    assert databases.asked == [
        {("NORTH", "Sanction"): ["4"], ("RIVER", "Sanction"): ["4"]},
        {("NORTH", "Behavior"): ["3"], ("RIVER", "Behavior"): ["3"]},
        {("NORTH", "Enrollment"): ["2"], ("RIVER", "Enrollment"): ["2"]},
        {("NORTH", "Person"): ["1"], ("RIVER", "Person"): ["1"]},
    ]
    plan = resync(chunks, seen, CATALOG, NOW)
    objects = ["Person", "Enrollment", "Behavior", "Sanction"]
    assert [(c.source.district_id, c.source.object) for c in plan.corrections] == [
        (name, each) for name in ("NORTH", "RIVER") for each in objects
    ]


def test_chunks_are_decided_in_their_order() -> None:
    keys = ["3", "1", "2"]
    chunks = [chunk(key, chunk=f"0.{key}") for key in keys]
    plan = resync(chunks, observe(chunks, Databases(), CATALOG), CATALOG, NOW)
    assert [o.key for o in outcomes(plan)] == keys


def test_districts_are_never_mixed_up() -> None:
    """The same personID occurs in two districts."""
    databases = Databases(
        district={("NORTH", "Person"): {"7": (ours(),)}, ("RIVER", "Person"): {"7": (ours(lastName="Other"),)}},
        state={("NORTH", "Person"): {"7": (theirs(),)}, ("RIVER", "Person"): {"7": (theirs(),)}},
    )
    chunks = [chunk("7"), chunk("7", district_id="RIVER")]
    plan = resync(chunks, observe(chunks, databases, CATALOG), CATALOG, NOW)
    assert [(o.district_id, o.status) for o in outcomes(plan)] == [("NORTH", Status.IN_SYNC), ("RIVER", Status.SENT)]


@pytest.mark.parametrize(
    ("away", "deferred"),
    [
        ([("NORTH", "Sanction")], True),
        ([("NORTH", "Person")], True),
        ([("RIVER", "Sanction")], False),
        ([("NORTH", "Unrelated")], False),
    ],
)
def test_a_chunk_waits_for_all_that_it_needs_and_for_nothing_else(away: list[Target], deferred: bool) -> None:  # noqa: FBT001
    databases = Databases(line(), away=set(away))
    chunks = [chunk("4", object_name="Sanction", **PARENTS)]
    plan = resync(chunks, observe(chunks, databases, CATALOG), CATALOG, NOW)
    assert (len(plan.retries), len(plan.corrections)) == ((1, 0) if deferred else (0, 4))


def test_a_dead_district_delays_no_other() -> None:
    databases = Databases(away={("NORTH", "Person"), ("NORTH", "Enrollment")})
    asks: list[tuple[str, dict[str, Any]]] = [("NORTH", {}), ("RIVER", {}), ("NORTH", {"object_name": "Enrollment"})]
    chunks = [chunk("7", district_id=name, **more) for name, more in asks]
    plan = resync(chunks, observe(chunks, databases, CATALOG), CATALOG, NOW)
    assert [(o.district_id, o.status, o.reason, o.detail) for o in outcomes(plan)] == [
        ("NORTH", Status.DEFERRED, Reason.SNAPSHOT_UNAVAILABLE, "district NORTH: away"),
        ("RIVER", Status.NOT_FOUND, None, None),
        ("NORTH", Status.DEFERRED, Reason.SNAPSHOT_UNAVAILABLE, "district NORTH: away"),
    ]
    assert [each.district_id for each in plan.retries] == ["NORTH", "NORTH"]
    assert len(databases.asked) == 1, "it is not asked again for parents"


def test_lineage_goes_upward() -> None:
    assert lineage("Sanction", CATALOG) == ["Sanction", "Behavior", "Enrollment", "Person"]
    assert lineage("Person", CATALOG) == ["Person"]
