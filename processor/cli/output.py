"""What commands print: results on stdout in the asked form, everything else on stderr."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING

from processor.core.printable import printable
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 500
"""Columns where there is no terminal, so that nothing is cut."""
_GAP = "  "
_INDENT = "    "
_UNBROKEN = "\0"
"""Stands for a blank at which no line may end; no cell has one."""
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


def print_json_with_list(before: Row, name: str, documents: Iterable[Row], after: Callable[[], Row]) -> None:
    """An object with a list of any length, written as it comes; `after` is asked for once the list has been written."""
    lead = "{"
    for member, value in before.items():
        sys.stdout.write(f"{lead}\n  {json.dumps(member)}: {json.dumps(value)}")
        lead = ","
    sys.stdout.write(f"{lead}\n  {json.dumps(name)}: ")
    lead = "["
    for document in documents:
        sys.stdout.write(f"{lead}\n    {json.dumps(document)}")
        lead = ","
    sys.stdout.write("[]" if lead == "[" else "\n  ]")
    for member, value in after().items():
        sys.stdout.write(f",\n  {json.dumps(member)}: {json.dumps(value)}")
    sys.stdout.write("\n}\n")


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
    """A table that may be printed in several pieces: column names once, with blanks for underscores.

    On a terminal no cell is cut or broken: columns that do not fit, or were empty in the first piece, follow below
    their row by name, where they have a value.
    """

    def __init__(self, columns: Sequence[str], *, stderr: bool = False) -> None:
        self._names = [column.replace("_", " ") for column in columns]
        self._columns = columns
        self._console = console(stderr=stderr)
        self._widths = [0] * len(columns)
        self._fitting: list[int] | None = None

    def print(self, rows: Sequence[Row]) -> None:
        """Columns are at least as wide as in the pieces before; numbers stand to the right."""
        from rich.cells import cell_len

        cells = [[printable(plain(row.get(column))) for column in self._columns] for row in rows]
        numbers = [any(isinstance(row.get(column), int) for row in rows) for column in self._columns]
        is_first = self._fitting is None
        for line in ([self._names] if is_first else []) + cells:
            self._widths = [max(width, cell_len(text)) for width, text in zip(self._widths, line, strict=True)]
        if self._fitting is None:
            self._fitting = self._columns_that_fit(cells)
        if is_first and (cells or self._console.width == _WIDE):
            self._console.print(self._line(self._names, numbers), style="bold")
        for line in cells:
            self._write(self._line(line, numbers))
            for text in self._below(line):
                self._write(text)

    def _columns_that_fit(self, cells: Sequence[Sequence[str]]) -> list[int]:
        if self._console.width == _WIDE or not cells:
            return list(range(len(self._columns)))
        fitting: list[int] = []
        left = self._console.width
        for column, width in enumerate(self._widths):
            if any(line[column] for line in cells) and (not fitting or width <= left):
                fitting.append(column)
                left -= width + len(_GAP)
        return fitting

    def _line(self, line: Sequence[str], numbers: Sequence[bool]) -> str:
        from rich.cells import cell_len

        padded = []
        for column in self._fitting or ():
            blanks = " " * (self._widths[column] - cell_len(line[column]))
            padded.append(blanks + line[column] if numbers[column] else line[column] + blanks)
        return _GAP.join(padded).rstrip()

    def _below(self, line: Sequence[str]) -> list[str]:
        fitting = self._fitting or ()
        named = [f"{self._names[c]}: {text}" for c, text in enumerate(line) if text and c not in fitting]
        width = self._console.width - len(_INDENT)
        whole = [each.replace(" ", _UNBROKEN) if len(each) < width else each for each in named]
        lines = wrap("; ".join(whole), width, break_long_words=False, break_on_hyphens=False)
        return [_INDENT + each.replace(_UNBROKEN, " ") for each in lines]

    def _write(self, text: str) -> None:
        self._console.file.write(f"{text}\n")


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
