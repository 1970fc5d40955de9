"""A scan: each key in one part of it, and the same found as when each key had been named."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.core.accept import accept, first_digest
from processor.core.catalog import KeyType, Limits
from processor.core.chunk import Cause, Chunk, Scan, Stage
from processor.core.compare import EQUAL
from processor.core.digest import MAX_SUSPECTS, Digest, equal_window, next_sizes, same_digest
from processor.core.errors import Reason
from processor.core.history import ChunkState, ChunkStatus, KeyOutcome, RequestState, RequestStatus, Status
from processor.core.lines import lines_window
from processor.core.plan import Plan
from processor.core.request import All, Dependencies, Mode, Report, Request
from processor.core.scan import Sizes, begin_part, cancel_part, defer_part, end_part, fail_part, next_size, smaller
from processor.core.snapshot import Row
from processor.core.window import Disordered, Page, Window, never_in_sync, window
from tests.unit.core.builders import (
    CATALOG,
    NOW,
    PERSON,
    World,
    chunk,
    digests,
    lines,
    object_type,
    only_outcome,
    ours,
    outcomes,
    packed,
    page,
    request,
    row,
    spec,
    theirs,
)

LIMITS = Limits()
Side = dict[str, tuple[Row, ...]]

DISTRICT_ROWS = st.sampled_from([(ours(),)] * 4 + [(ours(lastName="Else"),), (ours(gender="?"),), (ours(), ours()), ()])
STATE_ROWS = st.sampled_from(
    [(theirs(),)] * 4
    + [(theirs(certification="y"),), (theirs(lastName="Other"),), (theirs(income="x"),), (theirs(), theirs()), ()]
)
SIDES = st.dictionaries(st.integers(-50, 50).map(str), st.tuples(DISTRICT_ROWS, STATE_ROWS), max_size=25)


def whole(**more: Any) -> Request:
    return replace(request(), selection=All(), mode=Mode.VERIFY, **more)


def first_part(report: Report = Report.CHANGES, size: int = 10) -> Chunk:
    _, first = accept(whole(report=report), CATALOG, NOW)
    assert first is not None
    (part,) = begin_part(first, Scan(None, 0, size, 0), NOW).chunks
    return part


def scanned(district: Side, state: Side, sizes: st.DataObject, report: Report) -> Plan:
    """All parts and all that they had read again, with a size of each part's own."""
    plan, part = Plan(), first_part(report, sizes.draw(st.integers(1, 8)))
    while True:
        assert part.scan is not None
        after, size = part.scan.after, part.scan.size
        pages = page(district, after, size), page(state, after, size)
        seen = window(PERSON, after, *pages)
        if sizes.draw(st.booleans()):
            of_lines = lines(PERSON, *pages)
            seen = window(PERSON, after, *of_lines, same_digest)
            by_packed = lines_window(PERSON, after, *packed(PERSON, *of_lines))
            assert replace(by_packed, equal=list(map(str, by_packed.equal))) == seen
        if report is Report.CHANGES and (tried := sizes.draw(st.integers(0, 8))):
            alike = digests(PERSON, page(district, after, tried), page(state, after, tried))
            seen = equal_window(*alike, tried) or seen
        step = end_part(part, seen, Sizes(sizes.draw(st.integers(1, 8))), LIMITS, NOW)
        plan.add(step)
        if not step.chunks:
            break
        (part,) = step.chunks
    world = World(*({("Person", key): rows for key, rows in side.items()} for side in (district, state)))
    for again in plan.retries:
        plan.history += world.decide(again).history
    return plan


def by_key(district: Side, state: Side, report: Report) -> Plan:
    world = World(*({("Person", key): rows for key, rows in side.items()} for side in (district, state)))
    return world.decide(chunk(*{**district, **state}, mode=Mode.VERIFY, report=report))


def told(plan: Plan) -> dict[str, tuple[object, ...]]:
    found = outcomes(plan)
    assert len({outcome.key for outcome in found}) == len(found)
    return {o.key: (o.status, o.reason, o.detail, o.changed_fields, o.asked_as, o.attempt) for o in found}


def last_statuses(plan: Plan) -> list[ChunkStatus]:
    """What history would know of each chunk."""
    return list({s.chunk: s for s in plan.history if isinstance(s, ChunkStatus)}.values())


@settings(max_examples=100, deadline=None)
@given(SIDES, st.data(), st.sampled_from(Report))
def test_whatever_the_size_of_its_parts_a_scan_finds_what_each_key_by_itself_gives(
    both: dict[str, tuple[tuple[Row, ...], tuple[Row, ...]]], sizes: st.DataObject, report: Report
) -> None:
    held = {key: sides for key, sides in both.items() if any(sides)}
    district, state = ({key: sides[i] for key, sides in held.items() if sides[i]} for i in (0, 1))
    scan, single = scanned(district, state, sizes, report), by_key(district, state, report)
    done = last_statuses(scan)
    assert all(status.state is ChunkState.DONE for status in done)
    expected = [key for key, (_, reason, *_) in told(single).items() if reason is Reason.EXPECTED_DIFFERENCE]
    counted = expected if report is Report.CHANGES else []
    assert told(scan) == {key: what for key, what in told(single).items() if key not in counted}
    assert sum(s.expected_differences for s in done) == len(counted)
    assert sum(s.in_sync for s in done) == sum(s.in_sync for s in last_statuses(single)) + len(counted)
    assert sum(s.keys for s in done) == len(held)
    assert sum(s.district_rows for s in done) == sum(map(len, district.values()))
    assert sum(s.state_rows for s in done) == sum(map(len, state.values()))
    assert len({*told(scan)}) + sum(s.in_sync for s in done) == len(held)


def test_a_request_for_all_is_accepted_and_begins_with_one_part() -> None:
    plan, first = accept(whole(), CATALOG, NOW)
    (status,) = plan.history
    assert isinstance(status, RequestStatus)
    assert (status.state, status.keys) == (RequestState.ACCEPTED, 0)
    assert first is not None
    assert (first.chunk, first.asks, first.scan) == ("0.0", (), Scan(None, 0, 1_000, 0))


@pytest.mark.parametrize(
    ("mode", "stage", "digest"),
    [(Mode.SYNC, Stage.PLAN, 10_000), (Mode.FORCE, Stage.PLAN, 0), (Mode.VERIFY, Stage.GUARDED, 10_000)],
)
def test_what_may_send_is_planned_first_and_what_is_forced_needs_no_digest(
    mode: Mode, stage: Stage, digest: int
) -> None:
    _, first = accept(replace(whole(report=Report.CHANGES), mode=mode), CATALOG, NOW)
    assert first is not None
    assert first.scan is not None
    assert (first.stage, first.scan.digest) == (stage, digest)


@pytest.mark.parametrize(("target_s", "digest"), [(0.001, 1_000), (0.1, 2_000), (0.5, 10_000), (60.0, 10_000)])
def test_a_first_digest_is_of_what_takes_no_longer_than_a_part_may(target_s: float, digest: int) -> None:
    assert first_digest(Mode.VERIFY, Report.CHANGES, Limits(chunk_target_s=target_s)) == digest


def test_what_hangs_below_is_scanned_after_it_parents_first() -> None:
    _, part = accept(whole(dependencies=Dependencies.ALL), CATALOG, NOW)
    assert part is not None
    seen = [(part.object, part.chunk)]
    while part.scan is not None and part.scan.below:
        (part,) = end_part(part, Window(last=None), Sizes(40), LIMITS, NOW).chunks
        assert (part.scan or Scan("", 1, 0, 0)).after is None
        assert part.dependencies is Dependencies.PARENTS
        seen.append((part.object, part.chunk))
    assert seen == [("Person", "0.0"), ("Enrollment", "1.0"), ("Behavior", "2.0"), ("Sanction", "3.0")]


@pytest.mark.parametrize("last", ["2", None])
def test_what_follows_a_part_is_announced_before_its_end(last: str | None) -> None:
    """Whoever has read only some of a transaction must not find nothing open (ADR 0154)."""
    _, part = accept(whole(dependencies=Dependencies.ALL), CATALOG, NOW)
    assert part is not None
    *before, end = end_part(part, Window(last=last, suspects=["1"]), Sizes(40), LIMITS, NOW).history
    assert isinstance(end, ChunkStatus)
    assert (end.chunk, end.state) == (part.chunk, ChunkState.DONE)
    assert [record.state for record in before if isinstance(record, ChunkStatus)] == [ChunkState.PENDING] * 2


def test_suspects_that_are_to_be_mended_are_planned_at_once() -> None:
    seen = window(PERSON, None, Page({"1": (ours(),), "2": (ours(),)}, is_full=False), Page({}, is_full=False))
    part = replace(first_part(), mode=Mode.SYNC, stage=Stage.PLAN)
    plan = end_part(part, seen, Sizes(40), LIMITS, NOW)
    (found,) = plan.chunks
    assert plan.retries == []
    assert ([ask.key for ask in found.asks], found.stage, found.cause) == (["1", "2"], Stage.PLAN, Cause.CONFIRM)
    assert [(s.chunk, s.state) for s in last_statuses(plan)] == [
        (found.chunk, ChunkState.PENDING),
        (part.chunk, ChunkState.DONE),
    ]


def test_by_force_equal_records_are_suspects_too() -> None:
    both = Page({"1": (ours(),)}, is_full=False), Page({"1": (theirs(),)}, is_full=False)
    assert window(PERSON, None, *both).suspects == []
    assert window(PERSON, None, *both, never_in_sync).suspects == ["1"]


def test_a_cancelled_scan_ends_with_one_outcome_for_all_that_it_has_not_looked_at() -> None:
    part = replace(first_part(), scan=Scan("41", 3, 500, 9), chunk="0.3")
    plan = cancel_part(part, NOW)
    outcome = only_outcome(plan)
    assert (outcome.status, outcome.asked_as) == (Status.CANCELLED, "all keys after 41")
    assert [(s.chunk, s.state) for s in last_statuses(plan)] == [("0.3", ChunkState.DONE)]


def test_a_part_ends_where_the_side_that_got_less_far_ends() -> None:
    district = Page({key: (ours(),) for key in ("1", "9", "10")}, is_full=True)
    state = Page({key: (theirs(),) for key in ("1", "2", "9")}, is_full=True)
    seen = window(PERSON, None, district, state)
    assert (seen.last, seen.equal, seen.suspects) == ("9", ["1", "9"], ["2"])
    plan = end_part(first_part(), seen, Sizes(40), LIMITS, NOW)
    (following,) = plan.chunks
    assert (following.chunk, following.scan) == ("0.1", Scan("9", 1, 40, 0))
    assert [s.state for s in plan.history if isinstance(s, ChunkStatus) and s.chunk == "0.1"] == [ChunkState.PENDING]


def test_suspects_are_read_again_and_only_then_told() -> None:
    seen = window(PERSON, None, Page({"1": (ours(),), "2": (ours(),)}, is_full=False), Page({}, is_full=False))
    plan = end_part(first_part(), seen, Sizes(40), replace(LIMITS, max_keys=1), NOW)
    assert outcomes(plan) == []
    assert [(c.chunk, c.cause, [a.key for a in c.asks]) for c in plan.retries] == [
        ("0.0.0", Cause.CONFIRM, ["1"]),
        ("0.0.1", Cause.CONFIRM, ["2"]),
    ]
    arrived = World({("Person", "1"): (ours(),)}, {("Person", "1"): (theirs(),)}).decide(plan.retries[0])
    assert outcomes(arrived) == []
    (done,) = last_statuses(arrived)
    assert (done.chunk, done.state, done.in_sync, done.keys) == ("0.0.0", ChunkState.DONE, 1, 1)


def test_a_key_in_a_spelling_that_nobody_can_ask_for_fails_by_itself() -> None:
    kind = object_type("Code", [spec("name")], key_type=KeyType.TEXT)
    named = row(kind, name="x")
    seen = window(
        kind, None, Page({" a": (named,), "b": (named,)}, is_full=False), Page({"b": (named,)}, is_full=False)
    )
    assert seen.equal == ["b"]
    (outcome,) = outcomes(end_part(first_part(), seen, Sizes(40), LIMITS, NOW))
    assert (outcome.status, outcome.reason, outcome.asked_as) == (Status.FAILED, Reason.INVALID_KEY, " a")
    assert outcome.detail == "the key is kept in a spelling that nobody can ask for; at the district"


@pytest.mark.parametrize(
    ("after", "keys"), [(None, ["2", "1"]), (None, ["10", "9"]), ("5", ["5", "6"]), ("10", ["9", "11"])]
)
def test_a_side_in_another_order_is_not_trusted(after: str | None, keys: list[str]) -> None:
    with pytest.raises(Disordered, match="district"):
        window(PERSON, after, Page({key: (ours(),) for key in keys}, is_full=True), Page({}, is_full=False))


@pytest.mark.parametrize(
    ("size", "took_s", "report", "following"),
    [
        (1_000, 0.5, Report.CHANGES, 1_000),
        (1_000, 0.25, Report.CHANGES, 2_000),
        (1_000, 0.001, Report.CHANGES, 16_000),
        (1_000, 2.0, Report.CHANGES, 250),
        (1_000, 60.0, Report.CHANGES, 100),
        (100_000, 0.1, Report.CHANGES, 200_000),
        (5_000, 0.1, Report.ALL, 5_000),
        (1, 0.001, Report.CHANGES, 100),
    ],
)
def test_parts_become_as_large_as_the_time_that_they_should_take(
    size: int, took_s: float, report: Report, following: int
) -> None:
    assert next_size(size, took_s, report, LIMITS) == following


def test_a_part_that_cannot_be_read_goes_round_under_its_own_id_and_at_last_fails_for_its_range() -> None:
    part = replace(first_part(), scan=Scan("41", 3, 500, 9), chunk="0.3")
    away = defer_part(smaller(part), "state: away", LIMITS, NOW)
    assert away.history == []
    (again,) = away.retries
    assert (again.chunk, again.attempt, again.deferred_since, again.scan) == ("0.3", 2, NOW, Scan("41", 3, 50, 9))
    late = defer_part(again, "state: away", LIMITS, NOW + timedelta(minutes=16))
    assert late.retries == []
    outcome = only_outcome(late)
    assert (outcome.status, outcome.reason, outcome.asked_as) == (
        Status.FAILED,
        Reason.SNAPSHOT_UNAVAILABLE,
        "all keys after 41",
    )
    assert outcome.detail == "all keys after 41 were not compared: state: away"
    (status,) = last_statuses(late)
    assert (status.chunk, status.state) == ("0.3", ChunkState.DONE)


def test_a_part_after_a_wait_says_nothing_of_the_wait() -> None:
    part = replace(first_part(), attempt=4, deferred_since=NOW)
    seen = window(PERSON, None, Page({"1": (ours(),)}, is_full=True), Page({"1": (theirs(),)}, is_full=False))
    (following,) = end_part(part, seen, Sizes(40), LIMITS, NOW).chunks
    assert (following.attempt, following.deferred_since, following.not_before) == (1, None, None)


def test_a_row_fewer_than_one_is_never_asked_for() -> None:
    assert smaller(replace(first_part(), scan=Scan(None, 0, 3, 0))).scan == Scan(None, 0, 1, 0)


def test_a_part_that_fails_names_the_reason() -> None:
    outcome = only_outcome(fail_part(first_part(), Reason.NO_INDEX, "CREATE INDEX", NOW))
    assert isinstance(outcome, KeyOutcome)
    assert (outcome.reason, outcome.detail) == (Reason.NO_INDEX, "all keys were not compared: CREATE INDEX")


ALIKE = Digest(rows=40, keys=40, last="99", checksum="-7", are_plain=True)


def test_equal_digests_end_a_window_and_nothing_else_does() -> None:
    assert equal_window(ALIKE, ALIKE, 40) == Window("99", counted=40, district_rows=40, state_rows=40)
    assert equal_window(ALIKE, ALIKE, 41) == Window(None, counted=40, district_rows=40, state_rows=40)
    others: list[dict[str, Any]] = [{"rows": 39}, {"keys": 39}, {"last": "98"}, {"checksum": "8"}]
    assert [equal_window(ALIKE, replace(ALIKE, **other), 40) for other in others] == [None] * 4
    for odd in (replace(ALIKE, keys=39), replace(ALIKE, are_plain=False)):
        assert equal_window(odd, odd, 40) is None


@pytest.mark.parametrize(
    ("seen", "took_s", "report", "following"),
    [
        (Window("9", counted=1_000), 0.25, Report.CHANGES, Sizes(500, 2_000)),
        (Window("9", counted=1_000), 0.01, Report.CHANGES, Sizes(500, 16_000)),
        (Window("9", counted=1_000), 5.0, Report.CHANGES, Sizes(500, 100)),
        (Window("9", equal=["1"]), 0.5, Report.CHANGES, Sizes(500, 500)),
        (Window("9", equal=["1"]), 0.5, Report.ALL, Sizes(500, 0)),
        (Window("9", equal=["1"], suspects=["2"]), 0.5, Report.CHANGES, Sizes(500, 0)),
        (Window("9", equal=["1"] * 3, suspects=["2"], differing=1), 0.5, Report.CHANGES, Sizes(500, 0)),
        (Window("9", equal=["1"] * 2, suspects=["2"], differing=1), 0.5, Report.CHANGES, Sizes(500, 0, by_rows=True)),
    ],
)
def test_digests_are_tried_where_they_may_end_a_part(
    seen: Window, took_s: float, report: Report, following: Sizes
) -> None:
    assert next_sizes(Scan("1", 3, 500, 0, 1_000), seen, took_s, report, LIMITS) == following


@pytest.mark.parametrize(
    ("seen", "by_rows"),
    [
        (Window("9", equal=["1"] * 3, suspects=["2"], differing=1), True),
        (Window("9", equal=["1"] * 2, suspects=["2"], differing=1), False),
        (Window("9", expected=[("1", EQUAL)] * 2, suspects=["2"], differing=1), True),
        (Window("9", expected=[("1", EQUAL)], suspects=["2"], differing=1), False),
        (Window("9", equal=["1"] * 2, suspects=["2"]), True),
    ],
)
def test_columns_are_read_for_as_long_as_most_rows_do_not_differ_in_them(seen: Window, *, by_rows: bool) -> None:
    """Those that do are read by their keys anyway."""
    scan = Scan("1", 3, 500, 0, by_rows=True)
    assert next_sizes(scan, seen, 0.5, Report.CHANGES, LIMITS).by_rows is by_rows


@pytest.mark.parametrize(
    ("part", "expected", "following"),
    [(14, 0, (5_000, True)), (15, 25, (1_000, False)), (15, 26, (5_000, True))],
)
def test_digests_of_few_rows_are_tried_again_after_some_parts(
    part: int, expected: int, following: tuple[int, bool]
) -> None:
    """Where many have expected differences they would tell nothing."""
    seen = Window("9", equal=["1"] * (100 - expected), expected=[("1", EQUAL)] * expected)
    scan = Scan("1", part, 5_000, 0, by_rows=True)
    sizes = next_sizes(scan, seen, 0.5, Report.CHANGES, LIMITS)
    assert (sizes.rows, sizes.by_rows) == following


def test_a_digest_that_ends_a_part_shows_that_digests_of_rows_would_do_too() -> None:
    scan = Scan("1", 3, 500, 0, 1_000, by_rows=True)
    assert next_sizes(scan, Window("9", counted=1_000), 0.25, Report.CHANGES, LIMITS) == Sizes(500, 2_000)


def test_a_part_is_not_so_large_that_very_many_keys_are_suspect() -> None:
    seen = Window("9", equal=["1"] * 500, suspects=["2"] * 500)
    sizes = next_sizes(Scan("1", 3, 100_000, 0), seen, 0.01, Report.CHANGES, LIMITS)
    assert sizes.rows == 2 * MAX_SUSPECTS
    assert next_sizes(Scan("1", 3, 100, 0), seen, 0.5, Report.CHANGES, LIMITS).rows == 100


@pytest.mark.parametrize("key", ["NaN", "Infinity", "x"])
def test_a_key_that_is_no_number_ends_the_scan_and_nothing_else(key: str) -> None:
    with pytest.raises(Disordered, match="not a number"):
        window(PERSON, None, Page({"1": (ours(),), key: (ours(),)}, is_full=True), Page({}, is_full=False))


def test_no_key_is_counted_twice_where_a_side_is_far_ahead() -> None:
    district = {str(n): (ours(),) for n in range(100)}
    state = {"3": (theirs(),)}
    keys: Counter[str] = Counter()
    after: str | None = None
    while True:
        seen = window(PERSON, after, page(district, after, 7), page(state, after, 7))
        keys.update([*seen.equal, *seen.suspects])
        if seen.last is None:
            break
        after = seen.last
    assert keys == Counter(list(district))
