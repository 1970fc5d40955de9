"""Batches in hand: read and compared beside the loop, which then commits them (ADR 0220, 0228)."""

from collections.abc import Callable, Container, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from processor.service.comparing import Compared
from processor.service.intake import Intake

LATE_S = 0.25
"""After so long a batch of chunks goes before what was begun later, be that done at once (ADR 0247)."""


@dataclass(frozen=True, slots=True)
class InHand:
    """A batch that was begun.

    `chunks_of` is the partition whose chunks it has; None: what is done at once. `generation` is the inbox's when it
    was taken: in another one it is void. `offsets` are where the group stands once it is done with.
    """

    chunks_of: int | None
    generation: int
    offsets: Sequence[Any]
    intake: Intake
    compared: Future[Compared]
    begun_at: float = 0.0
    """By the clock of whoever paces chunks."""


class Hand:
    """Batches begun and not yet committed. A void one goes on to its end, and nothing comes of it."""

    def __init__(self, generation: Callable[[], int]) -> None:
        self._generation = generation
        self._batches: list[InHand] = []

    def add(self, batch: InHand) -> None:
        self._batches.append(batch)

    def __len__(self) -> int:
        return len(self._batches)

    def at_once(self) -> int:
        """How many there are of what is done at once."""
        return sum(batch.chunks_of is None for batch in self._batches)

    def chunks(self) -> int:
        """How many there are of chunks."""
        return len(self) - self.at_once()

    def offsets(self) -> list[Any]:
        """Where the group stands once each of them is done with."""
        return [place for batch in self._batches for place in batch.offsets]

    def is_void(self, batch: InHand) -> bool:
        return batch.generation != self._generation()

    def taken_on(self) -> "list[Container[object]]":
        """Ids of work that the batches in hand take on: a record that repeats one of them comes too late."""
        return [batch.intake.accepted for batch in self._batches if not self.is_void(batch)]

    def is_next_done(self) -> bool:
        """Whether the oldest batch of what is done at once can be committed."""
        return next((batch.compared.done() for batch in self._batches if batch.chunks_of is None), False)

    def finished(self, now: float) -> InHand | None:
        """Takes out one that is done, void or not: the oldest of its partition, and of what is done at once first.

        But for chunks that are late by `now`, on the clock of `begun_at`: they would wait as long as requests come.
        """
        lines: dict[int | None, InHand] = {}
        for batch in self._batches:
            lines.setdefault(batch.chunks_of, batch)
        done = [batch for batch in lines.values() if batch.compared.done()]
        if not done:
            return None
        first = min(done, key=lambda batch: batch.chunks_of is not None and now < batch.begun_at + LATE_S)
        self._batches.remove(first)
        return first

    def wait_for_one(self, timeout_s: float) -> None:
        """Until any of them can be committed."""
        wait([batch.compared for batch in self._batches], timeout_s, FIRST_COMPLETED)

    def wait_for_all(self, timeout_s: float) -> None:
        """Until nobody reads any more, so that whoever comes next to a district is alone there."""
        wait([batch.compared for batch in self._batches], timeout_s)


class Known:
    """Ids of work that was taken on, also by the batches in hand when this is made: it is for sorting the next one.

    If one of these aborts, so do all that come after it.
    """

    def __init__(self, accepted: Container[object], hand: Hand) -> None:
        self._taken_on = [accepted, *hand.taken_on()]

    def __contains__(self, accepted_id: object) -> bool:
        for taken_on in self._taken_on:  # noqa: SIM110  (a function less for each id)
            if accepted_id in taken_on:
                return True
        return False
