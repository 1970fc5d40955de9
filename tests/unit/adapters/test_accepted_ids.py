from hypothesis import given
from hypothesis import strategies as st

from processor.adapters.kafka.accepted import AcceptedIds
from tests.unit.adapters.clock import Clock

A, B, C, D = (name * 16 for name in (b"a", b"b", b"c", b"d"))


def test_an_id_is_known_within_the_window() -> None:
    clock = Clock()
    ids = AcceptedIds(60, 10, clock)
    ids.update([A])
    clock.now_s += 59.9
    assert A in ids
    assert B not in ids
    clock.now_s += 0.1
    assert A not in ids


def test_restored_ids_are_as_old_as_their_records() -> None:
    clock = Clock()
    ids = AcceptedIds(60, 10, clock)
    ids.restore([(A, clock.now_s - 60), (B, clock.now_s - 59)])
    assert A not in ids
    assert B in ids


def test_the_oldest_go_first_where_there_are_too_many() -> None:
    ids = AcceptedIds(60, 3, Clock())
    ids.update([A, B, C, D])
    assert [each in ids for each in (A, B, C, D)] == [False, True, True, True]
    assert len(ids) == 3


def test_an_id_seen_again_is_new_again() -> None:
    clock = Clock()
    ids = AcceptedIds(60, 2, clock)
    ids.update([A])
    clock.now_s += 50
    ids.update([B])
    ids.update([A])
    ids.update([C])
    assert [each in ids for each in (A, B, C)] == [True, False, True]
    clock.now_s += 50
    assert A in ids


def test_expired_ids_take_no_room() -> None:
    clock = Clock()
    ids = AcceptedIds(60, 1_000, clock)
    ids.update(number.to_bytes(16, "big") for number in range(100))
    clock.now_s += 60
    ids.update([A])
    assert len(ids) == 1


def test_restoring_begins_from_nothing() -> None:
    ids = AcceptedIds(60, 10, Clock())
    ids.update([A])
    ids.restore([])
    assert A not in ids
    assert len(ids) == 0


def test_restoring_keeps_the_newest_whatever_partition_was_read_first() -> None:
    ids = AcceptedIds(10_000, 3, Clock())
    found = [(number.to_bytes(16, "big"), float(at)) for number, at in enumerate((97, 98, 99, 1, 2, 3, 4, 5, 6, 7))]
    ids.restore(found)
    assert [number for number in range(10) if number.to_bytes(16, "big") in ids] == [0, 1, 2]
    ids.update([A])
    assert [number for number in range(10) if number.to_bytes(16, "big") in ids] == [1, 2], "the oldest goes first"


def test_since_when_ids_are_known_is_when_they_were_restored_or_the_oldest_of_them() -> None:
    clock = Clock()
    ids = AcceptedIds(60, 2, clock)
    ids.restore([(A, clock.now_s - 9), (B, clock.now_s - 5)])
    assert ids.since_s == clock.now_s - 60
    ids.restore([(A, clock.now_s - 9), (B, clock.now_s - 5), (C, clock.now_s - 7)])
    assert ids.since_s == clock.now_s - 7
    clock.now_s += 100
    assert ids.since_s == clock.now_s - 107, "what has come since was asked about when it came"


def test_what_has_to_make_room_is_not_known_any_more() -> None:
    clock = Clock()
    ids = AcceptedIds(60, 2, clock)
    ids.restore([(A, clock.now_s - 9), (B, clock.now_s - 5)])
    ids.update([C])
    assert ids.since_s == clock.now_s - 9
    clock.now_s += 100
    ids.update([A])
    assert ids.since_s == clock.now_s - 109, "what is too old anyway tells nothing new"


def test_only_bytes_can_be_known() -> None:
    ids = AcceptedIds(60, 10, Clock())
    ids.update([A])
    assert A.decode() not in ids


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 30)), max_size=60), st.integers(1, 8))
def test_it_is_bounded_and_knows_the_latest(added: list[tuple[int, float]], max_ids: int) -> None:
    clock = Clock()
    ids = AcceptedIds(60, max_ids, clock)
    order: dict[bytes, float] = {}
    for number, later_s in added:
        clock.now_s += later_s
        each = bytes([number]) * 16
        ids.update([each])
        order.pop(each, None)
        order[each] = clock.now_s
    assert len(ids) <= max_ids
    latest = list(order.items())[-max_ids:]
    assert {each for each in order if each in ids} == {each for each, at in latest if at > clock.now_s - 60}
