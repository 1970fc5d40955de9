"""Digests by the servers, held against the comparison by the core: where they are equal, it finds nothing."""

from contextlib import closing
from dataclasses import replace
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from psycopg import sql

from processor.adapters.postgres.digest_sql import Column, digest_lines
from processor.adapters.postgres.known_digests import TRUSTED_S
from processor.adapters.postgres.scans import PostgresScans
from processor.core.catalog import Crosswalk, FieldSpec, KeyType, Kind, Rule
from processor.core.compare import EQUAL, compare
from processor.core.digest import LEAST_KEYS, Digest, equal_window, same_digest
from processor.core.errors import FieldError
from processor.core.snapshot import Row
from tests.integration.scan.by_columns import plans
from tests.integration.scan.world import LABEL, World, world

CHICAGO = ZoneInfo("America/Chicago")
CODES = Crosswalk("gender", {"F": "Female", "M": "Male", "": "none"})
VALUES: dict[str, list[str | None]] = {
    "text": [None, "", "a", " a", "A", "é", "e\u0301", "F", "Female", "M", "none", "1", "true", "007", "2026-08-01",
             "2026-02-30", "!dangling", 'a,"b\\', "1.5", "1.50", "NaN", "\x01da", "\x01sF"],
    "char(5)": [None, "", "a", "F", "Y", "n", "1"],
    "varchar(9)": [None, "", "a ", "F", "true", "7"],
    "citext": [None, "7", "\x01s1.5"],
    "boolean": [None, "true", "false"],
    "smallint": [None, "0", "1", "7"],
    "bigint": [None, "0", "-7", "150", "9223372036854775807", "-1", "4294967295", "1", "4294967296"],
    "numeric(5, 2)": [None, "0", "1.5", "-1.5", "NaN", "150"],
    "numeric": [None, "0", "-0.0", "1.5", "1.50", "1.505", "7", "7.0", "150", "1e30", "1000000", "NaN",
                "9223372036854775808"],
    "double precision": [None, "0", "-0", "1.5", "1e20", "NaN", "Infinity", "0.1"],
    "real": [None, "0", "1.5", "0.1", "NaN"],
    "date": [None, "2026-08-01", "0001-01-01", "infinity", "0044-03-15 BC", "9999-12-31"],
    "timestamp": [None, "2026-08-01 00:00:00", "2026-08-01 08:00:00.25", "2026-11-01 01:30:00", "2026-03-08 02:30:00",
                  "2026-11-01 06:30:00", "infinity", "1800-01-01 00:00:00", "9999-12-31 23:59:59",
                  "2026-07-31 22:48:25.032705",
                  "0044-03-15 12:00:00 BC"],
    "timestamptz": [None, "2026-08-01 00:00:00+00", "2026-08-01 13:00:00.25+00", "2026-11-01 07:30:00+00",
                    "2026-11-01 06:30:00+00", "2026-03-08 08:30:00+00", "infinity", "1800-01-01 05:50:36+00",
                    "2026-07-31 22:48:25.032705+00"],
}  # fmt: skip
EXACT = replace(LABEL, kind=Kind.DECIMAL, precision=6, scale=2)
OF_KIND = {kind: replace(LABEL, kind=kind) for kind in Kind} | {Kind.DECIMAL: EXACT}


def held(
    made: World, district: list[str | None], state: list[str | None], types: tuple[str, str]
) -> list[tuple[Row, Row, Digest, Digest]]:
    """Every value of one side beside every one of the other: both as they are read, and their digests."""
    pairs = list(product(district, state))
    made.ours.cursor().executemany(
        f"insert into item values (%s, (%s::text)::{types[0]})", [(n, a) for n, (a, _) in enumerate(pairs)]
    )
    made.theirs.cursor().executemany(
        f"insert into item values ('D', %s, (%s::text)::{types[1]})", [(n, b) for n, (_, b) in enumerate(pairs)]
    )
    pages = made.scans.pages("D", "Item", None, len(pairs))
    found = []
    for key in map(str, range(len(pairs))):
        digests = made.scans.digests("D", "Item", str(int(key) - 1), 1)
        assert digests is not None
        found.append((pages[0].rows[key][0], pages[1].rows[key][0], *digests))
    return found


def is_equal(made: World, ours: Row, theirs: Row) -> bool:
    try:
        return compare(made.kind, ours, theirs) == EQUAL
    except FieldError:
        return False


COMBINATIONS = [
    (OF_KIND[Kind.STRING], "text", "text", 20),
    (OF_KIND[Kind.STRING], "char(5)", "text", 4),
    (
        replace(LABEL, rules=frozenset({Rule.TRIM, Rule.CASEFOLD, Rule.NFC, Rule.NULL_IS_EMPTY})),
        "varchar(9)",
        "text",
        3,
    ),
    (replace(LABEL, crosswalk=CODES), "text", "text", 3),
    (replace(LABEL, crosswalk=CODES), "char(5)", "varchar(9)", 1),
    (OF_KIND[Kind.BOOLEAN], "char(5)", "boolean", 4),
    (OF_KIND[Kind.BOOLEAN], "smallint", "boolean", 3),
    (OF_KIND[Kind.BOOLEAN], "text", "text", 5),
    (OF_KIND[Kind.LONG], "numeric", "bigint", 4),
    (OF_KIND[Kind.LONG], "bigint", "bigint", 9),
    (OF_KIND[Kind.LONG], "text", "numeric", 1),
    (OF_KIND[Kind.LONG], "citext", "numeric", 2),
    (OF_KIND[Kind.LONG], "numeric", "numeric", 10),
    (EXACT, "numeric", "numeric", 10),
    (EXACT, "numeric(5, 2)", "numeric(5, 2)", 6),
    (EXACT, "bigint", "numeric", 2),
    (EXACT, "double precision", "numeric", 1),
    (EXACT, "text", "numeric", 1),
    (replace(EXACT, rules=frozenset({Rule.SCALE})), "numeric", "numeric", 10),
    (OF_KIND[Kind.DOUBLE], "double precision", "double precision", 8),
    (OF_KIND[Kind.DOUBLE], "real", "numeric", 2),
    (OF_KIND[Kind.DATE], "timestamp", "date", 2),
    (OF_KIND[Kind.DATE], "date", "date", 6),
    (OF_KIND[Kind.DATE], "text", "timestamp", 1),
    (OF_KIND[Kind.TIMESTAMP], "timestamp", "timestamptz", 4),
    (OF_KIND[Kind.TIMESTAMP], "timestamp", "timestamp", 1),
    (OF_KIND[Kind.TIMESTAMP], "date", "timestamptz", 1),
    (OF_KIND[Kind.TIMESTAMP], "timestamptz", "timestamptz", 6),
]


@pytest.mark.parametrize(("label", "district", "state", "least"), COMBINATIONS)
def test_where_digests_are_equal_the_core_finds_nothing(
    stack_settings: dict[str, str], label: FieldSpec, district: str, state: str, least: int
) -> None:
    types = (district, state)
    with world(stack_settings, KeyType.INTEGER, label=label, labels=types, zone=CHICAGO) as made:
        compared = held(made, VALUES[district], VALUES[state], types)
        hidden = [(a, b) for a, b, ours, theirs in compared if ours == theirs and not is_equal(made, a, b)]
        assert hidden == []
        assert sum(ours == theirs for _, _, ours, theirs in compared) >= least, "digests are of no use here"
        by_digests, by_columns = plans(made, [*map(str, range(len(compared) + LEAST_KEYS))])
        assert by_digests == by_columns


@pytest.mark.parametrize("key_type", [KeyType.INTEGER, KeyType.UUID, KeyType.TEXT])
def test_rows_that_have_each_other_s_values_are_no_equal_window(
    stack_settings: dict[str, str], key_type: KeyType
) -> None:
    """Of many windows of two rows, for each has its own chance to be taken for equal."""
    keys = [f"{n:08x}-0000-0000-0000-00000000000f" if key_type is KeyType.UUID else str(n) for n in range(10, 50)]
    pairs = list(zip(keys[::2], keys[1::2], strict=True))
    with world(stack_settings, key_type, column="text" if key_type is KeyType.TEXT else None) as made:
        made.fill(
            [row for one, other in pairs for row in ((one, "x"), (other, None))],
            [row for one, other in pairs for row in ((one, None), (other, "x"))],
        )
        for after in (None, *(other for _, other in pairs[:-1])):
            digests = made.scans.digests("D", "Item", after, 2)
            assert digests is not None
            assert (digests[0].rows, digests[1].rows, equal_window(*digests, 2)) == (2, 2, None)


def test_each_column_counts_whatever_the_others_hold(stack_settings: dict[str, str]) -> None:
    """Nulls too: of the digests of rows that differ no two are the same."""
    types = {"a": "text", "b": "boolean", "c": "date", "d": "character varying", "e": "boolean"}
    texts, flags = (None, "", "x"), (None, "true", "false")
    rows = list(product(("1", "2"), texts, flags, (None, "2026-08-01"), texts, flags))
    with world(stack_settings, KeyType.INTEGER) as made:
        fields = tuple(replace(LABEL, name=name, district_column=name, state_column=name) for name in types)
        columns = {name: Column(each, -1) for name, each in {"id": "bigint", **types}.items()}
        digests = digest_lines(replace(made.kind, fields=fields), (columns, columns))
        assert digests is not None
        held = sql.SQL("unnest(%s::bigint[], {}) AS t (id, {})").format(
            sql.SQL(", ").join(sql.SQL(f"%s::{each}[]") for each in types.values()),
            sql.SQL(", ").join(map(sql.Identifier, types)),
        )
        asked = sql.SQL("SELECT {} FROM {}").format(digests.district, held)
        lines = [line for (line,) in made.ours.execute(asked, [list(each) for each in zip(*rows, strict=True)])]
        assert len({*lines}) == len(rows)


def test_a_column_that_has_another_type_since_is_hashed_by_it(stack_settings: dict[str, str]) -> None:
    """Be it by a process that knew it from a scan before: 8 o'clock in Chicago is not 8 o'clock in UTC."""
    types, now_s = ("timestamp", "timestamptz"), [0.0]
    with (
        world(stack_settings, KeyType.INTEGER, label=OF_KIND[Kind.TIMESTAMP], labels=types, zone=CHICAGO) as made,
        closing(PostgresScans(made.catalog, made.snapshots, lambda: now_s[0])) as scans,
    ):
        made.fill([(1, "2026-08-01 08:00:00")], [(1, "2026-08-01 13:00:00+00")])
        before = scans.digests("D", "Item", "0", 10)
        assert before is not None
        assert equal_window(*before, 10) is not None
        made.ours.execute("alter table item alter label type timestamptz using label at time zone 'UTC'")
        now_s[0] += TRUSTED_S
        after = scans.digests("D", "Item", "0", 10)
        assert after is not None
        assert equal_window(*after, 10) is None


def test_a_timestamp_kept_as_text_has_no_digest(stack_settings: dict[str, str]) -> None:
    types = ("text", "timestamptz")
    with world(stack_settings, KeyType.INTEGER, label=OF_KIND[Kind.TIMESTAMP], labels=types, zone=CHICAGO) as made:
        assert made.scans.digests("D", "Item", None, 10) is None


def test_keys_of_several_types_have_no_digest(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.TEXT, KeyType.INTEGER) as made:
        assert made.scans.digests("D", "Item", None, 10) is None


@pytest.mark.parametrize("key_type", [KeyType.INTEGER, KeyType.UUID, KeyType.TEXT])
def test_digests_end_where_pages_end(stack_settings: dict[str, str], key_type: KeyType) -> None:
    column = "text" if key_type is KeyType.TEXT else None
    keys = {
        KeyType.INTEGER: ["-1", "2", "10", "11"],
        KeyType.UUID: [f"{n:08x}-0000-0000-0000-00000000000f" for n in (1, 10, 200, 4_000_000_000)],
        KeyType.TEXT: ["A", "Z", "a", "b"],
    }[key_type]
    with world(stack_settings, key_type, column=column) as made:
        made.fill(*[[(key, "x") for key in keys]] * 2)
        for after, size in product([None, keys[0], keys[3]], [1, 2, 3, 9]):
            (page, _), digests = (
                made.scans.pages("D", "Item", after, size),
                made.scans.digests("D", "Item", after, size),
            )
            assert digests is not None
            seen = equal_window(*digests, size)
            assert seen is not None
            assert (seen.counted, seen.last) == (
                len(page.rows),
                list(page.rows)[-1] if page.is_full else None,
            )


@pytest.mark.parametrize("size", [1, 2, 5])
def test_digests_of_rows_find_what_their_columns_find(stack_settings: dict[str, str], size: int) -> None:
    with world(stack_settings, KeyType.TEXT, column="text") as made:
        made.fill(
            [("1", "x"), ("10", "x"), ("2", None), ("3", "x"), ("3", "x"), ("4", "x"), (" 5", "x"), ("6", "")],
            [("1", "x"), ("10", "y"), ("2", None), ("3", "x"), ("7", "x"), (" 5", "x"), ("6", None)],
        )
        by_rows, by_digests = ([part for part, _ in made.windows(size, same)] for same in (None, same_digest))
        assert by_digests == by_rows
        assert [key for part in by_digests for key in part.suspects] == ["10", "3", "4", "6", "7"]


@pytest.mark.parametrize("odd", [" a", "é", "a\u200b", "a" * 256])
def test_a_key_that_may_have_another_spelling_is_looked_at(stack_settings: dict[str, str], odd: str) -> None:
    with world(stack_settings, KeyType.TEXT, column="text") as made:
        made.fill([("a", "x"), (odd, "x")], [("a", "x"), (odd, "x")])
        digests = made.scans.digests("D", "Item", None, 10)
        assert digests is not None
        assert digests[0] == digests[1]
        assert equal_window(*digests, 10) is None


def test_a_key_that_both_sides_have_twice_is_looked_at(stack_settings: dict[str, str]) -> None:
    with world(stack_settings, KeyType.INTEGER) as made:
        made.fill([(1, "x"), (1, "x")], [(1, "x"), (1, "x")])
        digests = made.scans.digests("D", "Item", None, 10)
        assert digests is not None
        assert equal_window(*digests, 10) is None
