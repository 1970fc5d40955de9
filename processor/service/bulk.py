"""Chunks of large requests: when a partition's are read beside the loop, how many at once, and by what (ADR 0220)."""

import time
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future

from processor.core.pace import LEAST_KEYS, next_keys
from processor.service.comparing import Compared, Comparer
from processor.service.hand import InHand
from processor.service.intake import Intake

SIDE_BY_SIDE = 2
"""Batches in hand, each of another partition: a district that does not answer leaves room for one that does."""
QUIET_S = 1.0
"""So long after a request of few keys batches are small."""
MOST_KEYS_BESIDE = 500
"""Keys of a batch meanwhile, of chunks, of answers, of what goes round: a request waits for the commit of as many."""
IDLE_S = 60.0
"""So long after the last batch its connections are closed."""


def nothing() -> None:
    """Where no connection has to be closed."""


class Bulk:
    """How chunks are paced."""

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
        self.clock = clock
        self._share = share
        self._target_s = target_s
        self._keys: dict[int, int] = {}
        self._compared_at: dict[int, float] = {}
        self._rests_until: dict[int, float] = {}
        self._asked_at = float("-inf")
        self._connected_until: float | None = None

    def resting(self) -> Collection[int]:
        """Partitions whose databases are left alone for now."""
        now = self.clock()
        self._rests_until = {partition: until for partition, until in self._rests_until.items() if until > now}
        return self._rests_until.keys()

    def has_rests(self) -> bool:
        """Whether there will be something to do that no record tells of."""
        return bool(self._rests_until)

    def compare(self, partition: int, intake: Intake) -> Future[Compared]:
        """A fault that comparing raises comes with the result."""
        return self._threads.submit(self._compare, partition, intake)

    def keys(self, partition: int) -> int:
        """How many the next batch of a partition may have."""
        return self._keys.get(partition, LEAST_KEYS)

    def _compare(self, partition: int, intake: Intake) -> Compared:
        """There is one batch of a partition at a time. After one that could not be read the next is small."""
        started = self.clock()
        seen = self._comparer.read(intake)
        compared = self._comparer.decide(seen)
        self._compared_at[partition] = compared_at = self.clock()
        told = seen.observed
        if told.away:
            self._keys.pop(partition, None)
        elif told.keys:
            took_s = compared_at - started
            self._keys[partition] = next_keys(self.keys(partition), told.keys, told.others, took_s, self._target_s)
        return compared

    def ended(self, batch: InHand) -> None:
        """The batch is in hand no more. That it waited to be committed is no work of the databases."""
        now = self.clock()
        if batch.chunks_of is not None:
            worked_s = self._compared_at.pop(batch.chunks_of, now) - batch.begun_at
            self._rests_until[batch.chunks_of] = now + worked_s * (1 / self._share - 1)
        self._connected_until = now + IDLE_S

    def none_in_hand(self) -> None:
        """Closes connections that nobody has needed for long."""
        if self._connected_until is not None and self.clock() >= self._connected_until:
            self._connected_until = None
            self._disconnect()

    def asked(self) -> None:
        """A request of few keys came by itself."""
        self._asked_at = self.clock()

    def is_quiet(self) -> bool:
        """Whether nobody has asked for a while."""
        return self.clock() >= self._asked_at + QUIET_S
