"""What digests are made of, as SQL; what they come to is held against the core by integration tests."""

import pytest

from processor.adapters.postgres.digest_sql import Column, digest_lines
from processor.core.catalog import FieldSpec, Kind
from tests.unit.core.builders import GENDER, object_type, spec

FIELDS = [spec("it", Kind.BOOLEAN), spec("it", Kind.LONG), spec("it", crosswalk=GENDER)]
BEGUN = ("lower(", "replace(", "CASE ")
"""Of what heeds a collation."""


@pytest.mark.parametrize("field", FIELDS)
def test_texts_are_compared_and_searched_byte_by_byte(field: FieldSpec) -> None:
    """To a collation that is not deterministic others are equal too, and it has no search; tests' servers lack ICU."""
    columns = [{"id": Column("bigint", -1), "it": Column(each, -1)} for each in ("text", "character varying")]
    digests = digest_lines(object_type("Item", [field]), (columns[0], columns[1]))
    assert digests is not None
    for line in (digests.district.as_string(), digests.state.as_string()):
        assert [line.count(f'{begun}"t"."it"::text COLLATE "C"') for begun in BEGUN] == [
            line.count(f'{begun}"t"."it"') for begun in BEGUN
        ]
        assert any(f'{begun}"t"."it"' in line for begun in BEGUN)
