"""What is foretold of a row means what it was foretold from; arrays of it are as Postgres reads them."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from processor.adapters.postgres.array_literal import array_literal, array_of_rows
from processor.adapters.postgres.state_writer_arrays import literals
from processor.adapters.postgres.state_writer_foretold import foretold, spellings
from processor.core.catalog import FieldSpec, Kind
from processor.core.errors import Unrepresentable
from processor.core.values import Values, canonical
from tests.integration.applier.catalog import CHICAGO, PERSON
from tests.unit.core.strategies import column_texts

FIELDS = PERSON.owned
WITHOUT_ZONE = frozenset({"localAt"})
ZONES = [CHICAGO, ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")]
BY_KIND = {field.kind: field for field in FIELDS if field.name != "localAt"}
LOCAL = PERSON.by_name["localAt"]


def spelled(field: FieldSpec, text: str, zone: ZoneInfo = CHICAGO) -> str | None:
    ((own,),), _ = foretold(spellings([field], WITHOUT_ZONE, zone), [{field.name: text}])
    return own


@given(st.data(), st.sampled_from(FIELDS), st.sampled_from(ZONES))
def test_a_row_that_is_as_foretold_holds_just_those_values(
    data: st.DataObject, field: FieldSpec, zone: ZoneInfo
) -> None:
    """Else a correction would be written over a row that is not as its `before`."""
    try:
        text = canonical(field, data.draw(column_texts(field)), zone)
    except Unrepresentable:
        reject()
    if text is not None and (raw := spelled(field, text, zone)) is not None:
        assert canonical(field, raw, zone) == text


@pytest.mark.parametrize(
    ("field", "text", "raw"),
    [
        (BY_KIND[Kind.STRING], "as it is ", "as it is "),
        (BY_KIND[Kind.LONG], "-7", "-7"),
        (BY_KIND[Kind.BOOLEAN], "true", "true"),
        (BY_KIND[Kind.DATE], "0999-01-01", "0999-01-01"),
        (BY_KIND[Kind.DECIMAL], "1.50", "1.50"),
        (BY_KIND[Kind.DOUBLE], "1.0", "1"),
        (BY_KIND[Kind.DOUBLE], "0.1", "0.1"),
        (BY_KIND[Kind.TIMESTAMP], "2026-08-01T10:20:00.000000Z", "2026-08-01 10:20:00+00"),
        (BY_KIND[Kind.TIMESTAMP], "2026-08-01T00:00:30.120000Z", "2026-08-01 00:00:30.12+00"),
        (LOCAL, "2026-08-01T13:00:00.000000Z", "2026-08-01 08:00:00"),
        (LOCAL, "2026-11-01T07:30:00.000001Z", "2026-11-01 01:30:00.000001"),
        (LOCAL, "2026-11-01T06:30:00.000000Z", None),
    ],
)
def test_as_postgres_writes_it(field: FieldSpec, text: str, raw: str | None) -> None:
    """The hour that occurs twice is foretold once, and left to be read the other time."""
    assert spelled(field, text) == raw


def test_all_of_a_row_or_nothing() -> None:
    both = spellings([PERSON.by_name["lastName"], LOCAL], WITHOUT_ZONE, CHICAGO)
    rows: list[Values] = [{"lastName": "A"}, {"lastName": "B", "localAt": "2026-11-01T06:30:00.000000Z"}]
    assert foretold(both, rows) == ([["A", "B"], [None, None]], frozenset({1}))


@pytest.mark.parametrize(
    ("column", "literal"),
    [
        ([], "{}"),
        (["a", None, "NULL", "", "{,}"], '{"a",NULL,"NULL","","{,}"}'),
        ([7, None], '{"7",NULL}'),
        ([7, 8], '{"7","8"}'),
        (["a", "b"], '{"a","b"}'),
        (["a", '"'], r'{"a","\""}'),
        (["\\", "a"], r'{"\\","a"}'),
        (['"'], r'{"\""}'),
        (['x"', None], r'{"x\"",NULL}'),
        (["\\", 'a"b'], r'{"\\","a\"b"}'),
    ],
)
def test_literals(column: list[object], literal: str) -> None:
    assert literals({"column": column}) == {"column": literal}


_texts = st.none() | st.text('a\\"{},\0 N', max_size=3)


@given(st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[_texts] * width), min_size=1, max_size=4)))
def test_rows_as_arrays_within_an_array(rows: list[tuple[str | None, ...]]) -> None:
    assert array_of_rows([*zip(*rows, strict=True)]) == array_literal([array_literal(row) for row in rows])


def test_a_row_as_an_array_within_an_array() -> None:
    assert array_of_rows([["a", None], ["{,}", "b"]]) == r'{"{\"a\",\"{,}\"}","{NULL,\"b\"}"}'
    assert array_of_rows([['"'], ["\\"]]) == r'{"{\"\\\"\",\"\\\\\"}"}'
