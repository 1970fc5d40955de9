"""One statement for many rows, although one bad row fails it: the guilty are found in pieces, under savepoints.

k bad rows among n cost some 2k·log2(n/k) statements. A statement that takes too long is cut into tenths, because each
that takes too long once more costs a whole timeout.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import psycopg

from processor.adapters.postgres.raised import is_of_a_row
from processor.service.apply_state import LOCK_NOT_AVAILABLE, NOT_TRIED, TIMED_OUT, Refusal

T = TypeVar("T")
R = TypeVar("R")
N = TypeVar("N", bound=Hashable)

MAX_ROWS = 1_000
"""Rows a statement: bounds what a statement timeout covers and what one bad row fails."""
SLOW_PARTS = 10
PATIENCE_TIMEOUTS = 12
"""For so many statement timeouts after the first a transaction goes on in pieces; what is left then is not tried."""
MOST_SLOW = 10_000
"""Known as slow; with more of them it begins anew."""

_OF_THE_BATCH = ("08", "0A", "25", "26", "28", "34", "3D", "3F", "40", "42", "53", "57", "58", "F0", "XX")
_IN_USE = "55006"
_ROW_SECURITY = "42501"
_GENERATED = "428C9"
"""SQLSTATE of a column that the database fills by itself: no other object has to wait until the catalog is mended."""
_OF_ONE_ROW = frozenset({_ROW_SECURITY, _GENERATED, TIMED_OUT})
_BEFORE, _UNDO = "savepoint at_once", "rollback to savepoint at_once"
"""Not released: that would be a statement more, and the next one of the name stands before it."""
_LOOK_ONLY = "set local lock_timeout = '50ms'"
"""The lock was waited for once in this transaction; its row is then found without as many waits again."""


def of_one_row(error: psycopg.Error) -> bool:
    """Whether a row is to blame: its values, its lock, its time, a constraint or a trigger, be it a broken one.

    Not so the connection or the schema.
    """
    state = error.sqlstate
    if state is None:
        return False
    if is_of_a_row(error):
        return True
    if state == _IN_USE:
        return False
    return state in _OF_ONE_ROW or not state.startswith(_OF_THE_BATCH)


class Pieces:
    """Runs one transaction's statements over many rows."""

    def __init__(self, connection: psycopg.Connection, statement_timeout_s: float) -> None:
        self._connection = connection
        self._patience_s = PATIENCE_TIMEOUTS * statement_timeout_s
        self._until: float | None = None

    def run(self, items: Sequence[T], run: Callable[[Sequence[T]], Sequence[R]]) -> list[R | Refusal]:
        """`run` over all items, as few times as the bad ones among them allow; results in the order of items.

        `run` gives one result an item. Errors that are not of one row are raised.
        """
        size = MAX_ROWS if self._until is None else min(MAX_ROWS, -(-len(items) // SLOW_PARTS)) or 1
        return self._each(items, size, run)

    def run_slow_last(
        self,
        items: Sequence[T],
        names: Sequence[N],
        slow: dict[N, float],
        run: Callable[[Sequence[T]], Sequence[R]],
    ) -> list[R | Refusal]:
        """As `run`. Items that were too slow by themselves before come last, and leave half of the patience to others.

        `slow`: what items are called that were so the last time, and when that was, on the monotonic clock. It is kept
        up to date. What was tried longest ago comes first, so that one that is quick by now has its turn (ADR 0249).
        """
        places = range(len(items))
        others = [place for place in places if names[place] not in slow]
        known = sorted((place for place in places if names[place] in slow), key=lambda place: slow[names[place]])
        results: dict[int, R | Refusal] = dict(
            zip(others, self.run([items[place] for place in others], run), strict=True)
        )
        for place in known:
            is_left = not self._is_over(self._patience_s / 2)
            results[place] = self._divided([items[place]], run)[0] if is_left else Refusal(NOT_TRIED)
        for place, result in results.items():
            why = result.sqlstate if isinstance(result, Refusal) else None
            if why == TIMED_OUT:
                if len(slow) >= MOST_SLOW:
                    slow.clear()
                slow[names[place]] = time.monotonic()
            elif why != NOT_TRIED:
                slow.pop(names[place], None)
        return [results[place] for place in places]

    def at_once(self, run: Callable[[], R | None]) -> R | None:
        """All of a statement, or nothing: None where a row fails it, where `run` says so, or where rows are slow.

        What was waited for then is not waited for as long again.
        """
        if self._until is not None:
            return None
        self._connection.execute(_BEFORE)
        try:
            done = run()
        except psycopg.Error as error:
            if not of_one_row(error):
                raise
            self._connection.execute(_UNDO)
            self._learn(error)
            return None
        if done is None:
            self._connection.execute(_UNDO)
        return done

    def _each(self, items: Sequence[T], size: int, run: Callable[[Sequence[T]], Sequence[R]]) -> list[R | Refusal]:
        results: list[R | Refusal] = []
        for start in range(0, len(items), size):
            results += self._divided(items[start : start + size], run)
        return results

    def _divided(self, items: Sequence[T], run: Callable[[Sequence[T]], Sequence[R]]) -> list[R | Refusal]:
        if self._is_over(0.0):
            return [Refusal(NOT_TRIED)] * len(items)
        try:
            with self._connection.transaction():
                return list(run(items))
        except psycopg.Error as error:
            self._learn(error)
            if len(items) == 1:
                return [_refusal(error)]
            parts = SLOW_PARTS if error.sqlstate == TIMED_OUT else 2
        return self._each(items, -(-len(items) // parts), run)

    def _is_over(self, left_s: float) -> bool:
        """Whether no more than so much patience is left."""
        return self._until is not None and time.monotonic() > self._until - left_s

    def _learn(self, error: psycopg.Error) -> None:
        """Raises the error where it is not of one row."""
        if not of_one_row(error):
            raise error
        if error.sqlstate == TIMED_OUT:
            self._until = self._until or time.monotonic() + self._patience_s
        if error.sqlstate == LOCK_NOT_AVAILABLE:
            self._connection.execute(_LOOK_ONLY)


def _refusal(error: psycopg.Error) -> Refusal:
    return Refusal(error.sqlstate or "", error.diag.constraint_name, error.diag.column_name)
