from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec
from processor.core.catalog import Catalog, District, Limits
from processor.core.request import All, Keys, Request
from processor.service import submit
from processor.service.submit import MAX_DOUBTED_KEYS, MAX_REQUEST_KEYS, doubts, split
from tests.unit.codec.catalogs import OBJECTS, catalog_of

REQUEST = Request(
    "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11", "NORTH", "PersonIdentity", Keys(("1",)), "clerk@desk", reason="drift"
)
CATALOG = replace(catalog_of(*OBJECTS), districts={"NORTH": District("NORTH", "Northfield", "")})


def keys_of(request: Request) -> tuple[str, ...]:
    assert isinstance(request.selection, Keys)
    return request.selection.keys


def test_what_fits_is_one_request_unchanged() -> None:
    assert split(REQUEST) == [REQUEST]
    assert split(replace(REQUEST, selection=All())) == [replace(REQUEST, selection=All())]


def test_more_keys_than_a_request_may_have_become_several_of_one_run() -> None:
    keys = tuple(map(str, range(MAX_REQUEST_KEYS + 1)))
    first, second = split(replace(REQUEST, selection=Keys(keys)))
    assert keys_of(first) + keys_of(second) == keys
    assert first.request_id == REQUEST.request_id
    assert first.run_id == second.run_id == REQUEST.request_id
    assert second.request_id != first.request_id
    assert second.reason == "drift"


def test_the_same_again_repeats_the_same_requests() -> None:
    large = replace(REQUEST, selection=Keys(("k" * 255,) * 10_000))
    assert len(split(large)) > 1
    assert split(large) == split(large)


def test_a_run_that_was_named_keeps_its_name() -> None:
    large = replace(REQUEST, selection=Keys(("k" * 255,) * 10_000), run_id="nightly")
    assert {request.run_id for request in split(large)} == {"nightly"}


def test_requests_of_the_longest_keys_fit_in_a_record() -> None:
    codec = Codec.open(None, Catalog({}, {}, Limits()))
    large = replace(REQUEST, selection=Keys(("é" * 127,) * 8_000), reason="r" * 10_000)
    sizes = [len(codec.encode("resync.requests", request)) for request in split(large)]
    assert max(sizes) < 950_000
    assert len(sizes) > 1


@given(st.lists(st.text(max_size=40), min_size=1, max_size=60), st.integers(60, 400))
def test_no_key_is_lost_doubled_or_moved(keys: list[str], max_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submit, "MAX_REQUEST_BYTES", 1_000 + max_bytes)
        parts = split(replace(REQUEST, selection=Keys(tuple(keys))))
    assert [key for part in parts for key in keys_of(part)] == keys
    assert len({part.request_id for part in parts}) == len(parts)


def test_doubts_name_places_and_never_the_text() -> None:
    found = doubts(replace(REQUEST, selection=Keys(("7", "Garcia", ""))), CATALOG)
    assert found == ["key 2: the key is not an integer in ASCII digits", "key 3: the key is empty"]


def test_doubts_about_very_many_keys_are_summed_up() -> None:
    found = doubts(replace(REQUEST, selection=Keys(("x",) * 1_000)), CATALOG)
    assert len(found) == MAX_DOUBTED_KEYS + 1
    assert "995 more" in found[-1]


def test_an_unknown_district_or_object_is_doubted() -> None:
    found = doubts(replace(REQUEST, district_id="ATLANTIS", object="Spaceship"), CATALOG)
    assert len(found) == 2
    assert "NORTH" in found[0]
    assert "PersonIdentity" in found[1]
