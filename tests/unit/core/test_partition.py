import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.partition import murmur2, murmur2_of_many, partition_of, partitions_of


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ],
)
def test_vectors_of_kafka_s_java_client(text: str, hashed: int) -> None:
    assert murmur2(text.encode()) == hashed % 2**32


@pytest.mark.parametrize(("key", "partition"), [("21", 12), ("foobar", 6), ("abc", 3)])
def test_the_sign_bit_is_dropped_before_the_remainder(key: str, partition: int) -> None:
    """`toPositive(murmur2(key)) % partitions`, here of 24."""
    assert partition_of(key, 24) == partition


@pytest.mark.parametrize("length", [64, 65, 1_000])
def test_a_key_of_any_length_is_placed_alike(length: int) -> None:
    key = "k" * length
    assert partition_of(key, 24) == (murmur2(key.encode()) & 0x7FFFFFFF) % 24


@given(st.text(), st.integers(1, 1_000))
def test_a_partition_exists(key: str, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


@given(st.integers(1, 40).flatmap(lambda size: st.lists(st.binary(min_size=size, max_size=size), min_size=1)))
def test_many_at_once_are_hashed_as_each(texts: list[bytes]) -> None:
    """Of any length, whatever is left of the last four bytes; neighbours keep out of each other's lanes."""
    assert list(murmur2_of_many(b"".join(texts), len(texts[0]))) == [murmur2(text) for text in texts]


@given(st.lists(st.text(max_size=3)) | st.lists(st.uuids().map(str)), st.integers(1, 1_000))
def test_many_at_once_are_placed_as_each(keys: list[str], partitions: int) -> None:
    """Also keys of several lengths, and of characters that take more than one byte."""
    assert partitions_of(keys, partitions) == [partition_of(key, partitions) for key in keys]
