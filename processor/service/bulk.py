"""What large requests ask for is read and compared beside the loop that serves small ones (ADR 0220)."""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from processor.core.pace import LEAST_KEYS, next_keys
from processor.service.comparing import Compared, Comparer
from processor.service.intake import Intake

AT_ONCE = 2
"""Batches in hand, each of another partition: a district that does not answer leaves room for one that does."""
QUIET_S = 1.0
"""So long after a request that came by itself batches are small."""
MOST_KEYS_BESIDE = 500
"""Keys of a batch meanwhile, be they chunks, answers or what goes round: a request waits for the commit of as many."""
IDLE_S = 60.0
"""So long after the last batch its connections are closed."""


def nothing() -> None:
    """Where no connection has to be closed."""


@dataclass(frozen=True, slots=True)
class InHand:
    """A batch of one partition's chunks. `generation` is the inbox's when it was taken; `begun_at` is the clock's."""

    partition: int
    generation: int
    offsets: Sequence[Any]
    compared: Future[Compared]
    begun_at: float


class Bulk:
    """Batches of chunks in hand. One whose input was dropped goes on to its end, and nothing comes of it."""

    def __init__(
        self,
        comparer: Comparer,
        threads: Executor,
        disconnect: Callable[[], None] = nothing,
        clock: Callable[[], float] = time.monotonic,
        *,
        share: float = 1.0,
        target_s: float = 0.5,
    ) -> None:
        """`disconnect` closes the connections that `comparer` reads by; it makes new ones when it needs them.

        `share`, above 0 and at most 1, is of the time that a partition's chunks may be worked on (ADR 0225). A batch of
        keys has as many as take about `target_s` to be read and compared (ADR 0221).
        """
        self._comparer = comparer
        self._threads = threads
        self._disconnect = disconnect
        self._clock = clock
        self._share = share
        self._target_s = target_s
        self._keys: dict[int, int] = {}
        self._rests_until: dict[int, float] = {}
        self._in_hand: list[InHand] = []
        self._asked_at = float("-inf")
        self._connected_until: float | None = None

    def has_room(self) -> bool:
        return len(self._in_hand) < AT_ONCE

    def is_busy(self) -> bool:
        """Whether there will be something to do that no record tells of."""
        return bool(self._in_hand or self._rests_until)

    def resting(self) -> Collection[int]:
        """Partitions whose databases are left alone for now."""
        now = self._clock()
        self._rests_until = {partition: until for partition, until in self._rests_until.items() if until > now}
        return self._rests_until.keys()

    def begin(self, partition: int, generation: int, offsets: Sequence[Any], intake: Intake) -> None:
        """A fault that `compare` raises comes with the result."""
        compared = self._threads.submit(self._compare, partition, intake)
        self._in_hand.append(InHand(partition, generation, offsets, compared, self._clock()))

    def keys(self, partition: int) -> int:
        """How many the next batch of a partition may have."""
        return self._keys.get(partition, LEAST_KEYS)

    def _compare(self, partition: int, intake: Intake) -> Compared:
        """There is one batch of a partition at a time. After one that could not be read the next is small."""
        started = self._clock()
        compared = self._comparer.compare(intake)
        if compared.keys is None:
            self._keys.pop(partition, None)
        elif compared.keys:
            took_s = self._clock() - started
            self._keys[partition] = next_keys(self.keys(partition), compared.keys, took_s, self._target_s)
        return compared

    def finished(self, generation: int) -> InHand | None:
        """One that is done and still counts; the caller then commits it."""
        for each in [each for each in self._in_hand if each.compared.done()]:
            now = self._clock()
            self._in_hand.remove(each)
            self._rests_until[each.partition] = now + (now - each.begun_at) * (1 / self._share - 1)
            self._connected_until = now + IDLE_S
            if each.generation == generation:
                return each
        if not self._in_hand and self._connected_until is not None and self._clock() >= self._connected_until:
            self._connected_until = None
            self._disconnect()
        return None

    def wait(self, timeout_s: float) -> None:
        """For all that is in hand to end, so that whoever comes next to a district is alone there."""
        wait([each.compared for each in self._in_hand], timeout_s)

    def asked(self) -> None:
        """A request came by itself."""
        self._asked_at = self._clock()

    def is_quiet(self) -> bool:
        """Whether nobody has asked for a while."""
        return self._clock() >= self._asked_at + QUIET_S
