"""Rows of COPY's binary format are those that psycopg makes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from psycopg._copy_base import _binary_signature, _binary_trailer, format_row_binary
from psycopg.adapt import Transformer
from psycopg.postgres import types
from psycopg.pq import Format

from processor.adapters.postgres.history_rows import outcome_row
from processor.adapters.postgres.outcome_copy import BEGIN, END, row_of, rows_of
from processor.core.correction import Parent
from processor.core.errors import Reason
from processor.core.history import KeyOutcome, Status
from processor.service.history_changes import AlikeOutcomes
from tests.unit.service.test_materialize_changes import A, B, outcome

COLUMN_TYPES = (*("text",) * 8, "text[]", *("text",) * 3, "int8", *("timestamptz",) * 4)
TEXTS = st.text(max_size=70)
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
OUTCOMES = st.builds(
    replace,
    st.just(outcome(A, "1", Status.SENT)),
    district_id=TEXTS,
    object=TEXTS,
    key=TEXTS,
    asked_as=st.none() | TEXTS,
    reason=st.none() | st.sampled_from(Reason),
    detail=st.none() | TEXTS,
    changed_fields=st.lists(TEXTS, max_size=3).map(tuple),
    parent=st.none() | st.builds(Parent, TEXTS, TEXTS),
    correction_id=st.none() | TEXTS,
    attempt=st.integers(1, 2**40),
    first_decided_at=TIMES,
    sent_at=st.none() | TIMES,
)


@given(OUTCOMES)
def test_a_row_is_that_of_psycopg(each: KeyOutcome) -> None:
    transformer = Transformer()
    transformer.set_dumper_types([types.get_oid(name) for name in COLUMN_TYPES], Format.BINARY)
    wanted = bytearray()
    format_row_binary(outcome_row(each), transformer, wanted)
    assert row_of(each) == wanted


@given(OUTCOMES)
def test_rows_that_are_alike_are_those_of_each(each: KeyOutcome) -> None:
    own = [(A.encode(), b"1", b"1", None), (B.encode(), b"x" * 5_000, None, b"c" * 36)]
    alike = AlikeOutcomes(each, own)
    assert list(rows_of(alike)) == [row_of(one) for one in alike.each()]


def test_how_a_copy_begins_and_ends() -> None:
    assert _binary_signature == BEGIN
    assert _binary_trailer == END


def test_times_before_the_servers_own_epoch() -> None:
    early = replace(
        outcome(A, "1", Status.SENT), decided_at=datetime(2000, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)
    )
    assert row_of(early).endswith(b"\xff" * 8)
