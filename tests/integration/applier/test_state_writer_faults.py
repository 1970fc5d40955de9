"""What goes on while an applier reads and writes: editors, a second applier, lost connections, kills."""

import multiprocessing
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest

from processor.adapters.postgres.state_writer import PostgresStateWriter, district_lock
from processor.adapters.postgres.state_writer_bisect import PATIENCE_TIMEOUTS
from processor.core.correction import Correction, Result
from processor.crashpoint import CrashPoints
from processor.service.apply_state import StateUnavailable
from tests.applying import apply
from tests.integration.applier.catalog import CATALOG
from tests.integration.applier.world import NOW, World, create, delete, update, with_source

A = {"lastName": "A"}
B = {"lastName": "B"}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as made:
        yield made


def until(holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def applier_waits(world: World) -> bool:
    waiting = "select from pg_stat_activity where application_name = 'resync/apply/0' and wait_event_type = 'Lock'"
    return bool(world.rows(waiting))


@pytest.mark.parametrize(
    ("theirs", "said"),
    [("E", (Result.CONFLICT, "lastName")), ("B", (Result.ALREADY_EQUAL, None)), ("A", (Result.APPLIED, None))],
)
def test_an_edit_between_reading_and_writing(
    world: World, pool: ThreadPoolExecutor, theirs: str, said: tuple[Result, str | None]
) -> None:
    world.apply(create("Person", "7", A))
    with psycopg.connect(world.dsn) as editor:
        editor.execute("update person set last_name = %s", (theirs,))
        answer = pool.submit(world.said, update("Person", "7", A, B))
        until(lambda: applier_waits(world))
        editor.commit()
        assert answer.result(10) == said


@pytest.mark.parametrize(("theirs", "said"), [("E", (Result.CONFLICT, "exists")), ("A", (Result.ALREADY_EQUAL, None))])
def test_the_same_record_created_by_somebody_else_meanwhile(
    world: World, pool: ThreadPoolExecutor, theirs: str, said: tuple[Result, str | None]
) -> None:
    with psycopg.connect(world.dsn) as editor:
        editor.execute("insert into person (district_id, person_id, last_name) values ('NORTH', 7, %s)", (theirs,))
        answer = pool.submit(world.said, create("Person", "7", A))
        until(lambda: applier_waits(world))
        editor.commit()
        assert answer.result(10) == said


def test_a_parent_deleted_by_somebody_else_meanwhile(world: World, pool: ThreadPoolExecutor) -> None:
    world.apply(create("Person", "7", A))
    with psycopg.connect(world.dsn) as editor:
        editor.execute("delete from person")
        answer = pool.submit(world.said, create("Enrollment", "1", {"personID": "7"}))
        until(lambda: applier_waits(world))
        editor.commit()
        assert answer.result(10) == (Result.PARENT_MISSING, "personID")


def test_a_deadlock_is_no_answer(world: World, pool: ThreadPoolExecutor) -> None:
    world.apply(create("Person", "7", A), create("Person", "8", A))
    batch = [update("Person", "7", A, B), update("Person", "8", A, {"visits": "1"})]
    with psycopg.connect(world.dsn, options="-c deadlock_timeout=60s") as editor:
        editor.execute("update person set visits = 5 where person_id = 8")
        answers: Future[list[Result]] = pool.submit(world.results, *batch)
        until(lambda: applier_waits(world))
        theirs = pool.submit(editor.execute, "update person set visits = 5 where person_id = 7")
        with pytest.raises(StateUnavailable, match="40P01"):
            answers.result(10)
        theirs.result(10)
        editor.rollback()

    assert world.results(*batch) == [Result.APPLIED] * 2


def test_one_districts_rows_are_written_by_one_applier_at_a_time(world: World) -> None:
    hasty = world.another_writer(statement_timeout_s=0.2)
    with psycopg.connect(world.dsn) as other:
        other.execute("select pg_advisory_xact_lock(%s)", (district_lock("NORTH"),))
        with pytest.raises(StateUnavailable, match="55P03"):
            apply([create("Person", "7", A)], hasty, NOW)
        river = create("Person", "7", A, district="RIVER")
        assert [answer.result for answer in apply([river], hasty, NOW)] == [Result.APPLIED]


def _freeze_while_another_applies(frozen: PostgresStateWriter, world: World, correction: Correction) -> None:
    with frozen.transaction({"NORTH"}) as transaction:
        transaction.answered([correction], NOW)
        assert world.results(correction) == [Result.APPLIED]
        transaction.answered([create("Person", "8", A)], NOW)


def test_an_applier_frozen_in_its_transaction_loses_it(world: World) -> None:
    frozen = world.another_writer(idle_timeout_s=0.3)
    correction = create("Person", "7", A)
    with pytest.raises(StateUnavailable):
        _freeze_while_another_applies(frozen, world, correction)

    again = apply([correction], frozen, NOW)
    assert [answer.result for answer in again] == [Result.APPLIED]
    assert world.rows("select changes from person") == [(0,)]


class _Cut(CrashPoints):
    """Cuts every applier's connection at a point, as a restarting server does."""

    def __init__(self, at: str, dsn: str) -> None:
        super().__init__(None)
        self._at = at
        self._dsn = dsn

    def __call__(self, name: str) -> None:
        if name == self._at:
            self._at = ""
            with psycopg.connect(self._dsn) as connection:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'resync/apply/9'"
                )


def test_a_connection_lost_before_the_commit_applies_nothing(world: World) -> None:
    cut = _Cut("apply.before_sql_commit", world.dsn)
    writer = world.another_writer(application_name="resync/apply/9", crash_points=cut)
    correction = create("Person", "7", A)

    with pytest.raises(StateUnavailable):
        apply([correction], writer, NOW)
    assert world.rows("select person_id from person") == []
    assert world.rows("select correction_id from resync_applier.applied") == []
    assert [answer.result for answer in apply([correction], writer, NOW)] == [Result.APPLIED]


def test_a_server_restarted_between_batches_is_found_again(world: World) -> None:
    cut = _Cut("apply.after_sql_commit", world.dsn)
    writer = world.another_writer(application_name="resync/apply/9", crash_points=cut)
    correction = create("Person", "7", A)

    apply([correction], writer, NOW)
    with pytest.raises(StateUnavailable):
        apply([correction], writer, NOW)
    assert [answer.result for answer in apply([correction], writer, NOW)] == [Result.APPLIED]


def _die(dsn: str, crash_at: str, batch: list[Correction]) -> None:
    apply(batch, PostgresStateWriter(dsn, CATALOG, crash_points=CrashPoints(crash_at)), NOW)


@pytest.mark.parametrize("crash_at", ["apply.before_sql_commit", "apply.after_sql_commit"])
def test_killed_at_the_commit_and_started_again(world: World, crash_at: str) -> None:
    batch = [create("Person", "7", A), update("Person", "7", A, B), update("Person", "8", A, B)]
    killed = multiprocessing.get_context("spawn").Process(target=_die, args=(world.dsn, crash_at, batch))
    killed.start()
    killed.join(30)
    assert killed.exitcode == -signal.SIGKILL

    assert world.results(*batch) == [Result.APPLIED, Result.APPLIED, Result.CONFLICT]
    assert world.rows("select last_name, changes from person") == [("B", 1)]


def test_a_column_that_is_gone_stops_the_batch_until_it_is_back(world: World) -> None:
    correction = create("Person", "7", A)
    world.apply(create("Person", "8", A))
    world.edit("alter table person rename column code to kode")

    assert world.another_writer().missing_columns() == [
        "the state has no column code in table person: mend the catalog or the table"
    ]
    for _ in range(2):
        with pytest.raises(StateUnavailable, match="code"):
            world.apply(correction)

    world.edit("alter table person rename column kode to code; alter table person alter column visits type bigint")
    assert world.results(correction) == [Result.APPLIED]


def test_a_column_changed_under_way_is_described_anew(world: World) -> None:
    world.apply(create("Person", "7", {**A, "visits": "1"}))
    world.edit("alter table person alter column visits type text")

    assert world.results(update("Person", "7", {**A, "visits": "1"}, {"visits": "2"})) == [Result.APPLIED]


def test_the_schema_is_made_once_by_many(world: World, pool: ThreadPoolExecutor) -> None:
    world.edit("drop schema resync_applier cascade")
    writers = [world.another_writer() for _ in range(8)]

    list(pool.map(PostgresStateWriter.ensure_schema, writers))

    assert world.results(create("Person", "7", A)) == [Result.APPLIED]


def test_old_answers_are_forgotten_in_small_steps(world: World) -> None:
    writer = world.another_writer(retention=timedelta(days=1))
    apply([create("Person", str(n), A) for n in range(1_500)], writer, NOW)
    apply([create("Person", "9999", A)], writer, NOW + timedelta(hours=20))

    later = NOW + timedelta(days=1, hours=1)
    assert [writer.prune(later) for _ in range(3)] == [1_000, 500, 0]
    assert writer.prune(later + timedelta(minutes=1)) == 0
    assert world.rows("select count(*) from resync_applier.applied") == [(1,)]
    assert world.rows("select count(*) from resync_applier.versions") == [(1_501,)]


def test_the_connection_says_whose_it_is_and_how_it_reads(world: World) -> None:
    world.edit(
        "create function settings() returns trigger language plpgsql as $$ begin"
        "  insert into audit select null, concat_ws(' | ', current_setting('application_name'),"
        "    current_setting('timezone'), current_setting('datestyle'), current_setting('statement_timeout'),"
        "    current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_isolation'),"
        "    current_setting('synchronous_commit'));"
        "  return new; end $$;"
        "create trigger settings after insert on person for each row execute function settings();"
        "do $$ begin execute 'alter database ' || quote_ident(current_database())"
        "  || ' set default_transaction_isolation = serializable'; end $$;"
    )
    writer = world.another_writer(application_name="resync/apply/3", statement_timeout_s=2, idle_timeout_s=4)

    apply([create("Person", "7", A)], writer, NOW)

    said = "resync/apply/3 | UTC | ISO, MDY | 2s | 4s | read committed | on"
    assert world.rows("select what from audit") == [(said,)]


def test_a_row_that_somebody_keeps_locked_is_a_conflict_and_stops_no_other(world: World) -> None:
    keys = [str(number) for number in range(1, 301)]
    world.apply(*(create("Person", key, A) for key in keys))
    with psycopg.connect(world.dsn) as editor:
        editor.execute("select from person where person_id = 77 for update")
        began = time.monotonic()
        answers = world.apply(*(update("Person", key, A, B, xmax=200) for key in keys))
        took_s = time.monotonic() - began
    said = {answer.source.key: (answer.result, answer.detail) for answer in answers}
    assert said.pop("77") == (Result.CONFLICT, "locked by another transaction")
    assert set(said.values()) == {(Result.APPLIED, None)}
    assert took_s < 5.0
    assert world.said(update("Person", "77", A, B, xmax=300)) == (Result.APPLIED, None)


def slow(world: World, condition: LiteralString, row_s: float) -> None:
    """Each new person for whom the condition holds takes so long."""
    world.edit(
        "create function slow() returns trigger language plpgsql as $$ begin"
        f" if {condition} then perform pg_sleep({row_s}); end if; return new; end $$"
    )
    world.edit("create trigger slow before insert on person for each row execute function slow()")


def test_a_batch_beyond_the_statement_timeout_goes_through_in_pieces(world: World) -> None:
    slow(world, "true", 0.005)
    hasty = world.another_writer(statement_timeout_s=0.5)
    batch = [create("Person", str(number), A) for number in range(200)]
    assert [answer.result for answer in apply(batch, hasty, NOW)] == [Result.APPLIED] * 200
    assert world.rows("select count(*) from person") == [(200,)]


def test_a_row_that_takes_too_long_is_a_conflict_and_stops_no_other(world: World) -> None:
    slow(world, "new.person_id = 7", 60)
    hasty = world.another_writer(statement_timeout_s=0.3)
    answers = apply([create("Person", str(number), A) for number in range(20)], hasty, NOW)
    said = {answer.source.key: (answer.result, answer.detail) for answer in answers}
    assert said.pop("7") == (Result.CONFLICT, "timed out")
    assert set(said.values()) == {(Result.APPLIED, None)}


def test_a_state_slow_for_every_row_is_waited_for_so_long_and_goes_on_with_the_rest_later(world: World) -> None:
    slow(world, "true", 0.15)
    hasty = world.another_writer(statement_timeout_s=0.2)
    started = time.monotonic()
    answers = apply([create("Person", str(number), A) for number in range(100)], hasty, NOW)
    assert time.monotonic() - started < 0.2 * (PATIENCE_TIMEOUTS + 2) + 1, "15 s of rows"
    said = Counter((answer.result, answer.detail) for answer in answers)
    assert set(said) == {(Result.APPLIED, None), (Result.CONFLICT, "timed out")}
    assert world.rows("select count(*) from person") == [(said[Result.APPLIED, None],)]


def test_rows_behind_many_that_are_too_slow_have_their_turn(world: World) -> None:
    """Compared again they come in the same order; so many slow ones are more than a transaction has patience for."""
    world.apply(create("Person", "900", A))
    slow(world, "new.person_id < 15", 60)
    hasty = world.another_writer(statement_timeout_s=0.2)
    left = {str(number): create("Person", str(number), A) for number in range(40)}
    left["of another table"] = create("Enrollment", "1", {"personID": "900"})
    for _ in range(3):
        again = [with_source(each, correction_id=str(uuid.uuid4())) for each in left.values()]
        said = [answer.result for answer in apply(again, hasty, NOW)]
        left = {key: each for (key, each), result in zip(left.items(), said, strict=True) if result != Result.APPLIED}
    assert list(left) == [str(number) for number in range(15)]


def test_a_row_that_was_too_slow_once_is_tried_again_before_those_tried_since(world: World) -> None:
    """Many that are always too slow come before it in the batch, and leave no time to what comes behind them."""
    slow(world, "new.person_id = 30", 60)
    hasty = world.another_writer(statement_timeout_s=0.2)
    last = create("Person", "30", A)
    assert [answer.result for answer in apply([last], hasty, NOW)] == [Result.CONFLICT]
    world.edit("drop trigger slow on person")
    world.edit("drop function slow()")
    slow(world, "new.person_id < 15", 60)
    batch = [*(create("Person", str(number), A) for number in range(15)), last]
    said = list[Result]()
    for _ in range(3):
        again = [with_source(each, correction_id=str(uuid.uuid4())) for each in batch]
        said.append(apply(again, hasty, NOW)[-1].result)
    assert said[-1] in {Result.APPLIED, Result.ALREADY_EQUAL}


def test_a_look_for_children_that_takes_too_long_deletes_nothing(world: World) -> None:
    world.apply(create("Person", "7", A))
    world.edit("insert into note values ('NORTH', gen_random_uuid(), 7, 'x')")
    world.edit("alter table note rename to notes")
    world.edit("create view note as select * from notes where pg_sleep(60) is not null")
    hasty = world.another_writer(statement_timeout_s=0.3)
    (answer,) = apply([delete("Person", "7", A, 101)], hasty, NOW)
    assert (answer.result, answer.detail) == (Result.CONFLICT, "timed out")
    assert world.rows("select person_id from person") == [(7,)]


def test_a_reference_narrower_than_the_key_it_holds_stops_no_delete(world: World) -> None:
    """Nothing can refer to a key that its column cannot hold."""
    world.edit("alter table note alter person_id type integer")
    world.edit("insert into note values ('NORTH', gen_random_uuid(), 7, 'x')")
    world.apply(create("Person", "3000000000", A), create("Person", "7", A))
    answers = world.apply(delete("Person", "3000000000", A, 101), delete("Person", "7", A, 101))
    assert [(a.result, a.detail) for a in answers] == [(Result.APPLIED, None), (Result.HAS_CHILDREN, "Note")]
