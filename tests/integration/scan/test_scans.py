"""All rows of an object, a page at a time, by an index and in one order on both servers."""

import uuid
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg
import pytest

from processor.core.catalog import KeyType
from processor.core.window import Window
from processor.service.ports import ReadTimedOut
from tests.awaiting import await_
from tests.integration.scan.world import World, make_indexes, world

INTEGERS = [-20, -3, -1, 0, 1, 2, 3, 9, 10, 11, 99, 100, 101, 2**62]
TEXTS = ["A", "B", "Z", "_", "a", "a b", "ab", "b", "z", "á", "é", "Ω", "ﬁ", "🙂", "10", "9", "a-b", "a_b"]
UUIDS = [str(uuid.UUID(int=n * 2**100 + n)) for n in range(20)]
KEYS: dict[KeyType, Sequence[object]] = {KeyType.INTEGER: INTEGERS, KeyType.TEXT: TEXTS, KeyType.UUID: UUIDS}


def found(scanned: list[Window]) -> Counter[tuple[str, str]]:
    """How many times each key was in a list of a window."""
    seen: Counter[tuple[str, str]] = Counter()
    for part in scanned:
        seen.update(("equal", key) for key in part.equal)
        seen.update(("suspect", key) for key in part.suspects)
        seen.update(("invalid", key) for key, _ in part.invalid)
    return seen


def wanted(district: dict[str, list[str]], state: dict[str, list[str]]) -> Counter[tuple[str, str]]:
    return Counter(
        ("equal" if len(district.get(key, [])) == 1 and district.get(key) == state.get(key) else "suspect", key)
        for key in {*district, *state}
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("key_type", list(KeyType))
def test_each_key_is_in_one_window_whatever_the_order_of_the_servers(
    stack_settings: dict[str, str], key_type: KeyType, size: int
) -> None:
    keys = [str(key) for key in KEYS[key_type]]
    district = {key: ["x"] for index, key in enumerate(keys) if index % 5}
    state = {key: ["y" if index % 4 == 1 else "x"] for index, key in enumerate(keys) if index % 7}
    district[keys[3]] = ["x", "x", "x"]
    state[keys[8]] = ["x", "y"]
    with world(stack_settings, key_type) as made:
        made.fill(*[[(key, label) for key, labels in side.items() for label in labels] for side in (district, state)])
        assert not made.scans.survey("D", "Item").lacking
        parts = list(made.windows(size))
    assert found([part for part, _ in parts]) == wanted(district, state)
    assert all(sum(map(len, page.rows.values())) <= size + 2 for _, pages in parts for page in pages)


def test_keys_kept_as_texts_on_one_side_alone_come_as_texts(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.TEXT, KeyType.INTEGER) as made:
        made.fill([("7", "x"), ("10", "x"), ("007", "x"), ("9", "y")], [(7, "x"), (10, "x"), (9, "x"), (30, "x")])
        seen = found([part for part, _ in made.windows(1)])
    assert seen == Counter([("equal", "7"), ("equal", "10"), ("suspect", "9"), ("suspect", "30"), ("invalid", "007")])


def test_a_row_without_a_key_is_no_record(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill([(1, "x"), (None, "x")], [(None, "x"), (1, None), (2, "x")])
        assert found([part for part, _ in made.windows(1)]) == Counter([("suspect", "1"), ("suspect", "2")])


@pytest.mark.parametrize(
    ("key_type", "column"), [(KeyType.TEXT, "varchar(20)"), (KeyType.TEXT, "char(8)"), (KeyType.INTEGER, "numeric(12)")]
)
def test_columns_of_other_types_are_read_by_an_index_too(
    stack_settings: dict[str, str], key_type: KeyType, column: str
) -> None:
    with world(stack_settings, key_type, column=column) as made:
        made.fill([(n, "x") for n in range(0, 30, 2)], [(n, "x") for n in range(0, 30, 3)])
        assert not made.scans.survey("D", "Item").lacking
        assert sum(found([part for part, _ in made.windows(4)]).values()) == len({*range(0, 30, 2), *range(0, 30, 3)})


def many(made: World, rows: int) -> None:
    made.ours.execute("insert into item select n, 'x' from generate_series(1, %s) n", [rows])
    made.theirs.execute(
        "insert into item select d, n, 'x' from generate_series(1, %s) n, unnest(array['D', 'E', 'F']) d", [rows]
    )
    for side in (made.ours, made.theirs):
        side.execute("analyze item")


def test_a_table_without_an_index_is_told_with_the_statement_that_mends_it(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER, indexed=False) as made:
        many(made, 2_000)
        made.theirs.execute("create index on item (id)")
        made.theirs.execute("create index on item (district_id)")
        assert made.scans.survey("D", "Item").lacking == [
            'district D: CREATE INDEX CONCURRENTLY ON "item" ("id")',
            'state: CREATE INDEX CONCURRENTLY ON "item" ("district_id", "id")',
        ]
        make_indexes(made.scans, made.ours, made.theirs)
        survey = made.scans.survey("D", "Item")
        assert not survey.lacking
        assert 1_800 < survey.rows < 2_200


def test_rows_are_those_of_the_district_on_the_larger_side(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        many(made, 2_000)
        made.theirs.execute("insert into item select 'OTHER', n, 'x' from generate_series(1, 5000) n")
        made.ours.execute("delete from item where id > 10")
        for side in (made.ours, made.theirs):
            side.execute("analyze item")
        assert 1_800 < made.scans.survey("D", "Item").rows < 2_200


def test_an_index_in_another_order_does_not_serve(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.TEXT, indexed=False) as made:
        made.ours.execute("create index on item (id)")
        made.theirs.execute("create index on item (district_id, id)")
        assert made.scans.survey("D", "Item").lacking == [
            'district D: CREATE INDEX CONCURRENTLY ON "item" (("id"::text) COLLATE "C")',
            'state: CREATE INDEX CONCURRENTLY ON "item" ("district_id", ("id"::text) COLLATE "C")',
        ]


def test_no_page_reads_the_table(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        many(made, 3_000)
        for side, database in ((made.ours, made.snapshots.districts["D"]), (made.theirs, made.snapshots.state)):
            by_index, by_table = scans_of(side)
            assert len(list(made.windows(500))) == 7
            database.close()  # a server's statistics come with the end of the connection
            await_(partial(has_scanned, side, by_index + 7), "statistics")
            assert scans_of(side)[1] == by_table


def has_scanned(side: psycopg.Connection[tuple[Any, ...]], times: int) -> bool:
    return scans_of(side)[0] >= times


def scans_of(side: psycopg.Connection[tuple[Any, ...]]) -> tuple[int, int]:
    """By index and of the whole table, as the server counts them."""
    side.execute("select pg_stat_force_next_flush()")  # or what `side` did itself is counted some time later
    side.execute("select pg_stat_clear_snapshot()")
    (found,) = side.execute("select idx_scan, seq_scan from pg_stat_user_tables where relname = 'item'").fetchall()
    return found[0], found[1]


def test_a_read_that_takes_too_long_is_told_apart(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER, timeout_s=0.3) as made:
        made.fill([(1, "x")], [(1, "x")])
        with made.theirs.transaction():
            made.theirs.execute("lock table item in access exclusive mode")
            with pytest.raises(ReadTimedOut, match=r"state: QueryCanceled \(57014\)"):
                made.scans.pages("D", "Item", None, 10)
