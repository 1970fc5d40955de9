"""Keys become requests: as many as records can carry, under ids that follow from one id."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from processor.core.accept import MAX_CHUNK_BYTES, is_bounded
from processor.core.catalog import Catalog
from processor.core.errors import InvalidKey
from processor.core.keys import canonical_key
from processor.core.printable import printable
from processor.core.request import Keys, Request

MAX_REQUEST_BYTES = 900_000
"""Of one request, as UTF-8 and with a length before each text; records stay under 1 MiB."""
MAX_REQUEST_KEYS = 100_000
MAX_DOUBTED_KEYS = 5
"""Named one by one; there may be very many."""

_LENGTH_BYTES = 3
"""Avro's length of a text of up to a megabyte."""
_PARTS = uuid.UUID("0c6c2f9e-3f56-5b0f-8f0a-5c2e7a1f9d11")


def split(request: Request, max_keys: int) -> list[Request]:
    """The request itself, or several with its keys in order and one `run_id`, none larger than a record may be.

    None has more than `max_keys` keys either where a request must fit in one chunk (ADR 0190). The first keeps the id
    and the others' ids derive from it, so submitting the same again repeats all of them.
    """
    return split_together([request], max_keys)


def split_together(requests: Sequence[Request], max_keys: int) -> list[Request]:
    """The same of several that are asked for at once, such as of an object each: one run, ids that follow from one."""
    parts = [part for request in requests for part in _split(request, max_keys)]
    if len(parts) <= 1:
        return parts
    first = requests[0].request_id
    run_id = requests[0].run_id or first
    return [replace(part, request_id=_part_id(first, index), run_id=run_id) for index, part in enumerate(parts)]


def _split(request: Request, max_keys: int) -> list[Request]:
    if not isinstance(request.selection, Keys):
        return [request]
    keys = request.selection.keys
    if is_bounded(request):
        parts = _parts(keys, max_keys, MAX_CHUNK_BYTES, _chunk_weight)
    else:
        parts = _parts(keys, MAX_REQUEST_KEYS, MAX_REQUEST_BYTES - _overhead(request), _weight)
    return [replace(request, selection=Keys(tuple(part))) for part in parts] or [request]


def doubts(request: Request, catalog: Catalog) -> list[str]:
    """Keys that a processor with this catalog would refuse, with their place, from 1."""
    kind = catalog.objects.get(request.object)
    if kind is None or not isinstance(request.selection, Keys):
        return []
    invalid: list[str] = []
    for number, key in enumerate(request.selection.keys, start=1):
        try:
            canonical_key(key, kind.key_type)
        except InvalidKey as error:
            invalid.append(f"key {number} '{printable(key)}': {error.detail}")
    found = invalid[:MAX_DOUBTED_KEYS]
    if len(invalid) > MAX_DOUBTED_KEYS:
        found.append(f"and {len(invalid) - MAX_DOUBTED_KEYS} more keys that cannot be keys of {kind.name}")
    return found


def _part_id(request_id: str, index: int) -> str:
    return request_id if index == 0 else str(uuid.uuid5(_PARTS, f"{request_id}/{index}"))


def _parts(keys: Sequence[str], max_keys: int, max_bytes: int, weight_of: Callable[[str], int]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for key in keys:
        weight = weight_of(key)
        if part and (size + weight > max_bytes or len(part) == max_keys):
            yield part
            part, size = [], 0
        part.append(key)
        size += weight
    if part:
        yield part


def _overhead(request: Request) -> int:
    texts = (request.district_id, request.object, request.requested_by, request.school_year, request.reason)
    return 1_000 + sum(_weight(text) for text in texts if text is not None)


def _weight(text: str) -> int:
    return len(text.encode()) + _LENGTH_BYTES


def _chunk_weight(text: str) -> int:
    """What a chunk weighs a key by, or more: a key made canonical is at most twice as long."""
    return 2 * len(text.encode()) + len(printable(text).encode())
