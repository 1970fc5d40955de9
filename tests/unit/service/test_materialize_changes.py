"""What a batch of the history topic changes."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.adapters.postgres.history_rows import places
from processor.codec import Codec
from processor.codec.history import history_record
from processor.core import ids
from processor.core.catalog import Catalog, Limits
from processor.core.errors import Reason
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
from processor.service.history_changes import Changes, HistoryDecoder, RawRecord, changes_of, history_decoder

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


def outcomes_of(changes: Changes) -> list[KeyOutcome]:
    alike = [each for some in changes.alike for each in some.each()]
    return [*alike, *(each for each in changes.outcomes.values() if each is not None)]


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
    expected = {(request_id, key): status for request_id, key, status in written}
    assert {(each.request_id, each.key): each.status for each in outcomes_of(fold(*records)[0])} == expected


CAUSES = st.sampled_from([None, Reason.FORCED])
TEXTS = st.sampled_from(["1", "22", "a/b", "é", "nul\0", "x" * 70])
OUTCOMES = st.builds(
    lambda request_id, name, key, asked_as, reason, correction, fields, sent_at: replace(
        outcome(request_id, key, Status.SENT),
        object=name,
        asked_as=asked_as,
        reason=reason,
        correction_id=correction,
        changed_fields=fields,
        sent_at=sent_at,
    ),
    st.sampled_from([A, B, A.upper()]),
    st.sampled_from(["P", "P\0", "a b"]),
    TEXTS,
    st.none() | TEXTS,
    CAUSES,
    st.none() | st.sampled_from([A, "short"]),
    st.sampled_from([(), ("phone",)]),
    st.sampled_from([None, NOW]),
)


@given(st.lists(OUTCOMES, max_size=12))
def test_outcomes_that_are_alike_change_what_they_would_change_one_by_one(written: list[KeyOutcome]) -> None:
    records = [raw(each, offset) for offset, each in enumerate(written)]
    one_by_one = changes_of(records, HistoryDecoder(DECODE.read), lambda *_: None)
    together = changes_of(records, DECODE, lambda *_: None)
    assert one_by_one.alike == []
    assert sorted(outcomes_of(together), key=repr) == sorted(outcomes_of(one_by_one), key=repr)
    assert together.touched() == one_by_one.touched()
    assert together.partitions == one_by_one.partitions
    assert places(together) == places(one_by_one)


def test_most_outcomes_are_told_by_what_they_have_of_their_own() -> None:
    changes, _ = fold(
        *(raw(outcome(A, str(key), Status.IN_SYNC)) for key in range(9)), raw(outcome(A, "a/b", Status.SENT))
    )
    assert [len(some.own) for some in changes.alike] == [9]
    assert list(changes.outcomes) == [(A, "PersonIdentity", "a/b")]


def test_an_unreadable_record_leaves_the_one_before_it() -> None:
    first, second = outcome(A, "1", Status.SENT), outcome(A, "1", Status.APPLIED)
    damaged = RawRecord(0, 2, raw(first).key, (raw(first).value or b"")[:-1])
    changes, skipped = fold(raw(first, 0), raw(second, 1), damaged, RawRecord(0, 3, raw(first).key, b"?"))
    assert outcomes_of(changes) == [second]
    assert [offset for offset, _ in skipped] == [3, 2]


GOOD = raw(outcome(A, "1", Status.SENT))


@pytest.mark.parametrize(
    "record",
    [
        RawRecord(0, 9, None, GOOD.value),
        RawRecord(0, 9, b"", GOOD.value),
        RawRecord(0, 9, b"\xff", GOOD.value),
        RawRecord(0, 9, b"not a request/x/y", GOOD.value),
        RawRecord(0, 9, ids.outcome_key(A, "PersonIdentity", "2").encode(), GOOD.value),
        RawRecord(0, 9, f"{A}/PersonIdentity/a/b".encode(), raw(outcome(A, "a/b", Status.SENT)).value),
        RawRecord(0, 9, f"{A}/PersonIdentity/a b".encode(), raw(outcome(A, "a b", Status.SENT)).value),
        raw(outcome("x" * 36, "1", Status.SENT), 9),
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
    assert outcomes_of(changes) == [outcome(A, "1", Status.SENT)]
    assert [offset for offset, _ in skipped] == [9]
