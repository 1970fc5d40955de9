"""What an error of the transactional producer leads to: the table in `transaction`'s docstring."""

from typing import NamedTuple

import pytest
from confluent_kafka import KafkaError

from processor.adapters.kafka.transaction import Step, Way, way_out

CODE = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001 librdkafka's local codes have underscores
FATAL = KafkaError(CODE, "fenced", fatal=True)
ABORTABLE = KafkaError(CODE, "a record failed", txn_requires_abort=True)
SILENT = KafkaError(KafkaError._TIMED_OUT, "no answer in time", retriable=True)  # noqa: SLF001
RETRIABLE = KafkaError(CODE, "try again", retriable=True)
OTHER = KafkaError(CODE, "anything else")


class Case(NamedTuple):
    """An error, the call that raised it, and the ways out before and after patience is over."""

    error: KafkaError
    step: Step
    at_first: Way
    at_last: Way


TABLE = [
    Case(FATAL, Step.WORK, Way.STOP, Way.STOP),
    Case(FATAL, Step.COMMIT, Way.STOP, Way.STOP),
    Case(FATAL, Step.ABORT, Way.STOP, Way.STOP),
    Case(ABORTABLE, Step.WORK, Way.ABORT, Way.ABORT),
    Case(ABORTABLE, Step.COMMIT, Way.ABORT, Way.ABORT),
    Case(SILENT, Step.WORK, Way.UNKNOWN, Way.UNKNOWN),
    Case(SILENT, Step.COMMIT, Way.UNKNOWN, Way.UNKNOWN),
    Case(SILENT, Step.ABORT, Way.UNKNOWN, Way.UNKNOWN),
    Case(RETRIABLE, Step.WORK, Way.REPEAT, Way.ABORT),
    Case(RETRIABLE, Step.COMMIT, Way.REPEAT, Way.UNKNOWN),
    Case(RETRIABLE, Step.ABORT, Way.REPEAT, Way.UNKNOWN),
    Case(OTHER, Step.WORK, Way.ABORT, Way.ABORT),
    Case(OTHER, Step.COMMIT, Way.UNKNOWN, Way.UNKNOWN),
    Case(OTHER, Step.ABORT, Way.UNKNOWN, Way.UNKNOWN),
]


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.error.str()}-{case.step.name.lower()}")
def test_ways_out(case: Case) -> None:
    assert way_out(case.error, case.step, patience_is_over=False) is case.at_first
    assert way_out(case.error, case.step, patience_is_over=True) is case.at_last


@pytest.mark.parametrize("step", Step)
def test_a_broken_producer_stops_whatever_else_its_error_says(step: Step) -> None:
    error = KafkaError(CODE, "all at once", fatal=True, retriable=True, txn_requires_abort=True)
    assert way_out(error, step, patience_is_over=False) is Way.STOP


@pytest.mark.parametrize(("step", "way"), [(Step.WORK, Way.ABORT), (Step.COMMIT, Way.ABORT)])
def test_what_requires_an_abort_is_not_repeated(step: Step, way: Way) -> None:
    error = KafkaError(CODE, "both", retriable=True, txn_requires_abort=True)
    assert way_out(error, step, patience_is_over=False) is way


@pytest.mark.parametrize("over", [False, True])
def test_an_abort_is_never_answered_by_an_abort(over: bool) -> None:  # noqa: FBT001
    for error in (ABORTABLE, RETRIABLE, OTHER):
        assert way_out(error, Step.ABORT, patience_is_over=over) is not Way.ABORT


@pytest.mark.parametrize("over", [False, True])
def test_a_commit_that_may_have_happened_is_never_taken_for_an_abort(over: bool) -> None:  # noqa: FBT001
    for error in (RETRIABLE, OTHER):
        assert way_out(error, Step.COMMIT, patience_is_over=over) is not Way.ABORT
