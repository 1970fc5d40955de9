import uuid
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.ids import (
    CORRECTIONS,
    accepted_id,
    chunk_key,
    cleared_key,
    correction_id,
    end_key,
    is_request_id,
    outcome_key,
    request_key,
    retry_chunk,
    single_keys,
    split_chunk,
    split_record_key,
)
from tests.unit.core.builders import REQUEST_ID

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.sampled_from(
    ["~end", "~chunk", "~cleared", "a/b", "a%2Fb", "%7Eend", "~", "/", "%", "\x00", "e\u0301", "é", "🙂"]
)


@pytest.mark.parametrize(
    ("key", "composed"),
    [
        ("7", f"{REQUEST_ID}/Person/7"),
        ("-7", f"{REQUEST_ID}/Person/-7"),
        ("A.b_c-9", f"{REQUEST_ID}/Person/A.b_c-9"),
        ("a/b", f"{REQUEST_ID}/Person/a%2Fb"),
        ("~end", f"{REQUEST_ID}/Person/%7Eend"),
        ("a%2Fb", f"{REQUEST_ID}/Person/a%252Fb"),
        ("é", f"{REQUEST_ID}/Person/%C3%A9"),
        ("a b+c", f"{REQUEST_ID}/Person/a%20b%2Bc"),
        ("!0f", f"{REQUEST_ID}/Person/%210f"),
    ],
)
def test_all_but_plain_characters_are_percent_encoded(key: str, composed: str) -> None:
    assert outcome_key(REQUEST_ID, "Person", key) == composed


@given(st.lists(st.tuples(texts, texts)), texts)
def test_keys_of_many_outcomes_are_those_of_each(outcomes: list[tuple[str, str]], name: str) -> None:
    request_ids, keys = [each for each, _ in outcomes], [each for _, each in outcomes]
    one_by_one = [outcome_key(request_id, name, key).encode() for request_id, key in outcomes]
    assert single_keys(request_ids, name, keys) == one_by_one


def test_marker_keys() -> None:
    assert request_key(REQUEST_ID) == REQUEST_ID
    assert chunk_key(REQUEST_ID, "0.1") == f"{REQUEST_ID}/~chunk/0.1"
    assert end_key(REQUEST_ID) == f"{REQUEST_ID}/~end"
    assert cleared_key(REQUEST_ID) == f"{REQUEST_ID}/~cleared"


@given(texts, texts, texts)
def test_record_keys_lead_back_to_their_parts(request_id: str, name: str, key: str) -> None:
    assert split_record_key(request_key(request_id)) == (request_id,)
    assert split_record_key(outcome_key(request_id, name, key)) == (request_id, name, key)
    assert split_record_key(chunk_key(request_id, key)) == (request_id, "~chunk", key)
    assert split_record_key(end_key(request_id)) == (request_id, "~end")
    assert split_record_key(cleared_key(request_id)) == (request_id, "~cleared")


@given(st.lists(st.tuples(texts, texts, texts), min_size=2, max_size=6, unique=True))
def test_different_records_never_share_a_key(parts: list[tuple[str, str, str]]) -> None:
    """Nor does an outcome take the key of a marker, whatever an object or a key is called."""
    requests = {request_id for request_id, _, _ in parts}
    keys = [outcome_key(*part) for part in parts]
    keys += [make(request_id) for request_id in requests for make in (request_key, end_key, cleared_key)]
    keys += [chunk_key(request_id, part) for request_id, part in {(r, c) for r, _, c in parts}]
    assert len(set(keys)) == len(keys)


@given(texts)
def test_the_short_way_for_plain_texts_is_percent_encoding(text: str) -> None:
    assert request_key(text) == quote(text, safe="").replace("~", "%7E")


def test_a_correction_s_id_is_pinned() -> None:
    """Appliers keep these ids: another derivation would apply corrections a second time."""
    made = correction_id(REQUEST_ID, "NORTH", "Person", "7", 1)
    assert made == "42e3d4b5-6ff7-5f70-9f6a-1109e1d3a7b7"
    assert uuid.UUID(made).version == 5


@given(texts)
def test_a_correction_s_id_is_spelled_as_any_uuid(key: str) -> None:
    named = f"{REQUEST_ID}\x1fNORTH\x1fPerson\x1f{key}\x1f1"
    assert correction_id(REQUEST_ID, "NORTH", "Person", key, 1) == str(uuid.uuid5(CORRECTIONS, named))


def test_an_accepted_id_is_pinned() -> None:
    """They stand in `resync.accepted`: another derivation would accept repeated requests."""
    assert accepted_id(REQUEST_ID, "NORTH", "0", 1).hex() == "a1f1548a90ddd08509c66225473169a3"


def test_each_part_of_an_identity_counts() -> None:
    """The district too: two districts' requests under one id must neither suppress nor answer each other."""
    of_corrections = [
        ("r", "d", "o", "k", 1),
        ("R", "d", "o", "k", 1),
        ("r", "D", "o", "k", 1),
        ("r", "d", "O", "k", 1),
    ]
    of_corrections += [("r", "d", "o", "K", 1), ("r", "d", "o", "k", 2)]
    of_work = [("r", "d", "c", 1), ("R", "d", "c", 1), ("r", "D", "c", 1), ("r", "d", "C", 1), ("r", "d", "c", 2)]
    assert len({correction_id(*parts) for parts in of_corrections}) == len(of_corrections)
    assert len({accepted_id(*parts) for parts in of_work}) == len(of_work)


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=4), min_size=3, max_size=3))
def test_the_border_between_parts_counts(parts: list[str]) -> None:
    first, second, third = parts
    moved = correction_id(first + second, "", third, "k", 1)
    assert (moved == correction_id(first, second, third, "k", 1)) is (second == "")


def test_a_cause_has_one_retry_and_each_another() -> None:
    assert retry_chunk("0") == retry_chunk("0")
    assert (
        len({retry_chunk(cause) for cause in ("0", "0.1", retry_chunk("0"), correction_id("r", "d", "o", "k", 1))}) == 4
    )
    assert split_chunk("0", 11) == "0.11"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (REQUEST_ID, True),
        (REQUEST_ID.upper(), True),
        (REQUEST_ID.replace("-", ""), False),
        (REQUEST_ID + "\n", False),
        ("{" + REQUEST_ID + "}", False),
        ("", False),
        ("０" + REQUEST_ID[1:], False),
    ],
)
def test_request_ids_are_uuids_in_one_shape(text: str, is_one: bool) -> None:  # noqa: FBT001
    assert is_request_id(text) is is_one
