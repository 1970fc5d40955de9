from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.accept import MAX_CHUNK_BYTES, MAX_TEXTS, PART_KEYS, accept
from processor.core.catalog import KeyType
from processor.core.chunk import Ask, Cause, Chunk
from processor.core.errors import Reason
from processor.core.history import ChunkState, ChunkStatus, RequestState, RequestStatus, Status
from processor.core.keys import invalid_key_id
from processor.core.plan import Plan
from processor.core.printable import printable
from processor.core.request import All, Dependencies, Filter, Keys, Mode, OnStateOnly, Report, Request
from tests.unit.core.builders import CATALOG, NOW, catalog, object_type, outcomes, request, spec

TEXT_KEYS = catalog(object_type("Note", [spec("body")], key_type=KeyType.TEXT))


def status_of(plan: Plan) -> RequestStatus:
    status = plan.history[0]
    assert isinstance(status, RequestStatus)
    return status


def chunk_statuses(plan: Plan) -> list[ChunkStatus]:
    return [record for record in plan.history if isinstance(record, ChunkStatus)]


def test_a_request_that_is_not_understood_is_rejected_and_names_the_fields() -> None:
    plan, chunk = accept(request("7", not_understood=("mode", "report")), CATALOG, NOW)
    status = status_of(plan)
    assert (status.state, status.reason, chunk) == (RequestState.REJECTED, Reason.NOT_SUPPORTED, None)
    assert status.detail == "mode, report: a symbol that this release does not know; it may be newer"


@pytest.mark.parametrize(
    ("asked", "reason", "detail"),
    [
        (request("7", district_id="EAST"), Reason.UNKNOWN_DISTRICT, "district EAST is not in the catalog"),
        (request("7", district_id="E\x00"), Reason.UNKNOWN_DISTRICT, "district E\\x00 is not in the catalog"),
        (
            request("7", object_name="Persons"),
            Reason.UNKNOWN_OBJECT,
            "object Persons is not one of Behavior, Enrollment, Person, Sanction",
        ),
        (request(), Reason.EMPTY_SELECTION, "the selection names no key"),
        (
            request(selection=All(), mode=Mode.VERIFY, linked=True, run_id="7"),
            Reason.INVALID_REQUEST,
            "a linked request needs a run_id that is a uuid in lower case",
        ),
        (
            request(selection=Filter("grade = 9"), mode=Mode.VERIFY),
            Reason.INVALID_REQUEST,
            (
                "filter, position 1: grade is unknown for Person; there are birthDate, certification, gender, "
                "homeless, income, key, lastName, loadedAt, modifiedAt, nickname, ratio, siblings"
            ),
        ),
        (
            request(selection=Filter(" "), mode=Mode.VERIFY),
            Reason.INVALID_REQUEST,
            "filter, position 1: it is empty; it would have to name a field, such as grade = '10'",
        ),
        (
            request(selection=All(), mode=Mode.VERIFY, school_year="2026"),
            Reason.INVALID_REQUEST,
            "Person has no school year, and nothing above it has one",
        ),
        (request("7", reason="x" * 2_001, run_id="y" * 256), Reason.INVALID_REQUEST, "too long: run_id, reason"),
        (request("7", requested_by="a\0b"), Reason.INVALID_REQUEST, "holds the character NUL: requested_by"),
        (
            request(selection=Filter("\0"), reason="\0"),
            Reason.INVALID_REQUEST,
            "holds the character NUL: reason, selection",
        ),
        (request(selection=Filter("x" * 2_001)), Reason.INVALID_REQUEST, "too long: selection"),
    ],
)
def test_requests_that_are_not_taken_on(asked: Request, reason: Reason, detail: str) -> None:
    plan, chunk = accept(asked, CATALOG, NOW)
    status = status_of(plan)
    assert (status.state, status.reason, status.detail, status.keys) == (RequestState.REJECTED, reason, detail, 0)
    assert (chunk, len(plan.history), plan.chunks, plan.corrections) == (None, 1, [], [])


def test_a_school_year_that_is_not_open_is_rejected() -> None:
    known = replace(CATALOG, open_years=frozenset({2027, 2026}))
    for year in ("2025", "2026-27", "", "20260", "\u0662026"):
        plan, chunk = accept(request("7", school_year=year), known, NOW)
        status = status_of(plan)
        assert (status.state, status.reason, chunk) == (RequestState.REJECTED, Reason.YEAR_NOT_OPEN, None)
        assert status.detail == "only these school years are open: 2026, 2027"
    for asked in (request("7"), request("7", school_year="2026"), request("7", school_year=" 2027")):
        assert accept(asked, known, NOW)[1] is not None
    assert accept(request("7", school_year="2025"), CATALOG, NOW)[1] is not None


def test_no_text_of_a_request_can_make_its_status_too_large_a_record() -> None:
    huge: dict[str, Any] = dict.fromkeys(MAX_TEXTS, "x" * 1_000_000)
    plan, _ = accept(request(selection=Filter("x" * 1_000_000), **huge), CATALOG, NOW)
    kept = status_of(plan).request
    assert {name: len(getattr(kept, name)) for name in MAX_TEXTS} == MAX_TEXTS
    assert isinstance(kept.selection, Filter)
    assert len(kept.selection.expression) == 2_000


def test_a_request_is_one_chunk_that_keeps_what_was_asked_for() -> None:
    wishes: dict[str, Any] = {
        "mode": Mode.FORCE,
        "dependencies": Dependencies.PARENTS,
        "on_state_only": OnStateOnly.DELETE,
        "report": Report.CHANGES,
    }
    asked = request("7", "8", requested_at=NOW, **wishes)
    plan, chunk = accept(asked, CATALOG, NOW)
    asks = (Ask("7", "7"), Ask("8", "8"))
    assert chunk == Chunk(asked.request_id, "0", "NORTH", "Person", asks, Cause.REQUEST, requested_at=NOW, **wishes)
    assert plan.history == [RequestStatus(asked, RequestState.ACCEPTED, None, None, 2, NOW)]


def test_spellings_of_one_key_are_one_key_as_first_asked_for() -> None:
    plan, chunk = accept(request("8", "007", "7", " 7 ", "-0", "0"), CATALOG, NOW)
    assert chunk is not None
    assert chunk.asks == (Ask("8", "8"), Ask("7", "007"), Ask("0", "-0"))
    assert status_of(plan).keys == 3


def test_a_key_that_cannot_be_one_ends_alone() -> None:
    plan, chunk = accept(request("+7", "7", "７", "+7", "a\x00b"), CATALOG, NOW)
    assert chunk is not None
    assert [ask.key for ask in chunk.asks] == ["7"]
    assert status_of(plan).keys == 4
    assert [(o.key, o.asked_as, o.status, o.reason, o.detail) for o in outcomes(plan)] == [
        (invalid_key_id(text), shown, Status.FAILED, Reason.INVALID_KEY, detail)
        for text, shown, detail in [
            ("+7", "+7", "the key is not an integer in ASCII digits"),
            ("７", "７", "the key is not an integer in ASCII digits"),
            ("a\x00b", "a\\x00b", "the key holds a control character"),
        ]
    ]


def test_a_request_of_invalid_keys_alone_is_accepted_and_leaves_nothing_to_compare() -> None:
    plan, chunk = accept(request("x", "y"), CATALOG, NOW)
    assert chunk is None
    assert status_of(plan).state is RequestState.ACCEPTED
    assert [o.status for o in outcomes(plan)] == [Status.FAILED, Status.FAILED]
    assert not chunk_statuses(plan)


def test_more_keys_than_a_transaction_holds_are_split() -> None:
    keys = [str(number) for number in range(1, 8)]
    plan, chunk = accept(request(*keys), catalog(max_keys=3), NOW)
    assert chunk is None
    assert [[ask.key for ask in part.asks] for part in plan.chunks] == [["1", "2", "3"], ["4", "5", "6"], ["7"]]
    assert [part.chunk for part in plan.chunks] == ["0.0", "0.1", "0.2"]
    assert {part.cause for part in plan.chunks} == {Cause.SPLIT}
    assert [(s.chunk, s.state, s.keys) for s in chunk_statuses(plan)] == [
        ("0.0", ChunkState.PENDING, 3),
        ("0.1", ChunkState.PENDING, 3),
        ("0.2", ChunkState.PENDING, 1),
    ]
    assert status_of(plan).keys == 7


def test_exactly_as_many_keys_as_a_transaction_holds_are_not_split() -> None:
    plan, chunk = accept(request("1", "2", "3"), catalog(max_keys=3), NOW)
    assert chunk is not None
    assert not plan.chunks


def test_what_may_delete_is_not_split_so_that_all_deletions_are_counted_together() -> None:
    asked = request("1", "2", "3", on_state_only=OnStateOnly.DELETE)
    plan, chunk = accept(asked, catalog(max_keys=2), NOW)
    assert (chunk, plan.chunks) == (None, [])
    assert (status_of(plan).state, status_of(plan).reason) == (RequestState.REJECTED, Reason.TOO_MANY_KEYS)


@given(
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=255), min_size=1, max_size=12),
    st.integers(1, 5),
)
def test_every_key_is_in_one_part_or_has_an_outcome(keys: list[str], max_keys: int) -> None:
    asked = request(object_name="Note", selection=Keys(tuple(keys)))
    limited = replace(TEXT_KEYS, limits=replace(TEXT_KEYS.limits, max_keys=max_keys))
    plan, chunk = accept(asked, limited, NOW)
    parts = plan.chunks if chunk is None else [chunk]
    placed = [ask.key for part in parts for ask in part.asks] + [o.key for o in outcomes(plan)]
    assert len(placed) == len(set(placed)) == status_of(plan).keys
    assert all(1 <= len(part.asks) <= max_keys for part in parts)
    assert sum(s.keys for s in chunk_statuses(plan)) == (0 if chunk else sum(len(part.asks) for part in parts))


def test_a_part_stays_within_a_record() -> None:
    keys = [f"{number:06d}" + "é" * 124 for number in range(3_000)]
    plan, _ = accept(request(*keys, object_name="Note"), TEXT_KEYS, NOW)
    sizes = [sum(len(a.key.encode()) + len((a.asked_as or "").encode()) for a in part.asks) for part in plan.chunks]
    assert [len(part.asks) for part in plan.chunks] == 6 * [PART_KEYS], "fewer keys than a chunk may have"
    assert max(sizes) <= MAX_CHUNK_BYTES
    assert [ask.key for part in plan.chunks for ask in part.asks] == keys


def test_the_same_request_becomes_the_same_plan() -> None:
    asked = request("1", "x", "3")
    assert accept(asked, catalog(max_keys=1), NOW) == accept(asked, catalog(max_keys=1), NOW)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("007", "007"),
        ("a b", "a b"),
        ("a\x00\n", "a\\x00\\n"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("x" * 255, "x" * 255),
        ("x" * 256, "x" * 254 + "…"),
        ("\x00" * 255, ("\\x00" * 64)[:254] + "…"),
    ],
)
def test_a_requester_s_text_as_history_shows_it(text: str, shown: str) -> None:
    assert printable(text) == shown
