"""What a filter chooses of all rows of an object, by an index and in short reads, however few or many that are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from processor.core.accept import accept
from processor.core.catalog import KeyType
from processor.core.chosen import chosen
from processor.core.digest import equal_window, same_digest
from processor.core.history import ChunkState, ChunkStatus
from processor.core.request import Filter, Mode, Report, Request
from processor.core.scan import begin_part, scan_of
from processor.service.ports import ReadTimedOut
from processor.service.scan import decide_part, read_part
from tests.awaiting import await_
from tests.integration.scan.test_scans import KEYS, found, has_scanned, many, scans_of
from tests.integration.scan.world import World, make_indexes, world

if TYPE_CHECKING:
    from processor.core.chunk import Chunk

Labels = Mapping[str, Sequence[str]]


def sides(keys: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Rows of every kind of difference, and keys of which one row of several is chosen by `label = 'x'`."""
    district = {key: ["x" if index % 3 else "z"] for index, key in enumerate(keys) if index % 5}
    state = {key: ["x" if index % 4 != 1 else "y"] for index, key in enumerate(keys) if index % 7}
    district[keys[2]], state[keys[2]] = ["x", "z"], ["x"]
    district[keys[3]], state[keys[3]] = ["z"], ["z", "x"]
    district[keys[4]], state[keys[4]] = ["y"], ["y"]
    return district, state


def wanted(district: Labels, state: Labels, label: str, *choosing: Labels) -> Counter[tuple[str, str]]:
    """By those sides that choose, or by both."""
    chosen_keys = {key for side in choosing or (district, state) for key, labels in side.items() if label in labels}
    return Counter(
        ("equal" if len(district.get(key, [])) == 1 and district.get(key) == state.get(key) else "suspect", key)
        for key in chosen_keys
    )


def fill(made: World, district: Labels, state: Labels) -> None:
    made.fill(*[[(key, label) for key, labels in side.items() for label in labels] for side in (district, state)])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("key_type", list(KeyType))
def test_each_key_that_a_side_chooses_is_in_one_window_whatever_its_size(
    stack_settings: dict[str, str], key_type: KeyType, size: int
) -> None:
    column = "text" if key_type is KeyType.TEXT else None
    district, state = sides([str(key) for key in KEYS[key_type]])
    with world(stack_settings, key_type, column=column) as made:
        fill(made, district, state)
        by_rows = found([part for part, _ in made.windows(size, where="label = 'x'")])
        by_digests = found([part for part, _ in made.windows(size, same_digest, where="label = 'x'")])
    assert by_rows == by_digests
    told = Counter({(what, key): times for (what, key), times in by_rows.items() if what != "invalid"})
    assert told == wanted(district, state, "x")


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_where_one_side_can_tell_the_other_is_read_by_its_keys(stack_settings: dict[str, str], size: int) -> None:
    keys = [str(key) for key in KEYS[KeyType.INTEGER]]
    district, state = sides(keys)
    with world(stack_settings, KeyType.INTEGER) as made:
        fill(made, district, state)
        made.ours.execute("update item set note = label")
        made.theirs.execute("update item set mark = label")
        ours = found([part for part, _ in made.windows(size, where="note = 'x'")])
        theirs = found([part for part, _ in made.windows(size, same_digest, where="mark = 'x'")])
    assert ours == wanted(district, state, "x", district)
    assert theirs == wanted(district, state, "x", state)


def test_keys_of_several_types_are_chosen_too(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.TEXT, KeyType.INTEGER) as made:
        made.fill([("7", "x"), ("10", "x"), ("007", "x"), ("9", "y"), ("a", "x")], [(7, "x"), (10, "y"), (9, "x")])
        seen = found([part for part, _ in made.windows(2, where="label = 'x'")])
    assert seen == Counter([("equal", "7"), ("suspect", "10"), ("suspect", "9"), ("invalid", "007"), ("invalid", "a")])


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_digests_of_what_is_chosen_end_where_the_rows_end_that_were_looked_at(
    stack_settings: dict[str, str], size: int
) -> None:
    rows = [(n, "x" if n % 3 else "z") for n in range(20)]
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill(rows, rows)
        condition = chosen("label = 'x'", None, made.kind, made.catalog)
        after, counted = None, 0
        while True:
            digests = made.scans.digests("D", "Item", after, size, condition)
            assert digests is not None
            seen = equal_window(*digests, size)
            assert seen is not None
            counted += seen.settled
            if seen.last is None:
                break
            assert int(seen.last) == (-1 if after is None else int(after)) + size
            after = seen.last
    assert counted == sum(label == "x" for _, label in rows)


def test_a_key_that_is_there_twice_is_looked_at_although_one_of_its_rows_is_equal(
    stack_settings: dict[str, str],
) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill([(1, "x"), (1, "z"), (2, "x")], [(1, "x"), (2, "x")])
        condition = chosen("label = 'x'", None, made.kind, made.catalog)
        assert made.scans.digests("D", "Item", None, 10, condition) is None
        seen = found([part for part, _ in made.windows(10, same_digest, where="label = 'x'")])
    assert seen == Counter([("suspect", "1"), ("equal", "2")])


@pytest.mark.parametrize(
    "text",
    [
        "'; drop table item; --",
        "%(after)s",
        "%s",
        "%",
        "{}",
        "\\",
        '"',
        "x') or true --",
        "$1",
        "\u2028",
        "é",
        "x" * 200,
    ],
)
def test_a_hostile_filter_is_a_text_like_any_other(stack_settings: dict[str, str], text: str) -> None:
    quoted = text.replace("'", "''")
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill([(1, text), (2, "x"), (3, None)], [(1, text), (2, "x"), (3, "y")])
        for same in (None, same_digest):
            seen = found([part for part, _ in made.windows(2, same, where=f"label = '{quoted}'")])
            assert seen == Counter([("equal", "1")])
            among = found([part for part, _ in made.windows(2, same, where=f"label in ('a', '{quoted}')")])
            assert among == seen


def test_a_filter_that_matches_everything_chooses_what_is_there_without_one(stack_settings: dict[str, str]) -> None:
    district, state = sides([str(key) for key in KEYS[KeyType.UUID]])
    with world(stack_settings, KeyType.UUID) as made:
        fill(made, district, state)
        everything = found([part for part, _ in made.windows(3)])
        assert found([part for part, _ in made.windows(3, where="label is null or not label is null")]) == everything


def test_a_survey_counts_what_is_chosen_by_the_side_that_can_tell(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER, indexed=False) as made:
        many(made, 3_000)
        made.ours.execute("update item set note = case when id % 10 = 0 then 'a' else 'b' end")
        made.ours.execute("analyze item")
        survey = made.scans.survey("D", "Item", chosen("note = 'a'", None, made.kind, made.catalog))
        assert 200 < survey.rows < 400
        assert len(survey.lacking) == 2


def test_no_read_of_what_is_chosen_reads_the_table(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        many(made, 3_000)
        made.ours.execute("update item set label = 'y' where id % 1000 = 7")
        made.theirs.execute("update item set mark = 'm' where id % 1000 = 8")
        for side, database in ((made.ours, made.snapshots.districts["D"]), (made.theirs, made.snapshots.state)):
            by_index, by_table = scans_of(side)
            for where in ("label = 'y'", "mark = 'm'", "label = 'nothing'"):
                assert len(list(made.windows(500, where=where))) >= 6
            database.close()  # a server's statistics come with the end of the connection
            await_(partial(has_scanned, side, by_index + 4), "statistics")
            assert scans_of(side)[1] == by_table


def test_a_read_of_what_is_chosen_that_takes_too_long_is_told_apart(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER, timeout_s=0.3) as made:
        made.fill([(1, "x")], [(1, "x")])
        condition = chosen("label = 'x'", None, made.kind, made.catalog)
        with made.theirs.transaction():
            made.theirs.execute("lock table item in access exclusive mode")
            with pytest.raises(ReadTimedOut, match=r"state: QueryCanceled \(57014\)"):
                made.scans.pages("D", "Item", None, 10, condition)


OF_NUMBER = {
    KeyType.INTEGER: "n",
    KeyType.UUID: "(lpad(to_hex(n), 8, '0') || '-0000-4000-8000-000000000000')::uuid",
    KeyType.TEXT: "'K' || n",
}


def key_of(made: World, number: int, key_type: KeyType) -> str:
    (key,) = made.ours.execute(
        f"select ({OF_NUMBER[key_type]})::text from (values ({number})) v (n)".encode()
    ).fetchall()
    return str(key[0])


def filled(made: World, key_type: KeyType, rows: int) -> None:
    """All alike on both sides, but for one rare label in the middle and another that only the state has."""
    key, middle = OF_NUMBER[key_type], rows // 2
    made.ours.execute(
        f"insert into item select {key}, case n when {middle} then 'rare' else 'x' end"
        f" from generate_series(1, {rows}) n".encode()
    )
    made.theirs.execute(
        f"insert into item select 'D', {key}, case when n in ({middle}, {middle + 1}) then 'rare' else 'x' end"
        f" from generate_series(1, {rows}) n".encode()
    )
    make_indexes(made.scans, made.ours, made.theirs)
    for side in (made.ours, made.theirs):
        side.execute("vacuum analyze item")


def verified(made: World, where: str) -> tuple[int, int, list[str]]:
    """Parts, keys in sync, and suspects; by the service, which says how large each part is."""
    request = Request("0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11", "D", "Item", Filter(where), "clerk", mode=Mode.VERIFY)
    _, first = accept(replace(request, report=Report.CHANGES), made.catalog, datetime.now(UTC))
    assert first is not None
    (part,) = begin_part(first, scan_of(first), datetime.now(UTC)).chunks
    parts, in_sync, suspects = 0, 0, list[str]()
    while True:
        plan = decide_part(read_part(part, made.scans, made.catalog), made.catalog, datetime.now(UTC))
        parts += 1
        done = [s for s in plan.history if isinstance(s, ChunkStatus) and s.state is ChunkState.DONE]
        in_sync += sum(status.in_sync for status in done)
        again = [chunk for chunk in plan.retries if chunk.scan is None]
        suspects += [ask.key for chunk in again for ask in chunk.asks]
        following: list[Chunk] = [*plan.chunks, *(chunk for chunk in plan.retries if chunk.scan is not None)]
        if not following:
            return parts, in_sync, suspects
        (part,) = following


@pytest.mark.parametrize(
    ("key_type", "rows", "most_parts"),
    [(KeyType.INTEGER, 1_000_000, 40), (KeyType.UUID, 200_000, 25), (KeyType.TEXT, 200_000, 25)],
)
def test_few_of_very_many_rows_are_found_in_reads_that_are_all_short(
    stack_settings: dict[str, str], key_type: KeyType, rows: int, most_parts: int
) -> None:
    with world(stack_settings, key_type, column="text" if key_type is KeyType.TEXT else None, indexed=False) as made:
        filled(made, key_type, rows)
        parts, in_sync, suspects = verified(made, "label = 'rare'")
        assert (in_sync, suspects) == (1, [key_of(made, rows // 2 + 1, key_type)])
        assert parts <= most_parts
        parts, in_sync, suspects = verified(made, "label = 'none'")
        assert (in_sync, suspects) == (0, [])
        assert parts <= most_parts
        monotonic()
        parts, in_sync, suspects = verified(made, "label = 'x'")
        assert (in_sync, len(suspects)) == (rows - 2, 1)
