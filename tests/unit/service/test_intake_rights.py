"""What a topic's declaration does to the requests that come by it."""

import logging
from dataclasses import replace

import pytest

from processor.core.accept import MAX_TEXTS
from processor.core.errors import Reason
from processor.core.history import RequestState, RequestStatus
from processor.core.ids import REFUSED, accepted_id
from processor.core.partition import partition_of
from processor.core.policy import Permit, Policy, RequestTopic, Scope
from processor.core.request import Mode, Side
from processor.core.rights import Ground
from processor.service.intake import Intake
from processor.service.records import Lane
from processor.service.sorter import Sorter
from processor.service.work import Work
from tests.unit.core.builders import CATALOG, NOW, REQUEST_ID, chunk, request
from tests.unit.service.received import PARTITIONS, TOPICS, work

DEFAULT, NORTHS = TOPICS[Lane.REQUESTS], "resync.requests.north"
PERMIT = Permit(
    Scope(frozenset({"NORTH"}), frozenset({"Person"})),
    frozenset({Side.DISTRICT}),
    frozenset({Mode.SYNC}),
    frozenset({request().dependencies}),
    delete=False,
    batch=False,
)
POLICY = Policy({}, {NORTHS: RequestTopic(NORTHS, PERMIT, ())})


def sort(*batch: Work) -> Intake:
    return Sorter(CATALOG, PARTITIONS, (), POLICY).sort(batch, NOW)


def by(topic: str, item: Work) -> Work:
    return replace(item, record=replace(item.record, topic=topic))


def test_what_a_topic_may_say_is_taken_on() -> None:
    intake = sort(by(NORTHS, work(request("7"))))
    assert len(intake.chunks) == 1


def test_a_large_request_is_passed_on_only_where_its_topic_may_say_it() -> None:
    """There it is allowed: nobody but the roles may write to the topic of chunks."""
    few = replace(CATALOG, limits=replace(CATALOG.limits, max_keys=1))
    sorter = Sorter(few, PARTITIONS, (), POLICY)
    refused, allowed = (replace(by(topic, work(request("7", "8"))), keys=2) for topic in (DEFAULT, NORTHS))
    assert sorter.sort([refused], NOW).refused == [Ground.UNDECLARED]
    assert sorter.sort([allowed], NOW) == Intake(bulky=[allowed.record])
    there = sorter.sort([work(request("7", "8"), Lane.CHUNKS)], NOW)
    assert there.large == [request("7", "8")]
    assert accepted_id(REQUEST_ID, "NORTH", "0", 1) in there.accepted


def test_a_claim_beyond_the_declaration_is_rejected_as_a_whole_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = request("7", "8", mode=Mode.FORCE, requested_by="the state's administrator")
    with caplog.at_level(logging.WARNING):
        intake = sort(by(NORTHS, work(asked)))
    [status] = intake.plan.history
    assert isinstance(status, RequestStatus)
    assert (status.state, status.reason) == (RequestState.REJECTED, Reason.NOT_AUTHORIZED)
    assert status.detail == f"the writers of {NORTHS} may not ask for this here: mode FORCE"
    assert status.request == asked
    assert (intake.chunks, intake.plan.chunks, intake.plan.corrections) == ([], [], [])
    assert intake.refused == [Ground.MODE]
    [record] = caplog.records
    assert REQUEST_ID in record.getMessage()
    assert record.getMessage().endswith("mode")


def test_a_refusal_is_told_once() -> None:
    item = by(NORTHS, work(request("7", district_id="RIVER")))
    intake = sort(item, item)
    assert len(intake.plan.history) == 1
    assert list(intake.accepted) == [accepted_id(REQUEST_ID, "RIVER", REFUSED, 1)]
    assert intake.repeated == [Lane.REQUESTS]


def test_a_refusal_does_not_suppress_the_request_that_may_ask() -> None:
    """Somebody without the right, who learned the id and was quicker."""
    intake = sort(by(DEFAULT, work(request("7"))), by(NORTHS, work(request("7"))))
    states = [status.state for status in intake.plan.history if isinstance(status, RequestStatus)]
    assert states == [RequestState.REJECTED, RequestState.ACCEPTED]
    assert len(intake.chunks) == 1


def test_a_refusal_does_not_overwrite_a_request_that_was_taken_on() -> None:
    intake = sort(by(NORTHS, work(request("7"))), by(DEFAULT, work(request("7"))))
    states = [status.state for status in intake.plan.history if isinstance(status, RequestStatus)]
    assert states == [RequestState.ACCEPTED]
    assert (intake.repeated, intake.refused) == ([Lane.REQUESTS], [])


def test_the_same_request_by_another_topic_is_judged_by_that_topic() -> None:
    """The default topic is not declared here."""
    intake = sort(by(DEFAULT, work(request("7"))))
    assert not intake.chunks
    assert intake.refused == [Ground.UNDECLARED]


def test_a_record_that_was_moved_keeps_the_rights_of_its_topic() -> None:
    wrong = (partition_of("RIVER", PARTITIONS) + 1) % PARTITIONS
    item = by(NORTHS, work(request("7", district_id="RIVER"), partition=wrong))
    [(record, _)] = sort(item).misrouted
    assert record.topic == NORTHS


def test_what_was_accepted_goes_on_under_a_later_policy() -> None:
    intake = sort(work(chunk("7", district_id="RIVER")))
    assert len(intake.chunks) == 1


def test_texts_of_a_refused_request_fit_into_history() -> None:
    huge = dict.fromkeys(MAX_TEXTS, "x" * 1000000)
    intake = sort(by(NORTHS, work(request("7", **huge), partition=partition_of(huge["district_id"], PARTITIONS))))
    [status] = intake.plan.history
    assert isinstance(status, RequestStatus)
    assert {name: len(getattr(status.request, name)) for name in MAX_TEXTS} == MAX_TEXTS
    assert status.reason is Reason.NOT_AUTHORIZED


def test_without_a_policy_every_topic_may_say_everything() -> None:
    item = by(NORTHS, work(request("7", district_id="RIVER", mode=Mode.FORCE)))
    assert len(Sorter(CATALOG, PARTITIONS, ()).sort([item], NOW).chunks) == 1
