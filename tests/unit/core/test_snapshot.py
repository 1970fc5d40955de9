from datetime import timedelta

from processor.core.snapshot import UNREAD, DistrictRead, DistrictVersion, Observed, SameRead, SideRead, Snapshot
from tests.unit.core.builders import READ_AT, VERSION, ours, theirs

LATER = READ_AT + timedelta(seconds=1)


def test_a_key_keeps_its_first_observation() -> None:
    """One batch decides about a key once: a second read would have to replace both sides and every decision."""
    snapshot = Snapshot("NORTH")
    snapshot.add("Person", ["7"], DistrictRead({"7": (ours(),)}, READ_AT, VERSION), SideRead({}, READ_AT))
    newer = DistrictVersion(VERSION.epoch, VERSION.xmax + 1, 0)
    later = DistrictRead({"7": (ours(lastName="A"),)}, LATER, newer), SideRead({"7": (theirs(),)}, LATER)
    snapshot.add("Person", ["7", "8"], *later)
    assert snapshot.get("Person", "7") == Observed((ours(),), (), VERSION, READ_AT, READ_AT)
    assert snapshot.get("Person", "8") == Observed((), (), newer, LATER, LATER)


def test_what_was_not_asked_for_was_not_observed() -> None:
    """A row that comes along by accident says nothing about the other side."""
    snapshot = Snapshot("NORTH")
    read = DistrictRead({"7": (ours(),), "9": (ours(),)}, READ_AT, VERSION), SideRead({}, READ_AT)
    snapshot.add("Person", ["7"], *read)
    assert snapshot.get("Person", "9") is None
    assert snapshot.get("Enrollment", "7") is None


def test_a_key_that_is_the_same_has_a_row_on_each_side_and_keeps_its_first_observation() -> None:
    snapshot = Snapshot("NORTH")
    snapshot.add("Person", ["7"], DistrictRead({"7": (ours(),)}, READ_AT, VERSION), SideRead({}, READ_AT))
    snapshot.add_same("Person", SameRead(["7", "8"], VERSION, READ_AT, LATER))
    snapshot.add("Person", ["8"], DistrictRead({}, READ_AT, VERSION), SideRead({}, READ_AT))
    assert snapshot.get("Person", "7") == Observed((ours(),), (), VERSION, READ_AT, READ_AT)
    assert snapshot.get("Person", "8") == Observed((UNREAD,), (UNREAD,), VERSION, READ_AT, LATER, is_same=True)


def test_versions_order_reads() -> None:
    newest, newer, newest_of_old, old = versions = (
        DistrictVersion(epoch=2, xmax=5, in_progress=9),
        DistrictVersion(epoch=1, xmax=101, in_progress=9),
        DistrictVersion(epoch=1, xmax=100, in_progress=2),
        DistrictVersion(epoch=1, xmax=100, in_progress=3),
    )
    assert sorted(versions, key=lambda version: version.order) == [old, newest_of_old, newer, newest]
