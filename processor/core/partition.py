"""Which partition a record belongs in. Every role computes it itself and rests on no client's partitioner."""

import struct
from functools import lru_cache

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """32-bit MurmurHash2 with the seed of Kafka's Java client (`org.apache.kafka.common.utils.Utils.murmur2`)."""
    length = len(data)
    h = 0x9747B28C ^ length
    whole = length - length % 4
    for word in struct.unpack_from(f"<{length // 4}I", data):
        k = word * _M & _MASK
        k ^= k >> 24
        h = (h * _M & _MASK) ^ (k * _M & _MASK)
    tail = data[whole:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


MAX_REMEMBERED = 64
"""Characters: ids are shorter, and what publishers write instead of one must not fill the memory."""


def partition_of(key: str, partitions: int) -> int:
    """The partition of a text key, as `murmur2_random` and Kafka's Java client place it."""
    return (_hash(key) if len(key) > MAX_REMEMBERED else _remembered(key)) % partitions


def _hash(key: str) -> int:
    return murmur2(key.encode()) & 0x7FFFFFFF


_remembered = lru_cache(maxsize=8_192)(_hash)
"""More than a batch has requests, each of which is placed a few times; an id that is kept takes 300 bytes."""
