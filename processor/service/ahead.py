"""Batches of what is done at once: one is read while the one before it is compared, and the one before that committed.

One thread reads and one compares, so batches are read, and end, in the order that they came in (ADR 0228): of two that
ask for one key the second never has the older reading. While one is full of rows the next is not read (ADR 0253).
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Event

from processor.core.pace import KEYS_AT_ONCE, next_keys
from processor.service.comparing import Compared, Seen
from processor.service.intake import Intake

FULL_OF_ROWS = 2 * KEYS_AT_ONCE
"""Keys read by their columns, parents with them; more are only in a batch that was large because both sides were the
same."""


class Ahead:
    """The two threads, and the size of batches.

    `keys` is how many the next batch may have. In a larger one each key is cheaper: rows of one page are read together,
    and there are fewer transactions (ADR 0232).
    """

    def __init__(
        self,
        read: Callable[[Intake], Seen],
        decide: Callable[[Seen], Compared],
        reader: Executor | None = None,
        decider: Executor | None = None,
        *,
        target_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Each executor has one thread. Reading takes no longer than about `target_s`, where that is up to us."""
        self.keys = KEYS_AT_ONCE
        self._target_s = target_s
        self._clock = clock
        self._read = read
        self._decide = decide
        self._reader = reader or ThreadPoolExecutor(1, "reader")
        self._decider = decider or ThreadPoolExecutor(1, "decider")
        self._turn = Event()
        """Whether the next batch may be read."""
        self._turn.set()

    def compare(self, intake: Intake) -> Future[Compared]:
        """What reading or deciding raises comes with the result."""
        turn, next_turn = self._turn, Event()
        self._turn = next_turn
        seen = self._reader.submit(self._paced, intake, turn, next_turn)
        return self._decider.submit(self._decided, seen, next_turn)

    def _decided(self, seen: Future[Seen], next_turn: Event) -> Compared:
        try:
            return self._decide(seen.result())
        finally:
            next_turn.set()

    def _paced(self, intake: Intake, turn: Event, next_turn: Event) -> Seen:
        """After a batch that could not be read the next is as at the start."""
        turn.wait()
        started = self._clock()
        seen = self._read(intake)
        told = seen.observed
        if told.others <= FULL_OF_ROWS:
            next_turn.set()
        if told.away:
            self.keys = KEYS_AT_ONCE
        else:
            took_s = self._clock() - started
            self.keys = next_keys(self.keys, told.keys, told.others, took_s, self._target_s, least=KEYS_AT_ONCE)
        return seen

    def close(self) -> None:
        """Waits for what is being read, and begins nothing more."""
        self._reader.shutdown(cancel_futures=True)
        self._decider.shutdown(cancel_futures=True)
