import csv
import io
import json
from collections.abc import Iterator

import pytest

from processor.cli.output import Output, console, csv_cell, print_json_list, print_rows

ROWS: list[dict[str, object]] = [
    {"key": "=1+1", "n": 7, "names": ["a", "b"]},
    {"key": "x\x1b[31m\ny", "n": None, "names": []},
]


@pytest.fixture(autouse=True)
def new_consoles() -> Iterator[None]:
    """Each test has a stdout of its own."""
    console.cache_clear()
    yield
    console.cache_clear()


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_a_cell_that_begins_like_a_formula_is_text(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


def test_other_cells_stay(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(Output.CSV, ("key", "n", "names"), ROWS)
    read = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert read == [["key", "n", "names"], ["'=1+1", "7", "a b"], ["x\x1b[31m\ny", "", ""]]


def test_a_table_shows_control_characters_and_keeps_its_width(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(Output.TABLE, ("key", "n", "names"), [*ROWS, {"key": "k" * 300, "n": 1, "names": ["[bold]"]}])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"x\x1b[31m\ny" in out
    assert "[bold]" in out
    assert len(out.splitlines()) == 4


@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS])
def test_a_list_written_as_it_comes_is_json(rows: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    print_json_list(iter(rows))
    assert json.loads(capsys.readouterr().out) == rows


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(Output.NDJSON, ("key",), [{"key": "７\x9b"}])
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"key": "７\x9b"}
