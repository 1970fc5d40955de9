from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec
from processor.core.accept import accept
from processor.core.catalog import Catalog, District, KeyType, Limits
from processor.core.history import RequestStatus
from processor.core.printable import MAX_ASKED_AS
from processor.core.request import All, Dependencies, Keys, OnStateOnly, Request
from processor.service import submit
from processor.service.submit import MAX_DOUBTED_KEYS, MAX_REQUEST_KEYS, doubts, split, split_together
from tests.unit.codec.catalogs import OBJECTS, catalog_of

REQUEST = Request(
    "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11", "NORTH", "PersonIdentity", Keys(("1",)), "clerk@desk", reason="drift"
)
NOW = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
MAX_KEYS = Limits().max_keys
CATALOG = replace(catalog_of(*OBJECTS), districts={"NORTH": District("NORTH", "Northfield", "")})


def keys_of(request: Request) -> tuple[str, ...]:
    assert isinstance(request.selection, Keys)
    return request.selection.keys


def test_what_fits_is_one_request_unchanged() -> None:
    assert split(REQUEST, MAX_KEYS) == [REQUEST]
    assert split(replace(REQUEST, selection=All()), MAX_KEYS) == [replace(REQUEST, selection=All())]


def test_more_keys_than_a_request_may_have_become_several_of_one_run() -> None:
    keys = tuple(map(str, range(MAX_REQUEST_KEYS + 1)))
    first, second = split(replace(REQUEST, selection=Keys(keys)), MAX_KEYS)
    assert keys_of(first) + keys_of(second) == keys
    assert first.request_id == REQUEST.request_id
    assert first.run_id == second.run_id == REQUEST.request_id
    assert second.request_id != first.request_id
    assert second.reason == "drift"


def test_the_same_again_repeats_the_same_requests() -> None:
    large = replace(REQUEST, selection=Keys(("k" * 255,) * 10_000))
    assert len(split(large, MAX_KEYS)) > 1
    assert split(large, MAX_KEYS) == split(large, MAX_KEYS)


def test_a_run_that_was_named_keeps_its_name() -> None:
    large = replace(REQUEST, selection=Keys(("k" * 255,) * 10_000), run_id="nightly")
    assert {request.run_id for request in split(large, MAX_KEYS)} == {"nightly"}


def test_requests_of_the_longest_keys_fit_in_a_record() -> None:
    codec = Codec.open(None, Catalog({}, {}, Limits()))
    large = replace(REQUEST, selection=Keys(("é" * 127,) * 8_000), reason="r" * 10_000)
    sizes = [len(codec.encode("resync.requests", request)) for request in split(large, MAX_KEYS)]
    assert max(sizes) < 950_000
    assert len(sizes) > 1


@pytest.mark.parametrize(
    "bounded",
    [
        {"dependencies": Dependencies.CHILDREN},
        {"dependencies": Dependencies.ALL},
        {"on_state_only": OnStateOnly.DELETE},
    ],
    ids=str,
)
@pytest.mark.parametrize("text", ["{}", "\u200b" * 50 + "{:05}"], ids=["short", "long and not printable"])
def test_what_must_fit_in_one_chunk_is_never_rejected_for_its_number_of_keys(
    bounded: dict[str, Any], text: str
) -> None:
    keys = tuple(text.format(n) for n in range(MAX_KEYS + 1))
    kind = replace(CATALOG.objects["PersonIdentity"], key_type=KeyType.TEXT)
    catalog = replace(CATALOG, objects={"PersonIdentity": kind})
    asked = replace(REQUEST, selection=Keys(keys), **bounded)
    assert accept(asked, catalog, NOW)[1] is None
    parts = split(asked, MAX_KEYS)
    assert [key for part in parts for key in keys_of(part)] == list(keys)
    assert {part.run_id for part in parts} == {REQUEST.request_id}
    for part in parts:
        plan, chunk = accept(part, catalog, NOW)
        assert chunk is not None
        assert [record.state for record in plan.history if isinstance(record, RequestStatus)] == ["ACCEPTED"]


def test_what_may_come_in_many_chunks_stays_one_request() -> None:
    asked = replace(REQUEST, selection=Keys(tuple(map(str, range(MAX_KEYS + 1)))), dependencies=Dependencies.PARENTS)
    assert split(asked, MAX_KEYS) == [asked]


@given(st.lists(st.text(max_size=40), min_size=1, max_size=60), st.integers(60, 400))
def test_no_key_is_lost_doubled_or_moved(keys: list[str], max_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submit, "MAX_REQUEST_BYTES", 1_000 + max_bytes)
        parts = split(replace(REQUEST, selection=Keys(tuple(keys))), MAX_KEYS)
    assert [key for part in parts for key in keys_of(part)] == keys
    assert len({part.request_id for part in parts}) == len(parts)


def test_doubts_quote_the_key_as_the_history_shows_it_with_its_place() -> None:
    found = doubts(replace(REQUEST, selection=Keys(("7", "x7", "", "7\x1b[2J", "k" * 1_000))), CATALOG)
    assert found == [
        "key 2 'x7': the key is not an integer in ASCII digits",
        "key 3 '': the key is empty",
        "key 4 '7\\x1b[2J': the key holds a control character",
        f"key 5 '{'k' * (MAX_ASKED_AS - 1)}…': the key is longer than 255 bytes",
    ]


def test_doubts_about_very_many_keys_are_summed_up() -> None:
    found = doubts(replace(REQUEST, selection=Keys(("x",) * 1_000)), CATALOG)
    assert len(found) == MAX_DOUBTED_KEYS + 1
    assert "995 more" in found[-1]


def test_several_asked_for_at_once_are_one_run_whose_ids_follow_from_one() -> None:
    other = replace(REQUEST, object="Enrollment", selection=Keys(("2", "3")))
    one, two = split_together([REQUEST, other], MAX_KEYS)
    assert [(one.object, keys_of(one)), (two.object, keys_of(two))] == [
        ("PersonIdentity", ("1",)),
        ("Enrollment", ("2", "3")),
    ]
    assert (one.request_id, one.run_id, two.run_id) == (REQUEST.request_id, REQUEST.request_id, REQUEST.request_id)
    assert two.request_id != one.request_id
    assert split_together([REQUEST, other], MAX_KEYS) == [one, two]
    assert split_together([other], MAX_KEYS) == [other]
    assert split_together([], MAX_KEYS) == []
