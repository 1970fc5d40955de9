"""What is kept of a record's bytes goes into no record that differs there."""

from dataclasses import fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec, Record
from processor.codec.repeating import LONGEST_KEPT, MOST_KEPT, RepeatingWriter
from processor.core.history import KeyOutcome, RequestStatus
from processor.core.request import Keys, Request
from tests.unit.codec.records import CATALOG, OUTCOME
from tests.unit.codec.strategies import OUTCOMES, STATUSES

CODEC = Codec.open(None, CATALOG)


def names_of(kind: type[Any]) -> st.SearchStrategy[set[str]]:
    return st.sets(st.sampled_from([field.name for field in fields(kind)]))


def mixed(one: Any, other: Any, names: set[str]) -> Any:
    """The first one with some fields of the other."""
    return replace(one, **{name: getattr(other, name) for name in names})


def assert_as_in_full(record: Record) -> None:
    (schema,) = CODEC.schemas_of(type(record))
    assert schema.body(record) == schema.write(schema.record.to_wire(record))


@given(OUTCOMES | OUTCOMES.map(lambda each: replace(each, detail=None, parent=None)), OUTCOMES, names_of(KeyOutcome))
def test_an_outcome_after_one_like_it(one: KeyOutcome, other: KeyOutcome, names: set[str]) -> None:
    for outcome in (one, mixed(one, other, names)):
        assert_as_in_full(outcome)


@given(
    STATUSES | STATUSES.map(lambda each: replace(each, detail=None, guard=None, planned=None)),
    STATUSES,
    names_of(RequestStatus),
    names_of(Request),
    st.sets(st.sampled_from(("mode", "report", "requested_from"))),
)
def test_a_request_s_status_after_one_like_it(
    one: RequestStatus, other: RequestStatus, names: set[str], of_request: set[str], unknown: set[str]
) -> None:
    request = replace(mixed(one.request, other.request, of_request), not_understood=tuple(unknown))
    for status in (one, replace(mixed(one, other, names), request=request)):
        assert_as_in_full(status)


@given(OUTCOMES, OUTCOMES, st.sampled_from([field.name for field in fields(KeyOutcome)]))
def test_an_outcome_that_differs_in_one_field(one: KeyOutcome, other: KeyOutcome, name: str) -> None:
    plain = replace(one, detail=None, parent=None)
    for outcome in (plain, mixed(plain, other, {name})):
        assert_as_in_full(outcome)


@given(STATUSES, STATUSES, st.sampled_from([field.name for field in fields(RequestStatus)]))
def test_a_status_that_differs_in_one_field(one: RequestStatus, other: RequestStatus, name: str) -> None:
    with_keys = replace(one.request, selection=Keys(()))
    plain = replace(one, request=with_keys, detail=None, guard=None, planned=None)
    for status in (plain, mixed(plain, other, {name})):
        assert_as_in_full(status)


def test_no_more_is_kept_than_a_few() -> None:
    (schema,) = CODEC.schemas_of(KeyOutcome)
    assert isinstance(schema.body, RepeatingWriter)
    for number in range(2 * MOST_KEPT):
        assert_as_in_full(replace(OUTCOME, detail=None, parent=None, attempt=number))
        assert 0 < len(schema.body) <= MOST_KEPT


def test_all_that_is_kept_stays_where_nothing_new_comes() -> None:
    (schema,) = Codec.open(None, CATALOG).schemas_of(KeyOutcome)
    assert isinstance(schema.body, RepeatingWriter)
    for number in (*range(MOST_KEPT), 0):
        schema.body(replace(OUTCOME, detail=None, parent=None, attempt=number))
    assert len(schema.body) == MOST_KEPT


def test_a_long_record_is_written_and_not_kept() -> None:
    codec = Codec.open(None, CATALOG)
    outcome = replace(OUTCOME, detail=None, parent=None, changed_fields=("x" * LONGEST_KEPT,))
    assert codec.decode(codec.encode("history", outcome), (KeyOutcome,)) == outcome
    (schema,) = codec.schemas_of(KeyOutcome)
    assert isinstance(schema.body, RepeatingWriter)
    assert len(schema.body) == 0
