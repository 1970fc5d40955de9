import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.catalog import KeyType
from processor.core.errors import InvalidKey
from processor.core.keys import MAX_KEY_BYTES, are_plain, canonical_key, invalid_key_id

INTEGER, UUID, TEXT = KeyType.INTEGER, KeyType.UUID, KeyType.TEXT
LOWER = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"


@pytest.mark.parametrize(
    ("text", "key_type", "canonical"),
    [
        ("7", INTEGER, "7"),
        ("007", INTEGER, "7"),
        (" 7\t\r\n", INTEGER, "7"),
        ("-7", INTEGER, "-7"),
        ("-007", INTEGER, "-7"),
        ("0", INTEGER, "0"),
        ("-0", INTEGER, "0"),
        ("9223372036854775807", INTEGER, "9223372036854775807"),
        ("-9223372036854775808", INTEGER, "-9223372036854775808"),
        ("0" * 200 + "7", INTEGER, "7"),
        (LOWER.upper(), UUID, LOWER),
        (LOWER.replace("-", ""), UUID, LOWER),
        ("007", TEXT, "007"),
        (" a b ", TEXT, "a b"),
        ("a/b~c%d", TEXT, "a/b~c%d"),
        ('quote " and \\', TEXT, 'quote " and \\'),
        ("שלום", TEXT, "שלום"),
        ("a\u200bb", TEXT, "a\u200bb"),
        ("\u202eabc", TEXT, "\u202eabc"),
        ("🙂", TEXT, "🙂"),
        ("é", TEXT, "é"),
        ("e\u0301", TEXT, "e\u0301"),
        ("a" * 255, TEXT, "a" * 255),
    ],
)
def test_spellings_of_one_key(text: str, key_type: KeyType, canonical: str) -> None:
    assert canonical_key(text, key_type) == canonical


@pytest.mark.parametrize(
    ("text", "key_type", "why"),
    [
        ("", INTEGER, "empty"),
        ("  \t", TEXT, "empty"),
        ("+7", INTEGER, "not an integer in ASCII digits"),
        ("７", INTEGER, "not an integer in ASCII digits"),
        ("٧", INTEGER, "not an integer in ASCII digits"),
        ("--7", INTEGER, "not an integer in ASCII digits"),
        ("-", INTEGER, "not an integer in ASCII digits"),
        ("7.0", INTEGER, "not an integer in ASCII digits"),
        ("7e2", INTEGER, "not an integer in ASCII digits"),
        ("1_000", INTEGER, "not an integer in ASCII digits"),
        ("1 000", INTEGER, "not an integer in ASCII digits"),
        ("\u200b7", INTEGER, "not an integer in ASCII digits"),
        ("0x7", INTEGER, "not an integer in ASCII digits"),
        ("9223372036854775808", INTEGER, "beyond a 64-bit integer"),
        ("-9223372036854775809", INTEGER, "beyond a 64-bit integer"),
        ("9" * 255, INTEGER, "beyond a 64-bit integer"),
        ("9" * 256, INTEGER, "longer than 255 bytes"),
        ("7", UUID, "not a uuid"),
        ("{" + LOWER + "}", UUID, "not a uuid"),
        (LOWER[:-1] + "g", UUID, "not a uuid"),
        ("a\x00b", TEXT, "control character"),
        ("a\nb", TEXT, "control character"),
        ("a\x7f", TEXT, "control character"),
        ("a\x9fb", TEXT, "control character"),
        ("7\x00", INTEGER, "control character"),
        ("é" * 128, TEXT, "longer than 255 bytes"),
        ("\ud800", TEXT, "not valid Unicode"),
    ],
)
def test_texts_that_cannot_be_keys(text: str, key_type: KeyType, why: str) -> None:
    with pytest.raises(InvalidKey) as caught:
        canonical_key(text, key_type)
    assert why in caught.value.detail


@given(text=st.text(), key_type=st.sampled_from(KeyType))
def test_a_canonical_key_is_its_own_canonical_key(text: str, key_type: KeyType) -> None:
    try:
        key = canonical_key(text, key_type)
    except InvalidKey:
        return
    assert canonical_key(key, key_type) == key
    assert 0 < len(key.encode()) <= MAX_KEY_BYTES


@given(texts=st.lists(st.text() | st.integers().map(str)), key_type=st.sampled_from(KeyType))
def test_what_is_plain_at_once_is_canonical_one_by_one(texts: list[str], key_type: KeyType) -> None:
    if are_plain(texts, key_type):
        assert [canonical_key(text, key_type) for text in texts] == texts


def test_most_integers_are_plain() -> None:
    assert are_plain(["1", "10", "9" * 18], INTEGER)
    assert not are_plain(["1", "07"], INTEGER)
    assert not are_plain(["1"], TEXT), "whether a text is canonical takes a look at each of its characters"


@given(number=st.integers(-(2**63), 2**63 - 1), zeros=st.text("0", max_size=9))
def test_every_integer_has_one_key(number: int, zeros: str) -> None:
    sign = "-" if number < 0 else ""
    assert canonical_key(f" {sign}{zeros}{abs(number)} ", INTEGER) == str(number)


@given(st.uuids())
def test_every_uuid_has_one_key(value: uuid.UUID) -> None:
    assert canonical_key(value.hex.upper(), UUID) == str(value)


@given(st.text(st.characters(), min_size=1, max_size=20))
def test_no_message_repeats_the_key(text: str) -> None:
    marked = "S3CR3T" + text
    with pytest.raises(InvalidKey) as caught:
        canonical_key(marked, INTEGER)
    assert "S3CR3T" not in str(caught.value)


def test_the_stand_in_for_an_invalid_key() -> None:
    assert invalid_key_id("+7") == "!72b9fdd468dd3502e9de26691450d5d18b503eb0cd8fcdc4c3b300f2a8f2e549"
    assert invalid_key_id("+7") != invalid_key_id("+7 ")
    assert len(invalid_key_id("\ud800\x00")) == 65
