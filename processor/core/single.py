"""Requests of one key that differ in id, key and time alone, taken on, compared and told together (ADR 0244)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from operator import itemgetter
from typing import TypeAlias

from processor.core.accept import accept
from processor.core.catalog import Catalog, KeyType
from processor.core.chunk import Ask, Chunk
from processor.core.descent import WITH_CHILDREN
from processor.core.frozen import dataclass
from processor.core.history import RequestState, RequestStatus, SingleOutcomes, Status
from processor.core.keys import is_canonical
from processor.core.outcome import chunk_outcome
from processor.core.printable import printable
from processor.core.request import Single
from processor.core.snapshot import Observed


def is_plain_key(text: str, key_type: KeyType) -> bool:
    """Whether a key is canonical as it was asked for, and can be shown so."""
    return is_canonical(text, key_type) and printable(text) == text


def accept_single(single: Single, catalog: Catalog, now: datetime) -> tuple[RequestStatus, Chunk] | None:
    """Status and chunk of a request of a plain key (`is_plain_key`): but for what is its own, those of all like it.

    None where there is more to be done about such requests than to tell of a key that is the same on both sides.
    """
    plan, chunk = accept(single.request, catalog, now)
    match plan.history:
        case [RequestStatus(state=RequestState.ACCEPTED) as status] if chunk is not None and chunk.tells_same:
            return None if chunk.dependencies in WITH_CHILDREN else (status, chunk)
    return None


Place: TypeAlias = tuple[int, int]
"""Where a request stands in its batch: after how many chunks, and how many ids that were taken on."""


@dataclass(frozen=True, slots=True)
class Singles:
    """Such requests, each with its place; `chunk` is that of each of them but for what is its own."""

    chunk: Chunk
    singles: list[Single] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def compared(self, seen: Mapping[str, Observed]) -> tuple["InSync", list[tuple[Place, Chunk]]]:
        """Those whose key is the same on both sides, and the chunks of all others, of which there is more to tell."""
        same, others = InSync(self.chunk, []), list[tuple[Place, Chunk]]()
        for single, place in zip(self.singles, self.places, strict=True):
            observed = seen.get(single.key)
            if observed is not None and observed.is_same:
                same.singles.append(single)
            else:
                others.append((place, _chunk_of(single, self.chunk)))
        return same, others


@dataclass(frozen=True, slots=True)
class InSync:
    """Requests of one key that is the same on both sides; `chunk` as in `Singles`."""

    chunk: Chunk
    singles: list[Single]

    def outcomes(self, now: datetime) -> SingleOutcomes:
        """Of all, of which there is one at least."""
        first = _chunk_of(self.singles[0], self.chunk)
        return SingleOutcomes(chunk_outcome(first, first.asks[0], Status.IN_SYNC, now), self.singles)


def _chunk_of(single: Single, like: Chunk) -> Chunk:
    return replace(
        like,
        request_id=single.request_id,
        asks=(Ask(single.key, single.key),),
        requested_at=single.requested_at,
    )


def in_their_places(chunks: Sequence[Chunk], placed: Iterable[tuple[Place, Chunk]]) -> list[Chunk]:
    """Chunks, and between them those of requests of one key: what was asked for first is sent first."""
    ordered, done = list[Chunk](), 0
    for (before, _), chunk in sorted(placed, key=itemgetter(0)):
        ordered += [*chunks[done:before], chunk]
        done = before
    return [*ordered, *chunks[done:]]
