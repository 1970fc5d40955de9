"""Keys by digests or texts: what becomes of each is what becomes of it by columns, also where something changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from processor.adapters.postgres import packed_rows
from processor.adapters.postgres.same_rows import Glance, SameRows
from processor.core.catalog import KeyType
from processor.core.digest import LEAST_KEYS, READS_BY_ROWS
from processor.core.request import Mode, Report
from processor.service.ports import ReadTimedOut, SnapshotImpossible, Wanted
from tests.integration.scan.by_columns import NO_KEYS, TARGET, plans, read
from tests.integration.scan.world import World, world

KEYS = [str(key) for key in range(LEAST_KEYS)]
ROWS = [(key, "x") for key in KEYS]


@pytest.mark.parametrize("readers", [1, 3])
@pytest.mark.parametrize("wish", [{}, {"mode": Mode.VERIFY}, {"report": Report.CHANGES}, {"mode": Mode.FORCE}])
def test_odd_rows_and_keys_become_what_they_become_by_columns(
    stack_settings: dict[str, str], wish: dict[str, Any], readers: int
) -> None:
    """One of a kind of difference: another value, missing, twice on a side, twice on both, null and empty."""
    names = ["007", "7", "a b", "e\u0301", "\u00e9", 'a,"b\\', "{x}", "null", "\U0001f600"]
    rows = [(key, "x") for key in [*KEYS[10:], *names]]
    ours = [*rows, ("1", "x"), ("2", "x"), ("4", "x"), ("4", "x"), ("5", "x"), ("6", "x"), ("6", "x"), ("8", None)]
    theirs = [*rows, ("1", "y"), ("3", "x"), ("4", "x"), ("5", "x"), ("5", "x"), ("6", "x"), ("6", "x"), ("8", "")]
    keys = [*KEYS[10:], *names, *"1234568", *NO_KEYS[:5]]
    with world(stack_settings, KeyType.TEXT, column="text", readers=readers) as made:
        made.fill(ours, theirs)
        by_digests, by_columns = plans(made, keys, **wish)
        assert by_digests == by_columns
        same, _ = read(made, keys)
        assert sorted(key for each in same for key in each.keys) == sorted(key for key, _ in rows)


@pytest.mark.parametrize("key_type", [KeyType.INTEGER, KeyType.UUID])
def test_keys_of_a_type_are_told_by_it(stack_settings: dict[str, str], key_type: KeyType) -> None:
    keys = NO_KEYS if key_type is KeyType.UUID else [str(key) for key in range(-50, 50)]
    with world(stack_settings, key_type) as made:
        made.fill([(key, "x") for key in keys], [(key, "y" if key == keys[7] else "x") for key in keys[1:]])
        same, rest = read(made, keys)
        assert [sorted(each.keys) for each in same] == [sorted({*keys} - {keys[0], keys[7]})]
        assert [list(each.keys) for each in rest] == [[keys[0], keys[7]]]
        assert rest[0].district.rows == {keys[0]: (("x",),), keys[7]: (("x",),)}
        by_digests, by_columns = plans(made, keys)
        assert by_digests == by_columns


def test_a_key_read_by_its_columns_has_the_version_of_that_read(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill(ROWS, ROWS[1:])

        with after_digests(lambda: made.ours.execute("update item set label = 'z' where id = 0")):
            (same,), (rest,) = read(made, KEYS)
        assert rest.district.version.order > same.district_version.order
        assert rest.district.read_at > same.district_read_at
        assert rest.district.rows == {"0": (("z",),)}


def test_few_keys_are_read_by_their_columns_at_once(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill(ROWS, ROWS)
        same, (rest,) = read(made, KEYS[1:])
        assert (same, len(rest.state.rows)) == ([], LEAST_KEYS - 1)


def test_an_object_of_which_most_keys_differ_is_read_by_columns_and_tried_again(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill(ROWS, ROWS[: LEAST_KEYS // 2 - 1])
        by_digests = [is_by_digests(made) for _ in range(READS_BY_ROWS + 2)]
        assert by_digests == [True, *[False] * READS_BY_ROWS, True]
        made.theirs.execute("insert into item values ('D', %s, 'x')", [LEAST_KEYS // 2])
        made.snapshots.read({TARGET: KEYS[:1]})
        for _ in range(READS_BY_ROWS):
            read(made, KEYS)
        assert [is_by_digests(made) for _ in range(2)] == [True, True]


def is_by_digests(made: World) -> bool:
    """Whether what is the same was told by another read than what is not."""
    (same,), (rest,) = read(made, KEYS)
    return same.district_read_at != rest.district.read_at


def test_a_column_that_has_another_type_since_is_read_as_it_is(stack_settings: dict[str, str]) -> None:
    """No function hashes it as what it was."""
    with world(stack_settings, KeyType.INTEGER, labels=("bigint", "bigint")) as made:
        made.fill([(key, 7) for key in KEYS], [(key, 7) for key in KEYS])
        assert [len(each.keys) for each in read(made, KEYS)[0]] == [LEAST_KEYS]
        made.ours.execute("alter table item alter label type text using label::text || ' '")
        same, (rest,) = read(made, KEYS)
        assert (same, rest.district.rows["7"], rest.state.rows["7"]) == ([], (("7 ",),), (("7",),))


def test_a_server_that_has_no_such_digests_gives_rows_as_texts(stack_settings: dict[str, str]) -> None:
    """As those before Postgres 14."""
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill(ROWS, ROWS[1:])
        forget_digests(made)
        (same,), (rest,) = read(made, KEYS)
        assert sorted(same.keys) == sorted(KEYS[1:])
        assert (rest.district.rows, rest.state.rows) == ({"0": (("x",),)}, {})
        assert same.district_version == rest.district.version
        assert made.scans.lines("D", "Item", None, LEAST_KEYS) is None


@pytest.mark.parametrize("wish", [{}, {"mode": Mode.VERIFY}, {"mode": Mode.FORCE}])
@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("a", "\u00e9", 99),
        (None, "", 99),
        (None, None, 100),
        ("\x1e", None, 0),
        (None, "\x1e", 0),
        ("\x1f", "\x1f", 0),
        ("x", "\x1d", 0),
    ],
)
def test_rows_as_texts_become_what_they_become_by_columns(
    stack_settings: dict[str, str], wish: dict[str, Any], ours: str | None, theirs: str | None, same: int
) -> None:
    """Not told are those of a side where a text has a character that stands between two others."""
    with world(stack_settings, KeyType.TEXT) as made:
        made.fill([*ROWS, ("odd", ours)], [*ROWS[1:], ("odd", theirs)])
        forget_digests(made)
        keys = [*KEYS, "odd", "none"]
        by_texts, by_columns = plans(made, keys, **wish)
        assert by_texts == by_columns
        assert sum(len(each.keys) for each in read(made, keys)[0]) == same


@pytest.mark.parametrize(
    ("labels", "same"), [(["1234567890", "\u00e9"], 102), (["12345678901", "x"], 0), (["12345678901", "a\x1db"], 0)]
)
def test_long_rows_are_read_by_their_columns(
    stack_settings: dict[str, str], labels: list[str], same: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a text of rows both ends have several copies; one that is left out is not made up for by a mark."""
    rows = [*ROWS, *zip(["odd", "long"], labels, strict=True)]
    monkeypatch.setattr(packed_rows, "MOST_BYTES", 10 * len(rows))
    with world(stack_settings, KeyType.TEXT) as made:
        made.fill(rows, rows)
        forget_digests(made)
        keys = [*KEYS, "odd", "long"]
        assert sum(len(each.keys) for each in read(made, keys)[0]) == same
        by_texts, by_columns = plans(made, keys)
        assert by_texts == by_columns


def test_texts_that_do_not_tell_are_not_asked_for_again_at_once(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill(ROWS, ROWS)
        forget_digests(made)
        made.ours.execute("update item set label = %s where id = 0", ["\x1f"])
        assert [len(read(made, KEYS)[0])] == [0]
        made.ours.execute("update item set label = 'x' where id = 0")
        assert [len(read(made, KEYS)[0]) for _ in range(READS_BY_ROWS + 1)] == [*[0] * READS_BY_ROWS, 1]


def forget_digests(made: World) -> None:
    made.ours.execute("alter function hash_record_extended(record, bigint) rename to of_a_later_release")


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_table_that_goes_is_told_as_by_columns(stack_settings: dict[str, str], when: str) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill(ROWS, ROWS[1:])
        read(made, KEYS)

        def dropped() -> None:
            made.theirs.execute("drop table item")

        if when == "before":
            dropped()
            found = made.snapshots.read({TARGET: KEYS})[TARGET]
        else:
            with after_digests(dropped):
                found = made.snapshots.read({TARGET: KEYS})[TARGET]
        assert isinstance(found, SnapshotImpossible)
        assert 'relation "item" does not exist' in str(found)
        assert "(table item)" in str(found)


@pytest.mark.parametrize("when", ["before", "between"])
def test_rows_that_are_not_given_in_time_put_off_all_keys(stack_settings: dict[str, str], when: str) -> None:
    with world(stack_settings, KeyType.INTEGER, timeout_s=0.5) as made:
        made.fill(ROWS, ROWS[1:])
        read(made, KEYS)

        def locked() -> None:
            made.ours.execute("lock table item in access exclusive mode")

        with made.ours.transaction():
            if when == "before":
                locked()
                found = made.snapshots.read({TARGET: KEYS})[TARGET]
            else:
                with after_digests(locked):
                    found = made.snapshots.read({TARGET: KEYS})[TARGET]
        assert isinstance(found, ReadTimedOut)


@contextmanager
def after_digests(then: Callable[[], object]) -> Iterator[None]:
    """While it is entered, something happens between the two reads."""
    of = SameRows.of

    def followed(self: SameRows, wanted: Wanted, by_rows: Wanted) -> Glance:
        glance = of(self, wanted, by_rows)
        then()
        return glance

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SameRows, "of", followed)
        yield
