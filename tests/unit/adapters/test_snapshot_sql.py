import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.snapshot_sql import district_statement, state_statement, table_name
from tests.unit.core.builders import ENROLLMENT, PERSON

keys = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("given_keys", "literal"),
    [
        ([], "{}"),
        (["7"], '{"7"}'),
        (["7", "-8"], '{"7","-8"}'),
        (["NULL"], '{"NULL"}'),
        (['a"b'], r'{"a\"b"}'),
        (["a\\b"], r'{"a\\b"}'),
        (["a,b", "{c}", "d e", "'"], '{"a,b","{c}","d e","\'"}'),
        ([""], '{""}'),
        (["🙂"], '{"🙂"}'),
    ],
)
def test_array_literals(given_keys: list[str], literal: str) -> None:
    assert array_literal(given_keys) == literal


def elements(literal: str) -> Iterator[str]:
    """Reads a literal of quoted elements as Postgres does: a backslash takes the next character as it is."""
    assert re.fullmatch(r'\{("(?:[^"\\]|\\.)*"(?:,"(?:[^"\\]|\\.)*")*)?\}', literal, re.DOTALL)
    for quoted in re.findall(r'"((?:[^"\\]|\\.)*)"', literal, re.DOTALL):
        yield re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)


@given(st.lists(keys | st.sampled_from(['"', "\\", '\\"', '","', "{", "}", ","]), max_size=5))
def test_every_key_comes_back_as_one_element(given_keys: list[str]) -> None:
    assert list(elements(array_literal(given_keys))) == given_keys


def test_a_district_is_read_by_key_as_text() -> None:
    statement = district_statement(PERSON).as_string()
    assert "pg_current_snapshot()" in statement
    assert """t."id" = ANY(%(keys)s::bigint[])""" in statement
    assert """t."district_id" = %(district_id)s AND""" in statement
    columns = re.findall(r't\."(\w+)"::text AS "c(\d+)"', statement)
    assert columns == [(f.name, str(place)) for place, f in enumerate(PERSON.compared)]
    assert "loadedAt" not in statement, "what nobody owns is not read"


def test_a_reference_that_the_state_holds_as_its_own_id_comes_as_the_district_s_key() -> None:
    statement = state_statement(ENROLLMENT).as_string()
    assert 'SELECT l."id"::text FROM "Person" AS l WHERE l."state_id" = t."personID"' in statement
    assert 'l."district_id" = %(district_id)s' in statement, "never another district's record"
    assert "'!dangling'" in statement


def test_names_are_quoted_part_by_part() -> None:
    assert table_name("sis.person").as_string() == '"sis"."person"'
    assert table_name("person").as_string() == '"person"'
