import csv
import io
import json
from collections.abc import Iterator

import pytest
from rich.console import Console

from processor.cli import output
from processor.cli.output import Output, TablePages, console, csv_cell, print_json_with_list, print_rows

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


@pytest.mark.parametrize("before", [{}, {"id": "x", "n": 1}])
@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS])
def test_a_list_written_as_it_comes_is_json(
    before: dict[str, object], rows: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    passing = iter(rows)
    print_json_with_list(before, "rows", passing, lambda: {"left": len(list(passing))})
    assert json.loads(capsys.readouterr().out) == {**before, "rows": rows, "left": 0}


class Terminal:
    """What is printed on a terminal of so many columns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
        self._file = io.StringIO()
        terminal = Console(file=self._file, width=width, highlight=False, markup=False, soft_wrap=True)
        monkeypatch.setattr(output, "console", lambda **_options: terminal)

    def lines(self) -> list[str]:
        return self._file.getvalue().splitlines()


REQUESTS: list[dict[str, object]] = [
    {"request_id": "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11", "state": "COMPLETE", "by": None, "counts": ["a=1", "b=2"]},
    {"request_id": "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c12", "state": "REJECTED", "by": None, "counts": []},
]
REQUEST_COLUMNS = ("request_id", "state", "by", "counts")


def test_on_a_terminal_no_id_is_broken_and_what_does_not_fit_follows_below(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, 50)
    print_rows(Output.TABLE, REQUEST_COLUMNS, REQUESTS)
    assert terminal.lines() == [
        "request id                            state",
        "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11  COMPLETE",
        "    counts: a=1 b=2",
        "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c12  REJECTED",
    ]


def test_below_a_row_a_name_stays_with_its_value_where_a_line_holds_both(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, 30)
    row = {"id": "x" * 28, "decided_at": "13:52:45Z", "counts": ["a=1"] * 8, "asked_as": "007"}
    print_rows(Output.TABLE, tuple(row), [row])
    assert terminal.lines()[2:] == [
        "    decided at: 13:52:45Z;",
        "    counts: a=1 a=1 a=1 a=1",
        "    a=1 a=1 a=1 a=1;",
        "    asked as: 007",
    ]


def test_a_column_that_is_empty_takes_no_place_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, 80)
    print_rows(Output.TABLE, REQUEST_COLUMNS, REQUESTS)
    assert terminal.lines()[0].split() == ["request", "id", "state", "counts"]


def test_what_a_later_piece_has_in_an_empty_column_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, 80)
    pages = TablePages(REQUEST_COLUMNS)
    pages.print(REQUESTS)
    pages.print([{**REQUESTS[0], "by": "clerk"}])
    assert terminal.lines()[-1] == "    by: clerk"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(Output.NDJSON, ("key",), [{"key": "７\x9b"}])
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"key": "７\x9b"}
