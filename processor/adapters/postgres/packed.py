"""Keys and digests as they come in one row of byte strings (ADR 0214)."""

import sys
from array import array
from collections.abc import Sequence

from processor.core.lines import Lines


def lines_of(keys: bytes | Sequence[str] | None, digests: bytes | None) -> Lines:
    """Of what `digest_sql.packed` selects; both are null where there are no rows."""
    places = _numbers(keys or b"") if isinstance(keys, bytes | None) else keys
    return Lines(places, _numbers(digests or b""), is_full=False)


def _numbers(packed: bytes) -> "array[int]":
    """Of 8 bytes each, the most significant first."""
    numbers = array("q", packed)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
