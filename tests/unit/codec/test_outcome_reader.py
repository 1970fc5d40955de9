"""Outcomes read by what they have of their own are those that are read in full."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec, DecodeError, Own
from processor.codec.outcome_reader import LONGEST_KEPT
from processor.core.catalog import Catalog, Limits
from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import ChunkState, ChunkStatus, KeyOutcome, Status

CODEC = Codec.open(None, Catalog({}, {}, Limits()))
NOW = datetime(2026, 8, 1, tzinfo=UTC)
REQUEST = str(uuid.UUID(int=1))
TEXTS = st.sampled_from(["1", "NORTH", "é", "a\0", "", "x" * 63, "x" * 64])
TIMES = st.sampled_from([NOW, NOW + timedelta(seconds=1), datetime(1970, 1, 1, tzinfo=UTC)])
IDS = st.sampled_from([REQUEST, str(uuid.UUID(int=2)), "short"])
OUTCOMES = st.builds(
    KeyOutcome,
    request_id=IDS,
    district_id=TEXTS,
    object=TEXTS,
    key=TEXTS,
    asked_as=st.none() | TEXTS,
    status=st.sampled_from(Status),
    reason=st.none() | st.sampled_from(Reason),
    detail=st.sampled_from([None, "why"]),
    changed_fields=st.sampled_from([(), ("phone",), ("\2H", "phone")]),
    parent=st.sampled_from([None, Parent("P", "1")]),
    correction_id=st.none() | IDS,
    attempt=st.sampled_from([1, 2, 5_000]),
    first_decided_at=TIMES,
    sent_at=st.none() | TIMES,
    answered_at=st.none() | TIMES,
    decided_at=TIMES,
)


def outcome(key: str) -> KeyOutcome:
    return KeyOutcome(
        REQUEST, "NORTH", "P", key, key, Status.IN_SYNC, None, None, (), None, None, 1, NOW, None, None, NOW
    )


def whole(own: Own) -> KeyOutcome:
    like, *texts = own
    request_id, key, asked_as, correction_id = (None if text is None else text.decode() for text in texts)
    assert request_id is not None
    assert key is not None
    return replace(like, request_id=request_id, key=key, asked_as=asked_as, correction_id=correction_id)


@given(st.lists(OUTCOMES, max_size=8))
def test_what_is_read_alike_is_what_is_read_in_full(written: list[KeyOutcome]) -> None:
    for each in written:
        own = CODEC.alike(CODEC.encode("history", each))
        assert own is None or whole(own) == each


@given(OUTCOMES, st.integers(0, 200), st.integers(0, 255), st.booleans())
def test_damaged_bytes_are_not_taken_for_an_outcome(written: KeyOutcome, at: int, byte: int, cut: bool) -> None:  # noqa: FBT001
    CODEC.alike(CODEC.encode("history", written))
    data = bytearray(CODEC.encode("history", written))
    at %= len(data)
    damaged = bytes(data[:at]) if cut else bytes([*data[:at], byte, *data[at + 1 :]])
    try:
        own = CODEC.alike(damaged)
    except DecodeError:
        return
    if own is not None and own[1].isascii() and own[2].isascii():  # as those of a record's key are
        assert whole(own) == CODEC.decode(damaged, (KeyOutcome,))


def test_outcomes_of_our_schema_share_what_they_have_alike() -> None:
    owns = [CODEC.alike(CODEC.encode("history", outcome(key))) for key in ("1", "2")]
    assert [own and own[2] for own in owns] == [b"1", b"2"]
    assert owns[0] is not None
    assert owns[1] is not None
    assert owns[0][0] is owns[1][0]


def test_corrected_ones_differ_in_their_corrections() -> None:
    ids = [str(uuid.UUID(int=n)) for n in (7, 8)]
    owns = [CODEC.alike(CODEC.encode("history", replace(outcome("1"), correction_id=each))) for each in ids]
    assert [own and own[4] for own in owns] == [each.encode() for each in ids]
    assert len({id(own and own[0]) for own in owns}) == 1


def test_what_postgres_cannot_hold_is_read_in_full() -> None:
    for each in (replace(outcome("1"), asked_as="a\0"), replace(outcome("1"), correction_id="\0" * 36)):
        assert CODEC.alike(CODEC.encode("history", each)) is None


def test_a_long_outcome_is_left_to_be_read_in_full() -> None:
    """Else a thousand of them would be kept, as long as others write them."""
    assert CODEC.alike(CODEC.encode("history", replace(outcome("1"), detail="x" * LONGEST_KEPT))) is None


def test_bytes_behind_the_end_are_no_part_of_an_outcome() -> None:
    data = CODEC.encode("history", replace(outcome("1"), attempt=77))
    assert CODEC.alike(data + b"\0") is None
    assert CODEC.alike(data) is not None
    assert CODEC.alike(data + b"\0") is None


def test_other_records_are_read_in_full() -> None:
    status = ChunkStatus(REQUEST, "NORTH", "P", "0", ChunkState.DONE, 1, 0, NOW)
    assert CODEC.alike(CODEC.encode("history", status)) is None
