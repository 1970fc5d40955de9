"""What a transaction learns from a statement that was tried at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
import pytest
from psycopg import Connection

from processor.adapters.postgres.state_writer_bisect import Pieces
from processor.service.apply_state import TIMED_OUT, Refusal

TRIED, UNDONE = "savepoint at_once", "rollback to savepoint at_once"


class Server:
    """Takes everything, under savepoints."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def execute(self, statement: str) -> None:
        self.told.append(statement)


@pytest.fixture
def server() -> Server:
    return Server()


def pieces(server: Server) -> Pieces:
    return Pieces(cast("Connection[Any]", server), 5.0)


def failing(error: type[psycopg.Error]) -> None:
    raise error


def test_all_or_nothing(server: Server) -> None:
    trying = pieces(server)
    assert trying.at_once(lambda: [1, 2]) == [1, 2]
    assert trying.at_once(lambda: None) is None
    assert trying.at_once(lambda: failing(psycopg.errors.CheckViolation)) is None
    assert server.told == [TRIED, TRIED, UNDONE, TRIED, UNDONE]


def test_what_is_not_a_rows_fault_is_raised(server: Server) -> None:
    with pytest.raises(psycopg.errors.DeadlockDetected):
        pieces(server).at_once(lambda: failing(psycopg.errors.DeadlockDetected))
    assert server.told == [TRIED], "what failed may be the connection: it is not asked once more"


def test_a_lock_is_waited_for_once(server: Server) -> None:
    assert pieces(server).at_once(lambda: failing(psycopg.errors.LockNotAvailable)) is None
    assert server.told == [TRIED, UNDONE, "set local lock_timeout = '50ms'"]


def test_what_took_too_long_is_not_tried_whole_again(server: Server) -> None:
    trying = pieces(server)
    assert trying.at_once(lambda: failing(psycopg.errors.QueryCanceled)) is None
    assert trying.at_once(lambda: [1]) is None
    sizes: list[int] = []

    def run(some: Sequence[int]) -> Sequence[int]:
        sizes.append(len(some))
        return some

    assert trying.run(list(range(100)), run) == list(range(100))
    assert trying.run([], run) == []
    assert sizes == [10] * 10


def test_what_was_too_slow_by_itself_comes_last_until_it_is_quick(server: Server) -> None:
    trying, slow, tried = pieces(server), {2: 20.0, 1: 30.0}, list[Sequence[int]]()

    def run(some: Sequence[int]) -> Sequence[int]:
        tried.append(some)
        if some == [1]:
            raise psycopg.errors.QueryCanceled
        return some

    said = trying.run_slow_last([0, 1, 2, 3], [0, 1, 2, 3], slow, run)
    assert said == [0, Refusal(TIMED_OUT), 2, 3]
    assert tried == [[0, 3], [2], [1]]
    assert slow.keys() == {1}
    assert slow[1] != 30.0
