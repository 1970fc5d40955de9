"""Every example of docs/filters.md is a filter of the demo's catalog, and every error that it shows is one."""

import re

import pytest

from processor.catalog_file import Secrets, load_catalog
from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import Catalog
from processor.core.filter_text import MAX_DEPTH, MAX_EXPRESSION, MAX_TERMS, FilterError
from processor.core.selection import select
from stack.layout import REPO

PAGE = (REPO / "docs" / "filters.md").read_text(encoding="utf-8")
EXAMPLES = [
    example
    for line in PAGE.partition("## By example")[2].partition("**Names.**")[0].splitlines()
    if line.startswith("| `")
    for example in re.findall(r"`([^`]+)`", line.split(" | ")[0])
]
COMMANDS = re.findall(r"resync find (\w+) (\w+) --where \"([^\"]+)\"", PAGE)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(REPO / "demo" / "catalog.yaml", SchemaFiles().object, Secrets.LEFT_OUT)


def _refusals(text: str, catalog: Catalog) -> list[str]:
    """One for each object of which the text is no filter."""
    found = []
    for kind in catalog.objects.values():
        try:
            select(text, kind, catalog)
        except FilterError as why:
            found.append(why.detail)
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_filters(example: str, catalog: Catalog) -> None:
    assert len(_refusals(example, catalog)) < len(catalog.objects)


def test_commands_are_right(catalog: Catalog) -> None:
    assert COMMANDS
    for district, object_name, where in COMMANDS:
        assert district in catalog.districts
        select(where, catalog.objects[object_name], catalog)


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ("grad = '9'", "filter, position 1: grad is unknown for Enrollment; did you mean grade?"),
        (
            "lastName = 'Lee'",
            "filter, position 1: lastName is unknown for Enrollment; did you mean PersonIdentity.lastName ",
        ),
        ("grade = 9", "filter, position 9: grade needs a text in single quotes, not a number"),
        ("grade = '09'", "filter, position 9: grade is compared by the state's codes, "),
        ("a = null", "filter, position 5: nothing is equal to null; write 'is null' or 'is not null'"),
    ],
)
def test_errors_are_as_shown(wrong: str, shown: str, catalog: Catalog) -> None:
    with pytest.raises(FilterError) as caught:
        select(wrong, catalog.objects["Enrollment"], catalog)
    assert caught.value.detail.startswith(shown)
    assert f"`{shown}" in PAGE


def test_limits_are_as_told() -> None:
    told = f"at most {MAX_EXPRESSION:,} characters, {MAX_TERMS} values, and {MAX_DEPTH} parentheses"
    assert told in PAGE
