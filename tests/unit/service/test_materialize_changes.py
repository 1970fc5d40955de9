"""What a batch of the history topic changes."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec
from processor.codec.history import history_record
from processor.core import ids
from processor.core.catalog import Catalog, Limits
from processor.core.history import (
    ChunkState,
    ChunkStatus,
    Cleared,
    HistoryRecord,
    KeyOutcome,
    RequestEnd,
    RequestState,
    RequestStatus,
    Status,
)
from processor.core.request import Keys, Request
from processor.service.history_changes import Changes, RawRecord, changes_of, history_decoder

CODEC = Codec.open(None, Catalog({}, {}, Limits()))
DECODE = history_decoder(CODEC)
NOW = datetime(2026, 8, 1, tzinfo=UTC)
A, B = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def outcome(request_id: str, key: str, status: Status) -> KeyOutcome:
    return KeyOutcome(
        request_id, "NORTH", "PersonIdentity", key, key, status, None, None, (), None, None, 1, NOW, None, None, NOW
    )


def raw(record: HistoryRecord, offset: int = 0) -> RawRecord:
    return RawRecord(0, offset, history_record(record)[0], CODEC.encode("history", record))


def tombstone(record: HistoryRecord, offset: int = 0) -> RawRecord:
    return RawRecord(0, offset, history_record(record)[0], None)


def fold(*records: RawRecord) -> tuple[Changes, list[tuple[int, str]]]:
    skipped: list[tuple[int, str]] = []
    return changes_of(records, DECODE, lambda record, why: skipped.append((record.offset, why))), skipped


STATUS = RequestStatus(
    Request(A, "NORTH", "PersonIdentity", Keys(()), "clerk"), RequestState.ACCEPTED, None, None, 1, NOW
)
CHUNK = ChunkStatus(A, "NORTH", "PersonIdentity", "0.1/x", ChunkState.PENDING, 1, 0, NOW)
END = RequestEnd(A, "NORTH", "PersonIdentity", RequestState.COMPLETE, None, None, (), NOW, NOW)
CLEARED = Cleared(B, "NORTH", "PersonIdentity", "admin", NOW, 1, "request")


def test_each_kind_goes_to_its_table() -> None:
    sent = outcome(A, "a/b~c", Status.SENT)
    changes, skipped = fold(raw(STATUS), raw(CHUNK), raw(sent), raw(END, 7), raw(CLEARED))
    assert changes.requests == {A: STATUS}
    assert changes.chunks == {(A, "0.1/x"): CHUNK}
    assert changes.outcomes == {(A, "PersonIdentity", "a/b~c"): sent}
    assert changes.clearings == {B: CLEARED}
    assert changes.ends == {A: (raw(END, 7), END)}
    assert skipped == []


def test_ends_touch_nothing() -> None:
    assert fold(raw(END), raw(CLEARED))[0].touched() == set()
    assert fold(raw(CHUNK))[0].touched() == {A}
    assert fold(tombstone(CHUNK), tombstone(STATUS), tombstone(outcome(A, "1", Status.SENT)))[0].touched() == set()


def test_requests_are_heard_of_by_anything_but_tombstones() -> None:
    sent = outcome(A, "1", Status.SENT)
    assert fold(raw(sent), raw(CLEARED))[0].partitions == {A: 0, B: 0}
    assert fold(raw(END))[0].partitions == {A: 0}
    assert fold(raw(sent), tombstone(sent), tombstone(END), tombstone(STATUS))[0].partitions == {}


def test_a_tombstone_is_the_last_record_of_its_key() -> None:
    sent = outcome(A, "a/b~c", Status.SENT)
    changes, skipped = fold(raw(sent), raw(CHUNK), tombstone(sent), tombstone(CHUNK), tombstone(STATUS), tombstone(END))
    assert changes.outcomes == {(A, "PersonIdentity", "a/b~c"): None}
    assert changes.chunks == {(A, "0.1/x"): None}
    assert changes.requests == {A: None}
    assert skipped == []


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.sampled_from("123"), st.sampled_from(list(Status))), max_size=12))
def test_the_last_record_of_a_key_wins(written: list[tuple[str, str, Status]]) -> None:
    records = [raw(outcome(*what), offset) for offset, what in enumerate(written)]
    expected = {(request_id, "PersonIdentity", key): status for request_id, key, status in written}
    found = fold(*records)[0].outcomes
    assert {key: value.status for key, value in found.items() if value is not None} == expected


GOOD = raw(outcome(A, "1", Status.SENT))


@pytest.mark.parametrize(
    "record",
    [
        RawRecord(0, 9, None, GOOD.value),
        RawRecord(0, 9, b"", GOOD.value),
        RawRecord(0, 9, b"\xff", GOOD.value),
        RawRecord(0, 9, b"not a request/x/y", GOOD.value),
        RawRecord(0, 9, ids.outcome_key(A, "PersonIdentity", "2").encode(), GOOD.value),
        RawRecord(0, 9, GOOD.key, b"\x00poison"),
        RawRecord(0, 9, GOOD.key, b""),
        RawRecord(0, 9, ids.outcome_key(A, "X", "\0").encode(), None),
        RawRecord(0, 9, ids.outcome_key(A, "X", "y" * 801).encode(), None),
        RawRecord(0, 9, f"{A}/a/b/c".encode(), None),
        RawRecord(0, 9, ids.cleared_key(A).encode(), None),
    ],
)
def test_what_is_not_ours_is_passed_over(record: RawRecord) -> None:
    changes, skipped = fold(GOOD, record)
    assert list(changes.outcomes) == [(A, "PersonIdentity", "1")]
    assert [offset for offset, _ in skipped] == [9]
