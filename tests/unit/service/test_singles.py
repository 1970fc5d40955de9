"""Requests of one key that are taken on together: what is written of them is what is written of each by itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.codec.codec import Codec
from processor.core.catalog import District
from processor.core.compare import EQUAL, compare
from processor.core.history import SingleOutcomes, SingleStatuses
from processor.core.partition import partition_of
from processor.core.plan import Plan
from processor.core.policy import Policy, RequestTopic
from processor.core.request import Dependencies, Keys, Mode, OnStateOnly, Report, Request, Single
from processor.core.rights import Ground
from processor.core.snapshot import Row, SameRead
from processor.service.emit import Emitter
from processor.service.intake import Intake
from processor.service.ports import BothSides, SnapshotUnavailable
from processor.service.records import TRACEPARENT, Lane, Outgoing
from processor.service.resync import observe, resync
from processor.service.sorter import MANY, Sorter
from processor.service.work import Work, decode
from processor.settings import Topics
from tests.unit.codec.records import CATALOG as SHIPPED
from tests.unit.core.builders import CATALOG as ONE_DISTRICT
from tests.unit.core.builders import ENROLLMENT, NOW, READ_AT, VERSION, chunk, ours, row, theirs
from tests.unit.service.databases import Databases, Target
from tests.unit.service.received import PARTITIONS, TOPICS, received, work
from tests.unit.service.test_intake_rights import PERMIT

CATALOG = replace(ONE_DISTRICT, districts={name: District(name, name, "") for name in ("NORTH", "RIVER")})
CODEC = Codec.open(None, SHIPPED)
EMITTER = Emitter(CODEC, Topics(), PARTITIONS, 6, "resync-process")
ASKED = Request("0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c00", "NORTH", "Person", Keys(("1",)), "sis")
IDS = [f"0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c{number:02x}" for number in range(40)]
ONE, OTHER = TOPICS[Lane.REQUESTS], "resync.requests.other"
MORE = replace(PERMIT, modes=frozenset(Mode), dependencies=frozenset(Dependencies), delete=True)
POLICY = Policy({}, {ONE: RequestTopic(ONE, PERMIT, ()), OTHER: RequestTopic(OTHER, MORE, ())})
TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class ByDigests(Databases):
    """Tells of keys that are the same on both sides without their rows, unless these are asked for."""

    def _read(self, target: Target, keys: Sequence[str]) -> Any:
        read = super()._read(target, keys)
        if isinstance(read, SnapshotUnavailable):
            return read
        kind, district, state = CATALOG.objects[target[1]], self.district[target], self.state[target]
        both = [key for key in keys if len(district.get(key, ())) == len(state.get(key, ())) == 1]
        by_rows = self.asked_by_rows[-1].get(target, [])
        same = [key for key in both if key not in by_rows and compare(kind, district[key][0], state[key][0]) == EQUAL]
        others = [key for key in keys if key not in same]
        (sides,) = read
        return [SameRead(same, VERSION, READ_AT, READ_AT), BothSides(others, sides.district, sides.state)]


def databases(**more: Any) -> Databases:
    """Keys 1 and 2 are the same, 3 is but for what the state owns, 4 differs, 5 is the district's alone, 6 nowhere."""
    district: dict[str, tuple[Row, ...]] = {key: (ours(),) for key in "12345"}
    state: dict[str, tuple[Row, ...]] = {
        "1": (theirs(),),
        "2": (theirs(),),
        "3": (theirs(certification="x"),),
        "4": (theirs(nickname="x"),),
    }
    targets = [(name, "Person") for name in CATALOG.districts]
    return ByDigests(dict.fromkeys(targets, district), dict.fromkeys(targets, state), **more)


def item(request: Request, trace: bytes | None = None, *, partition: int | None = None) -> Work:
    """As it comes in: decoded by what is its own where that is possible."""
    found = decode(_record(request, trace, partition), CODEC)
    assert isinstance(found, Work)
    return found


def _record(request: Request, trace: bytes | None, partition: int | None) -> Any:
    home = partition_of(request.district_id, PARTITIONS) if partition is None else partition
    headers = () if trace is None else ((TRACEPARENT, trace),)
    return received(Lane.REQUESTS, CODEC.encode("any", request), partition=home, headers=headers)


def apart(each: Work) -> Work:
    return replace(each, ask=each.ask.request) if isinstance(each.ask, Single) else each


def decided(
    batch: Sequence[Work], data: Databases, known: frozenset[bytes] = frozenset(), policy: Policy | None = None
) -> tuple[Intake, Plan]:
    intake = Sorter(CATALOG, PARTITIONS, known, policy, many=1).sort(batch, NOW)
    seen = observe(intake.chunks, data, CATALOG, intake.singles)
    return intake, resync(seen, CATALOG, NOW)


def written(intake: Intake, plan: Plan) -> dict[bytes | None, list[Outgoing]]:
    """History and ids that were taken on, by record key: compaction leaves the last of each."""
    found: dict[bytes | None, list[Outgoing]] = {}
    for record in EMITTER.records(intake, Plan(history=plan.history)):
        found.setdefault(record.key, []).append(record)
    return found


def by(topic: str, one: Work) -> Work:
    return replace(one, record=replace(one.record, topic=topic))


def test_those_that_are_alike_are_told_together() -> None:
    batch = [item(replace(ASKED, request_id=IDS[number], selection=Keys((str(number),)))) for number in range(1, 7)]
    intake, plan = decided(batch, databases())
    (status,) = intake.plan.history
    assert isinstance(status, SingleStatuses)
    assert [single.request_id for single in status.singles] == IDS[1:7]
    assert intake.chunks == []
    together = [told for told in plan.history if isinstance(told, SingleOutcomes)]
    assert [[outcome.key for outcome in told.each()] for told in together] == [["1", "2"]]
    assert sorted(outcome.key for outcome in plan.outcomes()) == list("123456")
    assert [c.source.key for c in plan.corrections] == ["4", "5"]


UNLIKE: list[dict[str, Any]] = [
    {"mode": Mode.FORCE},
    {"report": Report.CHANGES},
    {"dependencies": Dependencies.CHILDREN},
    {"object": "Nothing"},
    {"district_id": "NOWHERE"},
    {"reason": "x" * 2_500},
    {"reason": "a\0b"},
    {"not_understood": ("mode",)},
    {"linked": True},
]


@pytest.mark.parametrize("unlike", UNLIKE, ids=str)
def test_those_with_more_to_be_done_about_are_requests_as_any(unlike: dict[str, Any]) -> None:
    one = item(replace(ASKED, **unlike))
    assert isinstance(one.ask, Single)
    intake, _ = decided([one], databases())
    assert intake.singles == []
    assert intake == decided([apart(one)], databases())[0]


def test_one_in_another_district_s_partition_goes_home() -> None:
    astray = item(ASKED, partition=(partition_of("NORTH", PARTITIONS) + 1) % PARTITIONS)
    intake, _ = decided([astray], databases())
    assert intake.misrouted == [(astray.record, partition_of("NORTH", PARTITIONS))]
    assert intake.accepted == {}


def test_others_keep_their_place_among_all_that_is_sent() -> None:
    """A parent that was asked for before its child, or a child whose deletion was, is so corrected."""
    numbers = iter(IDS)

    def asked(object_name: str, key: str, **more: Any) -> Work:
        more |= {"object": object_name, "selection": Keys((key,)), "request_id": next(numbers)}
        return item(replace(ASKED, **more))

    enrolled: dict[str, tuple[Row, ...]] = {key: (row(ENROLLMENT, personID=key),) for key in "15"}
    data = databases()
    data.district |= {("NORTH", "Enrollment"): enrolled}
    data.state |= {("NORTH", "Enrollment"): {"1": enrolled["1"]}}
    batch = [
        asked("Enrollment", "1"),
        asked("Person", "5"),
        asked("Enrollment", "5"),
        asked("Person", "4", report=Report.CHANGES),
        asked("Person", "5", requested_by="clerk"),
    ]
    _, plan = decided(batch, data)
    assert [(each.source.object, each.source.key) for each in plan.corrections] == [
        ("Person", "5"),
        ("Enrollment", "5"),
        ("Person", "4"),
        ("Person", "5"),
    ]


def test_who_is_taken_on_after_a_refusal_of_its_id_is_told_of_after_it() -> None:
    """Else the refusal would be what is left of it."""
    forced = item(replace(ASKED, request_id=IDS[1], mode=Mode.FORCE))
    batch = [item(ASKED), forced, item(replace(ASKED, request_id=IDS[1]))]
    intake, plan = decided(batch, databases(), policy=POLICY)
    states = [dict(record.headers)["status"] for record in written(intake, plan)[IDS[1].encode()]]
    assert states == [b"REJECTED", b"ACCEPTED"]


def test_what_comes_again_tells_nothing_of_what_was_taken_on() -> None:
    batch = [item(ASKED), item(replace(ASKED, requested_at=NOW), TRACE)]
    for each in (batch, [apart(one) for one in batch]):
        intake, _ = decided(each, databases())
        assert (intake.traces, intake.requested_at) == ({}, {})
        assert intake.repeated == [Lane.REQUESTS]


def test_requests_that_all_came_again_leave_nothing_behind() -> None:
    known = frozenset(decided([item(ASKED)], databases())[0].accepted)
    intake, plan = decided([item(ASKED)], databases(), known)
    assert (intake.singles, plan) == ([], Plan())


def test_few_are_requests_as_any() -> None:
    batch = [item(replace(ASKED, request_id=request_id)) for request_id in IDS[: MANY + 1]]
    intake = Sorter(CATALOG, PARTITIONS, ()).sort(batch, NOW)
    assert len(intake.chunks) == MANY - 1
    assert [len(alike.singles) for alike in intake.singles] == [2]


def test_a_sorter_sorts_one_batch_after_the_other() -> None:
    sorter = Sorter(CATALOG, PARTITIONS, (), many=1)
    assert [len(sorter.sort([item(ASKED)], NOW).singles) for _ in range(2)] == [1, 1]


_keys = st.sampled_from(["1", "2", "3", "4", "5", "6", "007", " 1", "x", "", "1\n"])
_asked = st.builds(
    replace,
    st.just(ASKED),
    request_id=st.sampled_from(IDS),
    selection=_keys.map(lambda key: Keys((key,)))
    | st.lists(_keys, min_size=1, max_size=2).map(lambda keys: Keys(tuple(keys))),
    district_id=st.sampled_from(["NORTH"] * 5 + ["RIVER"]),
    object=st.sampled_from(["Person"] * 8 + ["Nothing"]),
    requested_by=st.sampled_from(["sis", "sis", "sis", "clerk"]),
    mode=st.sampled_from([Mode.SYNC] * 4 + [Mode.VERIFY, Mode.FORCE]),
    dependencies=st.sampled_from([Dependencies.NONE] * 4 + [Dependencies.PARENTS]),
    report=st.sampled_from([Report.ALL] * 4 + [Report.CHANGES]),
    on_state_only=st.sampled_from([OnStateOnly.REPORT] * 3 + [OnStateOnly.DELETE]),
    requested_at=st.sampled_from([None, NOW, NOW - timedelta(seconds=3)]),
)
_works = st.builds(
    lambda request, trace, topic: by(topic, item(request, trace)),
    _asked,
    st.sampled_from([None, None, TRACE]),
    st.sampled_from([ONE, ONE, OTHER]),
)
_faults = st.sampled_from(["none", "none", "away", "lacking", "slow"])


@settings(max_examples=300)
@given(st.lists(_works, max_size=20), _faults, st.booleans(), st.data())
def test_what_is_written_of_a_batch_is_what_is_written_of_each(
    batch: list[Work],
    fault: str,
    is_declared: bool,  # noqa: FBT001
    draw: st.DataObject,
) -> None:
    """Also where ids come again, keys are no keys, a database is away, or a topic may ask for less than all."""
    persons = ("NORTH", "Person")
    data = databases(
        away={persons} if fault == "away" else set(),
        lacking={persons} if fault == "lacking" else set(),
        slow_keys={persons: {"1", "4"}} if fault == "slow" else {},
    )
    policy = POLICY if is_declared else None
    ids = sorted(decided(batch, data)[0].accepted) or [b""]
    known = frozenset(draw.draw(st.sets(st.sampled_from(ids), max_size=3)))
    together = decided(batch, data, known, policy)
    one_by_one = decided([apart(each) for each in batch], data, known, policy)
    assert written(*together) == written(*one_by_one)
    for name in ("corrections", "chunks", "retries"):
        assert getattr(together[1], name) == getattr(one_by_one[1], name)
        assert getattr(together[0].plan, name) == getattr(one_by_one[0].plan, name)
    for name in ("accepted", "repeated", "refused", "traces", "requested_at", "misrouted", "poison", "bulky"):
        assert getattr(together[0], name) == getattr(one_by_one[0], name)


@given(st.lists(st.tuples(st.sampled_from(["NORTH", "RIVER"]), st.sampled_from(IDS[:3])), min_size=3, max_size=8))
def test_of_districts_with_one_id_the_last_one_is_told_of_last(asked: list[tuple[str, str]]) -> None:
    """Each is taken on, and has its own headers."""
    batch = [item(replace(ASKED, district_id=district_id, request_id=request_id)) for district_id, request_id in asked]
    together, one_by_one = (decided(each, databases()) for each in (batch, [apart(each) for each in batch]))
    assert len(together[0].accepted) == len({*asked})
    assert written(*together) == written(*one_by_one)


def test_a_chunk_of_another_district_with_the_id_is_told_of_in_its_place() -> None:
    other = work(chunk("1", request_id=IDS[0], district_id="RIVER", object_name="Person"))
    batch = [other, item(replace(ASKED, request_id=IDS[0]))]
    together, one_by_one = (decided(each, databases()) for each in (batch, [apart(each) for each in batch]))
    assert written(*together) == written(*one_by_one)


def test_only_those_with_an_id_of_several_are_sorted_by_themselves(caplog: pytest.LogCaptureFixture) -> None:
    """Or one record of another district would make a batch of others dearer, and its warnings would be told twice."""
    forced = item(replace(ASKED, request_id=IDS[3], mode=Mode.FORCE))
    batch = [item(replace(ASKED, request_id=request_id)) for request_id in IDS[:3]]
    intake, _ = decided([*batch, item(replace(ASKED, district_id="RIVER")), forced], databases(), policy=POLICY)
    assert [single.request_id for alike in intake.singles for single in alike.singles] == IDS[1:3]
    assert [chunk.request_id for chunk in intake.chunks] == [IDS[0]]
    assert intake.refused == [Ground.DISTRICT, Ground.MODE]
    assert len(caplog.records) == 2
