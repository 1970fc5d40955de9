"""What commands print: results on stdout in the asked form, everything else on stderr."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from processor.core.accept import printable
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 500
"""Columns where there is no terminal, so that nothing is cut."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


@cache
def console(*, stderr: bool = False) -> "Console":
    """Colours only on a terminal and without NO_COLOR."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, width=None if stream.isatty() else _WIDE, highlight=False, markup=False, soft_wrap=True
    )


def say(text: str) -> None:
    """A line for the person at the terminal, not for what reads stdout."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_json(document: object) -> None:
    """ASCII only, so that no terminal takes a value for a command."""
    print_line(json.dumps(document, indent=2))


def print_keys(keys: Iterable[str]) -> None:
    """One a line, as `resync submit … -` reads them."""
    for key in keys:
        sys.stdout.write(f"{key}\n")


def print_ndjson(rows: Iterable[Row]) -> None:
    for row in rows:
        sys.stdout.write(f"{json.dumps(row)}\n")


def print_json_list(documents: Iterable[Row]) -> None:
    """A list of any length, written as it comes."""
    before = "[\n  "
    for document in documents:
        sys.stdout.write(before + json.dumps(document))
        before = ",\n  "
    sys.stdout.write("[]\n" if before.startswith("[") else "\n]\n")


def print_csv(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Lists are joined by blanks. Nothing that begins as a formula does is left so: spreadsheets run formulas."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([csv_cell(row.get(column)) for column in columns])


def csv_cell(value: object) -> str:
    text = plain(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain(value: object) -> str:
    """As text for people."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return " ".join(plain(one) for one in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {plain(one)}" for name, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def print_table(columns: Sequence[str], rows: Iterable[Row], *, stderr: bool = False) -> None:
    TablePages(columns, stderr=stderr).print(list(rows))


class TablePages:
    """A table that may be printed in several pieces: column names once, with blanks for underscores."""

    def __init__(self, columns: Sequence[str], *, stderr: bool = False) -> None:
        self._columns = columns
        self._console = console(stderr=stderr)
        self._widths = [len(column) for column in columns]
        self._is_first = True

    def print(self, rows: Sequence[Row]) -> None:
        """Columns are at least as wide as in the pieces before; numbers stand to the right."""
        cells = [[printable(plain(row.get(column))) for column in self._columns] for row in rows]
        numbers = [any(isinstance(row.get(column), int) for row in rows) for column in self._columns]
        if self._console.width == _WIDE:
            self._print_lines(cells, numbers)
        else:
            self._print_folded(cells, numbers)
        self._is_first = False

    def _print_lines(self, cells: list[list[str]], numbers: list[bool]) -> None:
        """Where no terminal has to fit them: a line a row, however long and however many."""
        from rich.cells import cell_len

        lines = [[column.replace("_", " ") for column in self._columns]] if self._is_first else []
        for line in lines + cells:
            self._widths = [max(width, cell_len(text)) for width, text in zip(self._widths, line, strict=True)]
        for line in lines + cells:
            blanks = [" " * (width - cell_len(text)) for width, text in zip(self._widths, line, strict=True)]
            padded = zip(line, blanks, numbers, strict=True)
            joined = "  ".join(blank + text if right else text + blank for text, blank, right in padded)
            self._console.file.write(f"{joined}\n")

    def _print_folded(self, cells: list[list[str]], numbers: list[bool]) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", show_header=self._is_first)
        for column, is_number in zip(self._columns, numbers, strict=True):
            table.add_column(column.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
        for line in cells:
            table.add_row(*map(Text, line))
        self._console.print(table)


def print_rows(output: Output, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """In JSON a list of objects."""
    match output:
        case Output.TABLE:
            print_table(columns, rows)
        case Output.JSON:
            print_json(list(rows))
        case Output.NDJSON:
            print_ndjson(rows)
        case Output.CSV:
            print_csv(columns, rows)
