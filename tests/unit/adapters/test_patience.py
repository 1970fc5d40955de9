"""How long somebody waits for a read of another thread."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic

import pytest

from processor.adapters.postgres.database import Database, ReaderOptions
from processor.adapters.postgres.patience import answer
from processor.service.ports import SnapshotUnavailable

PATIENCE_S = 0.05


class Asked(Database):
    """Nobody connects; tells whether its read was broken."""

    def __init__(self) -> None:
        super().__init__("state", "", ReaderOptions("test", 1.0, 1))
        self.is_abandoned = False

    def abandon(self) -> None:
        self.is_abandoned = True


def running() -> "Future[str]":
    future: Future[str] = Future()
    future.set_running_or_notify_cancel()
    return future


def test_a_database_that_nobody_asked_for_long_is_given_its_time() -> None:
    """Its thread runs, and has not come to its statement yet."""
    database, reading = Asked(), running()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(answer, database, reading, 60.0)
        assert not waiting.done()
        reading.set_result("rows")
        assert waiting.result(10) == "rows"
    assert not database.is_abandoned


def test_a_read_without_an_answer_is_broken_off() -> None:
    database = Asked()
    with pytest.raises(SnapshotUnavailable, match=r"state: no answer within 0\.05 s"):
        answer(database, running(), PATIENCE_S)
    assert database.is_abandoned


def test_time_counts_from_the_last_statement_whosever_it_is() -> None:
    database, reading = Asked(), running()
    started = monotonic()
    database.active_at = started + 4 * PATIENCE_S
    with pytest.raises(SnapshotUnavailable):
        answer(database, reading, PATIENCE_S)
    assert monotonic() >= started + 5 * PATIENCE_S


def test_a_read_that_waits_for_a_thread_loses_no_time() -> None:
    database, release = Asked(), Event()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(release.wait, 10)
        reading = threads.submit(lambda: "rows")
        with ThreadPoolExecutor(1) as others:
            waiting = others.submit(answer, database, reading, PATIENCE_S)
            release.wait(4 * PATIENCE_S)
            release.set()
            assert waiting.result(10) == "rows"
    assert not database.is_abandoned


def test_a_fault_of_the_read_is_raised() -> None:
    reading = running()
    reading.set_exception(SnapshotUnavailable("state: away"))
    with pytest.raises(SnapshotUnavailable, match="state: away"):
        answer(Asked(), reading, PATIENCE_S)
