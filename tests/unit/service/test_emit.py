from dataclasses import replace

import pytest

from processor.codec.codec import Codec
from processor.core.chunk import Ask, Cause, Chunk
from processor.core.correction import Correction
from processor.core.errors import Reason
from processor.core.history import (
    Alike,
    ChunkState,
    ChunkStatus,
    Parked,
    RequestState,
    RequestStatus,
    Sent,
    SingleOutcomes,
    SingleStatuses,
    Status,
)
from processor.core.outcome import source_outcome
from processor.core.partition import partition_of
from processor.core.plan import Plan
from processor.core.request import Keys, Single
from processor.service.due import SECOND_LOOK
from processor.service.emit import MARKER, Emitter
from processor.service.intake import Intake
from processor.service.records import Headers, Lane, Outgoing
from processor.service.work import Poison
from processor.settings import Topics
from tests.unit.codec.records import CATALOG, CORRECTION, OUTCOME, REQUEST, REQUEST_ID, at
from tests.unit.core.builders import chunk
from tests.unit.service.received import PARTITIONS, received

HISTORY_PARTITIONS = 5
CODEC = Codec.open(None, CATALOG)
EMITTER = Emitter(CODEC, Topics(), PARTITIONS, HISTORY_PARTITIONS, "resync-process")
STATUS = RequestStatus(replace(REQUEST, selection=Keys(())), RequestState.ACCEPTED, None, None, 3, at(1))
CHUNK_STATUS = ChunkStatus(REQUEST_ID, "NORTH", "Enrollment", "0.1", ChunkState.PENDING, 3, 0, at(1))
PART = replace(chunk("7", object_name="Enrollment"), request_id=REQUEST_ID)
NORTH = partition_of("NORTH", PARTITIONS)
HOME = partition_of(REQUEST_ID, HISTORY_PARTITIONS)
TRACE = ("traceparent", b"00-a-b-01")


def emitted(intake: Intake | None = None, plan: Plan | None = None) -> list[Outgoing]:
    return list(EMITTER.records(intake or Intake(), plan or Plan()))


def headers(*names: tuple[str, str]) -> Headers:
    return tuple((name, value.encode()) for name, value in names)


ABOUT = headers(("request_id", REQUEST_ID), ("district_id", "NORTH"), ("object", "Enrollment"))


def test_a_plan_s_records_stand_in_topic_partition_key_and_headers() -> None:
    plan = Plan(history=[STATUS, OUTCOME, CHUNK_STATUS], corrections=[CORRECTION], chunks=[PART], retries=[PART])
    assert [(r.topic, r.partition, r.key, r.headers) for r in emitted(plan=plan)] == [
        ("resync.history", HOME, REQUEST_ID.encode(), (*ABOUT, ("status", b"ACCEPTED"))),
        (
            "resync.history",
            HOME,
            f"{REQUEST_ID}/Enrollment/7".encode(),
            (*ABOUT, ("key", b"7"), ("status", b"FAILED")),
        ),
        ("resync.history", HOME, f"{REQUEST_ID}/~chunk/0.1".encode(), (*ABOUT, ("status", b"PENDING"))),
        ("state.corrections", NORTH, b"NORTH", (*ABOUT, ("key", b"7"))),
        ("resync.chunks", NORTH, b"NORTH", ABOUT),
        ("resync.retry", NORTH, b"NORTH", ABOUT),
    ]


def test_a_chunk_that_is_read_a_second_time_says_so_on_the_retry_topic_alone() -> None:
    second = replace(PART, cause=Cause.CONFIRM)
    written = emitted(Intake(traces={REQUEST_ID: TRACE[1]}), Plan(chunks=[second], retries=[second]))
    assert [r.headers for r in written] == [(*ABOUT, TRACE), (*ABOUT, SECOND_LOOK, TRACE)]


def test_that_a_parked_chunk_is_gone_comes_after_what_became_of_it() -> None:
    """Whoever has read only some of a transaction must not find nothing open (ADR 0154)."""
    parked = Parked(replace(PART, chunk="0.0.0"), is_gone=True)
    written = emitted(Intake(plan=Plan(history=[parked, STATUS])), Plan(history=[OUTCOME], chunks=[PART]))
    history = [r for r in written if r.topic == "resync.history"]
    assert [r.key for r in history][1:] == [f"{REQUEST_ID}/Enrollment/7".encode(), f"{REQUEST_ID}/~held/0.0.0".encode()]
    assert history[-1].value is None


def test_values_are_the_records_encoded() -> None:
    records = emitted(plan=Plan(history=[STATUS, OUTCOME], corrections=[CORRECTION], retries=[PART]))
    expected = (RequestStatus, type(OUTCOME), Correction, Chunk)
    assert [CODEC.decode(r.value or b"", expected) for r in records] == [STATUS, OUTCOME, CORRECTION, PART]


def test_a_district_s_records_share_a_partition_and_a_request_s_history_another() -> None:
    river = replace(CORRECTION, source=replace(CORRECTION.source, district_id="RIVER"))
    plan = Plan(history=[replace(OUTCOME, district_id="RIVER")], corrections=[CORRECTION, river])
    partitions = [r.partition for r in emitted(plan=plan)]
    assert partitions == [HOME, NORTH, partition_of("RIVER", PARTITIONS)]
    assert len(set(partitions[1:])) == 2


def test_what_came_in_is_emitted_before_what_was_decided() -> None:
    """Of one key's records the last counts: DEFERRED by an answer, then SENT by the comparison that follows."""
    intake = Intake(plan=Plan(history=[OUTCOME], retries=[PART]))
    decided = Plan(history=[replace(OUTCOME, key="8")])
    keys = [r.key for r in emitted(intake, decided) if r.topic == "resync.history"]
    assert keys == [f"{REQUEST_ID}/Enrollment/{key}".encode() for key in "78"]


def test_corrections_keep_their_order() -> None:
    ordered = [replace(CORRECTION, source=replace(CORRECTION.source, key=key)) for key in ("3", "1", "2")]
    sent = [dict(r.headers)["key"] for r in emitted(plan=Plan(corrections=ordered))]
    assert sent == [b"3", b"1", b"2"]


def test_an_accepted_id_stands_where_its_request_stood() -> None:
    assert emitted(Intake(accepted={b"\x00" * 16: 4})) == [Outgoing("resync.accepted", 4, b"\x00" * 16, MARKER)]
    assert MARKER, "null would be a tombstone"


def test_a_moved_record_is_as_it_came() -> None:
    record = received(Lane.REQUESTS, b"\x00bytes", headers=(TRACE, ("odd", None)))
    record = replace(record, topic="resync.requests.north")
    assert emitted(Intake(misrouted=[(record, 3)])) == [
        Outgoing("resync.requests.north", 3, b"key", b"\x00bytes", (TRACE, ("odd", None)))
    ], "another topic would give it other rights"


@pytest.mark.parametrize("value", [b"\x00\xff bytes", None])
def test_a_dead_letter_is_as_it_came_with_origin_and_reason(value: bytes | None) -> None:
    record = received(Lane.ANSWERS, value, partition=4, offset=17, headers=(TRACE,))
    (letter,) = emitted(Intake(poison=[Poison(record, Reason.UNDECODABLE, "the value is empty")]))
    assert letter == Outgoing(
        "resync.dead-letters",
        None,
        b"key",
        value,
        (
            TRACE,
            *headers(
                ("__dlq.errors.topic", "state.answers"),
                ("__dlq.errors.partition", "4"),
                ("__dlq.errors.offset", "17"),
                ("__dlq.errors.group", "resync-process"),
                ("__dlq.errors.message", "the value is empty"),
                ("resync-error-code", "UNDECODABLE"),
            ),
        ),
    )


@pytest.mark.parametrize("traces", [{}, {REQUEST_ID: TRACE[1]}])
@pytest.mark.parametrize("keys", [[Ask("7", "007")], [Ask("a/b", None), Ask("\u00e9", "x" * 3_000), Ask("", "")]])
def test_outcomes_that_are_alike_are_the_records_of_each(keys: list[Ask], traces: dict[str, bytes]) -> None:
    alike = Alike(replace(OUTCOME, key=keys[0].key, asked_as=keys[0].asked_as), keys)
    one_by_one = emitted(Intake(traces=traces), Plan(history=list(alike.each())))
    assert [record.key for record in one_by_one] != [], "each has one"
    assert emitted(Intake(traces=traces), Plan(history=[alike])) == one_by_one


@pytest.mark.parametrize("traces", [{}, {REQUEST_ID: TRACE[1]}])
@pytest.mark.parametrize("keys", [["7"], ["a/b", "\u00e9", ""]])
def test_outcomes_of_what_was_sent_are_the_records_of_each(keys: list[str], traces: dict[str, bytes]) -> None:
    sources = [replace(CORRECTION.source, key=key, correction_id=f"of {key}") for key in keys]
    one_by_one = [source_outcome(each, Status.SENT, each.sent_at) for each in sources]
    sent = Sent(one_by_one[0], sources)
    assert list(sent.each()) == one_by_one
    records = emitted(Intake(traces=traces), Plan(history=[sent]))
    assert records == emitted(Intake(traces=traces), Plan(history=list(one_by_one)))
    assert len(records) == len(keys)


@pytest.mark.parametrize("traces", [{}, {REQUEST_ID: TRACE[1]}])
@pytest.mark.parametrize("keys", [["7"], ["7", "a/b", "\u00e9", "", "9"]])
def test_requests_of_one_key_have_the_records_of_each(keys: list[str], traces: dict[str, bytes]) -> None:
    singles = [
        Single(REQUEST, REQUEST_ID.replace("0", str(n)), key, at(n) if n else None) for n, key in enumerate(keys)
    ]
    status = RequestStatus(singles[0].request, RequestState.ACCEPTED, None, None, 1, at(12))
    outcome = replace(OUTCOME, request_id=singles[0].request_id, key=keys[0], asked_as=keys[0], parent=None)
    statuses = [replace(status, request=single.request) for single in singles]
    outcomes = SingleOutcomes(outcome, singles)
    for told, each in ((SingleStatuses(status, singles), statuses), (outcomes, outcomes.each())):
        one_by_one = emitted(Intake(traces=traces), Plan(history=list(each)))
        assert len(one_by_one) == len(keys)
        assert emitted(Intake(traces=traces), Plan(history=[told])) == one_by_one


def test_corrections_have_the_headers_of_their_own_request_and_key() -> None:
    other = "7e0f9f7c-32c5-4d7f-8f0e-2d0f3b0c9a10"
    sources = [
        replace(CORRECTION.source, request_id=request_id, district_id=district_id, key=key)
        for request_id, district_id, key in (
            (REQUEST_ID, "NORTH", "7"),
            (REQUEST_ID, "NORTH", "8"),
            (other, "SOUTH", "8"),
            (REQUEST_ID, "NORTH", "9"),
        )
    ]
    corrections = [replace(CORRECTION, source=source) for source in sources]
    told = emitted(Intake(traces={other: TRACE[1]}), Plan(corrections=corrections))
    assert [(r.partition, r.key, r.headers) for r in told] == [
        (
            partition_of(source.district_id, PARTITIONS),
            source.district_id.encode(),
            (
                *headers(
                    ("request_id", source.request_id),
                    ("district_id", source.district_id),
                    ("object", "Enrollment"),
                    ("key", source.key),
                ),
                *((TRACE,) if source.request_id == other else ()),
            ),
        )
        for source in sources
    ]


def test_a_trace_goes_on_in_every_record_of_its_request_alone() -> None:
    other = "7e0f9f7c-32c5-4d7f-8f0e-2d0f3b0c9a10"
    plan = Plan(history=[OUTCOME, replace(OUTCOME, request_id=other)], corrections=[CORRECTION], retries=[PART])
    records = emitted(Intake(traces={REQUEST_ID: TRACE[1]}), plan)
    assert [TRACE in r.headers for r in records] == [True, False, True, True]


def test_topics_have_the_names_that_the_settings_say() -> None:
    renamed = Topics.model_validate({name: f"x.{name}" for name in Topics.model_fields})
    plan = Plan(history=[OUTCOME], corrections=[CORRECTION], chunks=[PART], retries=[PART])
    poison = Poison(received(Lane.REQUESTS), Reason.UNDECODABLE, "")
    records = replace(EMITTER, topics=renamed).records(Intake(accepted={b"i": 0}, poison=[poison]), plan)
    assert [r.topic for r in records] == [
        "x.accepted",
        "x.dead_letters",
        "x.history",
        "x.corrections",
        "x.chunks",
        "x.retry",
    ]


def test_no_value_leaves_outside_corrections() -> None:
    """Headers, keys and every record but the correction itself."""
    after = {**(CORRECTION.after or {}), "endComments": "S3CR3T"}
    plan = Plan(history=[STATUS, OUTCOME], corrections=[replace(CORRECTION, after=after)], retries=[PART])
    found = [r.topic for r in emitted(plan=plan) if b"S3CR3T" in (r.value or b"")]
    assert found == ["state.corrections"]
    assert not any("S3CR3T" in repr((r.key, r.headers)) for r in emitted(plan=plan))
