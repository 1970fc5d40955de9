"""Scans as the processor takes them on: surveyed first, then a part at a time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from processor.core.accept import FIRST_SIZE
from processor.core.chosen import Chosen
from processor.core.chunk import Chunk, Scan
from processor.core.digest import MAX_ROWS, Digest
from processor.core.errors import CoreError, Reason
from processor.core.history import ChunkState, ChunkStatus, RequestState, RequestStatus, Status
from processor.core.plan import Plan
from processor.core.request import All, Filter, Mode, Report
from processor.core.scan import MAX_LINES, MAX_SIZE, SHRINKAGE, scan_of
from processor.core.window import Disordered, Page
from processor.service.intake import Intake, take_request
from processor.service.ports import SnapshotImpossible, SnapshotUnavailable
from processor.service.scan import decide_part, read_part, survey
from tests.unit.core.builders import CATALOG, NOW, catalog, only_outcome, ours, outcomes, request, theirs
from tests.unit.service.databases import Databases

PATIENT = catalog(chunk_target_s=600.0)
PERSONS = ("NORTH", "Person")


def databases(rows: int = 3) -> Databases:
    keys = [str(n) for n in range(rows)]
    return Databases({PERSONS: {key: (ours(),) for key in keys}}, {PERSONS: {key: (theirs(),) for key in keys}})


def asked(world: Databases) -> Plan:
    intake = Intake()
    whole = replace(request(), selection=All(), mode=Mode.VERIFY, report=Report.CHANGES)
    take_request(whole, CATALOG, intake, NOW)
    survey(intake, world, CATALOG, NOW)
    assert not intake.unsurveyed
    return intake.plan


def status_of(plan: Plan) -> RequestStatus:
    (found,) = [record for record in plan.history if isinstance(record, RequestStatus)]
    return found


def first_part(world: Databases) -> Chunk:
    (part,) = asked(world).chunks
    return part


def test_a_request_for_all_is_announced_with_about_how_many_keys_there_are() -> None:
    plan = asked(databases(7))
    assert status_of(plan).state is RequestState.ACCEPTED
    (part,) = plan.chunks
    assert part.scan == Scan(None, 0, FIRST_SIZE, 7, 10_000)
    (announced,) = [record for record in plan.history if isinstance(record, ChunkStatus)]
    assert (announced.chunk, announced.state, announced.keys) == ("0.0", ChunkState.PENDING, 7)


def test_without_an_index_a_request_is_rejected_with_what_mends_it() -> None:
    world = databases()
    world.without_index = ("state: CREATE INDEX a", "district NORTH: CREATE INDEX b")
    plan = asked(world)
    assert (status_of(plan).state, status_of(plan).reason) == (RequestState.REJECTED, Reason.NO_INDEX)
    assert status_of(plan).detail == "state: CREATE INDEX a; district NORTH: CREATE INDEX b"
    assert plan.chunks == []


def test_a_database_that_was_away_is_surveyed_before_its_first_part() -> None:
    world = databases()
    world.away.add(PERSONS)
    part = first_part(world)
    assert status_of(asked(world)).state is RequestState.ACCEPTED
    assert read_part(part, world, CATALOG).fault is not None
    world.away.clear()
    assert read_part(part, world, CATALOG).equal is not None
    world.without_index = ("state: CREATE INDEX a",)
    outcome = only_outcome(decide_part(read_part(part, world, CATALOG), CATALOG, NOW))
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.NO_INDEX)


def test_rows_are_read_only_where_digests_differ() -> None:
    world = databases(2_000)
    world.state[PERSONS]["450"] = (theirs(lastName="Else"),)
    first = replace(first_part(world), scan=Scan(None, 0, 100, 2_000, 100))
    (second,) = decide_part(read_part(first, world, PATIENT), PATIENT, NOW).chunks
    assert scan_of(second) == Scan("99", 1, 1_600, 1_900), "what digests found equal ends before"
    plan = decide_part(read_part(second, world, PATIENT), PATIENT, NOW)
    (suspects,) = plan.retries
    assert [ask.key for ask in suspects.asks] == ["450"]
    (third,) = plan.chunks
    assert scan_of(third).after == "1699", "as many rows are read as the digest was of"
    assert (scan_of(third).digest, world.digested) == (0, [100, 1_600])


def test_a_part_tries_digests_until_it_has_taken_long_enough() -> None:
    world = databases(2_000)
    first = replace(first_part(world), scan=Scan(None, 0, 100, 2_000, 100))
    plan = decide_part(read_part(first, world, PATIENT), PATIENT, NOW)
    assert (world.digested, plan.chunks) == ([100, 1_600, 25_600], [])
    (done,) = [record for record in plan.history if isinstance(record, ChunkStatus)]
    assert (done.in_sync, done.district_rows, done.state_rows) == (2_000, 2_000, 2_000)
    at_once = catalog(chunk_target_s=0.0)
    (second,) = decide_part(read_part(first, world, at_once), at_once, NOW).chunks
    assert scan_of(second).after == "99"


def test_what_is_equal_is_kept_where_the_rows_after_it_are_not_read_in_time() -> None:
    world = databases(2_000)
    world.slow_above = 100
    first = replace(first_part(world), scan=Scan(None, 0, 100, 2_000, 100))
    plan = decide_part(read_part(first, world, PATIENT), PATIENT, NOW)
    assert (scan_of(plan.chunks[0]).after, plan.retries) == ("99", [])


class Fails(Databases):
    """Gives one digest, and then no more."""

    fault: type[CoreError | SnapshotUnavailable] = SnapshotUnavailable

    def digests(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Digest, Digest] | None:
        if self.digested:
            raise self.fault("broken")
        return Databases.digests(self, district_id, object_name, after, size, chosen)


@pytest.mark.parametrize("fault", [SnapshotUnavailable, SnapshotImpossible, Disordered])
def test_what_is_equal_is_kept_whatever_befalls_the_rows_after_it(fault: type[CoreError | SnapshotUnavailable]) -> None:
    """The next part meets it too, and tells which keys were not compared."""
    whole = databases(2_000)
    world = Fails(whole.district, whole.state)
    world.fault = fault
    first = replace(first_part(world), scan=Scan(None, 0, 100, 2_000, 100))
    plan = decide_part(read_part(first, world, PATIENT), PATIENT, NOW)
    assert (outcomes(plan), plan.retries) == ([], [])
    (done, following) = [record for record in plan.history if isinstance(record, ChunkStatus)][::-1]
    assert (done.in_sync, following.keys) == (100, 1_900)
    after = decide_part(read_part(plan.chunks[0], world, PATIENT), PATIENT, NOW)
    if fault is SnapshotUnavailable:
        assert [scan_of(part).after for part in after.retries] == ["99"]
    else:
        assert only_outcome(after).detail == "all keys after 99 were not compared: broken"


@pytest.mark.parametrize(("where", "size"), [(None, MAX_LINES), ("key >= 0", 1_000)])
def test_rows_that_are_read_after_a_digest_fit_into_memory(where: str | None, size: int) -> None:
    """Those that a filter chooses do not come packed."""
    world = databases(20)
    world.state[PERSONS]["4"] = (theirs(lastName="Else"),)
    part = replace(first_part(world), scan=Scan(None, 0, 1_000, 20, MAX_ROWS, where=where))
    read = read_part(part, world, CATALOG)
    assert read.lines is not None
    assert scan_of(read.chunk).size == size


@pytest.mark.parametrize(("rows", "following"), [(9_999, 0), (10_000, 1), (10_001, 1)])
def test_a_full_page_is_followed_by_another_part(rows: int, following: int) -> None:
    world = databases(rows)
    plan = decide_part(read_part(first_part(world), world, CATALOG), CATALOG, NOW)
    assert outcomes(plan) == []
    assert len(plan.chunks) == following


def test_a_part_that_takes_too_long_is_tried_with_fewer_rows_until_it_is_read() -> None:
    world = databases(50)
    world.slow_above = 1
    part, sizes = first_part(world), []
    for _ in range(3):
        (part,) = decide_part(read_part(part, world, CATALOG), CATALOG, NOW + timedelta(minutes=1)).retries
        sizes.append((scan_of(part).size, scan_of(part).digest))
    assert sizes == [(100, 0), (10, 0), (1, 0)]
    (following,) = decide_part(read_part(part, world, CATALOG), CATALOG, NOW).chunks
    assert following.scan == Scan("0", 1, 100, 49, 100)


class SlowLines(Databases):
    """Digests of all rows come in time, and one of each does not."""

    def lines(
        self, district_id: str, object_name: str, after: str | None, size: int, chosen: Chosen | None = None
    ) -> tuple[Page, Page] | None:
        self.slow_above = 0
        return Databases.lines(self, district_id, object_name, after, size, chosen)


def test_digests_of_rows_shrink_from_the_size_that_they_had() -> None:
    """After one of all rows, of which a part may have many more."""
    world = SlowLines(databases(2_000).district)
    part = replace(first_part(world), scan=Scan(None, 0, 100, 2_000, 1_600))
    (again,) = decide_part(read_part(part, world, CATALOG), CATALOG, NOW).retries
    assert (scan_of(again).size, scan_of(again).digest) == (1_600 // SHRINKAGE, 0)


def test_pages_of_columns_shrink_from_the_size_that_they_had() -> None:
    """After digests of rows, of which a part may have many more."""
    world = databases(50)
    large = replace(first_part(world), scan=Scan(None, 0, MAX_LINES, 50, by_rows=True))
    world.slow_above = MAX_SIZE - 1
    (again,) = decide_part(read_part(large, world, CATALOG), CATALOG, NOW).retries
    assert scan_of(again).size == MAX_SIZE // SHRINKAGE
    world.slow_above = None
    read = replace(read_part(large, world, CATALOG), took_s=PATIENT.limits.chunk_target_s * 2)
    assert read.pages is not None
    full = replace(read, pages=(replace(read.pages[0], is_full=True), read.pages[1]))
    (following,) = decide_part(full, PATIENT, NOW).chunks
    assert scan_of(following).size == pytest.approx(MAX_SIZE / 2, rel=0.01)


def test_what_waiting_does_not_help_fails_at_once() -> None:
    world = databases()
    world.lacking.add(PERSONS)
    plan = decide_part(read_part(first_part(world), world, CATALOG), CATALOG, NOW)
    assert plan.retries == plan.chunks == []
    assert only_outcome(plan).detail == "all keys were not compared: district NORTH: lacks a column"


def test_a_database_that_is_away_for_good_ends_the_scan_for_all_that_is_left() -> None:
    world = databases()
    part = first_part(world)
    world.away.add(PERSONS)
    (part,) = decide_part(read_part(part, world, CATALOG), CATALOG, NOW).retries
    plan = decide_part(read_part(part, world, CATALOG), CATALOG, NOW + timedelta(minutes=15))
    assert plan.retries == plan.chunks == []
    assert only_outcome(plan).reason is Reason.SNAPSHOT_UNAVAILABLE


def of_filter(world: Databases, where: str, mode: Mode = Mode.VERIFY) -> Chunk:
    intake = Intake()
    whole = replace(request(), selection=Filter(where), mode=mode, report=Report.CHANGES)
    take_request(whole, CATALOG, intake, NOW)
    survey(intake, world, CATALOG, NOW)
    (part,) = intake.plan.chunks
    return part


def test_a_filter_goes_on_from_part_to_part() -> None:
    world = databases(3_000)
    world.state[PERSONS]["2500"] = (theirs(lastName="Else"),)
    part = of_filter(world, "key > 2000")
    seen = []
    while True:
        plan = decide_part(read_part(part, world, CATALOG), PATIENT, NOW)
        seen += [ask.key for again in plan.retries for ask in again.asks]
        if not plan.chunks:
            break
        (part,) = plan.chunks
        assert (scan_of(part).where, scan_of(part).year) == ("key > 2000", None)
    assert seen == ["2500"]


def test_by_force_all_that_is_chosen_is_sent_also_after_a_part_without_any() -> None:
    world = databases(3_000)
    part, forced = of_filter(world, "key > 2000", Mode.FORCE), 0
    while True:
        chunks = decide_part(read_part(part, world, CATALOG), PATIENT, NOW).chunks
        forced += sum(len(chunk.asks) for chunk in chunks)
        following = [chunk for chunk in chunks if chunk.scan is not None]
        if not following:
            break
        (part,) = following
    assert (forced, world.digested) == (999, [])


def test_a_filter_that_a_later_catalog_does_not_bear_ends_the_scan_for_all_that_is_left() -> None:
    world = databases()
    part = of_filter(world, "lastName = 'Else'")
    fields = tuple(field for field in CATALOG.objects["Person"].fields if field.name != "lastName")
    later = replace(CATALOG, objects={**CATALOG.objects, "Person": replace(CATALOG.objects["Person"], fields=fields)})
    plan = decide_part(read_part(part, world, later), later, NOW)
    assert plan.chunks == plan.retries == []
    outcome = only_outcome(plan)
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.INVALID_REQUEST)
    assert (outcome.detail or "").startswith("all keys were not compared: filter, position 1: lastName is unknown")
