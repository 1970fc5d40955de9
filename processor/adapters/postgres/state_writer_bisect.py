"""One statement for many rows, although one bad row fails it: the guilty are found by halves, under savepoints.

k bad rows among n cost some 2k·log2(n/k) statements.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

from processor.service.apply_state import LOCK_NOT_AVAILABLE, Refusal

T = TypeVar("T")
R = TypeVar("R")

MAX_ROWS = 1_000
"""Rows a statement: bounds what a statement timeout covers and what one bad row fails."""

_OF_THE_BATCH = ("08", "0A", "25", "26", "28", "34", "3D", "3F", "40", "42", "53", "57", "58", "F0", "XX")
_IN_USE = "55006"
_ROW_SECURITY = "42501"
_LOOK_ONLY = "set local lock_timeout = '50ms'"
"""The lock was waited for once in this transaction; its row is then found without as many waits again."""


def of_one_row(error: psycopg.Error) -> bool:
    """Whether a row is to blame: its values, its lock, a constraint or a trigger; not the connection or the schema."""
    state = error.sqlstate
    if state is None or state == _IN_USE:
        return False
    return state == _ROW_SECURITY or not state.startswith(_OF_THE_BATCH)


def in_pieces(
    connection: psycopg.Connection, items: Sequence[T], run: Callable[[Sequence[T]], Sequence[R]]
) -> list[R | Refusal]:
    """`run` over all items, as few times as the bad ones among them allow; results in the order of items.

    `run` gives one result an item. Errors that are not of one row are raised.
    """
    results: list[R | Refusal] = []
    for start in range(0, len(items), MAX_ROWS):
        results += _bisected(connection, items[start : start + MAX_ROWS], run)
    return results


def _bisected(
    connection: psycopg.Connection, items: Sequence[T], run: Callable[[Sequence[T]], Sequence[R]]
) -> list[R | Refusal]:
    try:
        with connection.transaction():
            return list(run(items))
    except psycopg.Error as error:
        if not of_one_row(error):
            raise
        if len(items) == 1:
            return [_refusal(error)]
        if error.sqlstate == LOCK_NOT_AVAILABLE:
            connection.execute(_LOOK_ONLY)
    middle = len(items) // 2
    return _bisected(connection, items[:middle], run) + _bisected(connection, items[middle:], run)


def _refusal(error: psycopg.Error) -> Refusal:
    return Refusal(error.sqlstate or "", error.diag.constraint_name, error.diag.column_name)
