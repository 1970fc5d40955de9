"""A report as an XLSX workbook, written row by row: a sheet of the request and its failures, then the keys.

Every cell with text is written as text, so nothing that begins as a formula does is one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processor.cli.failures import asked_of, failure_documents
from processor.cli.output import plain
from processor.cli.report_columns import ALL_COLUMNS
from processor.cli.requests import count_text, document
from processor.core.mend import Cause
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_000_000
"""Keys a sheet: a sheet ends at 1,048,576 rows."""

FAILURES = (
    "object", "reason", "detail", "parent_object", "keys", "sample_keys", "sample_parents", "mended_by", "advice",
    "command",
)  # fmt: skip
_WIDTH = 18
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_xlsx(
    path: Path, request: Row, causes: Sequence[Cause], rows: Iterator[Row], most_rows: int = MOST_ROWS
) -> None:
    from xlsxwriter import Workbook

    with Workbook(str(path), _OPTIONS) as book:
        heading = book.add_format({"bold": True})
        _write_request(_sheet(book, "Request", ("name", "value"), heading), request)
        if causes:
            failures = failure_documents(asked_of(request), causes)
            _write_rows(_sheet(book, "Failures", FAILURES, heading), FAILURES, failures)
        for number, part in enumerate(_parts(rows, most_rows), 1):
            name = "Keys" if number == 1 else f"Keys {number}"
            _write_rows(_sheet(book, name, ALL_COLUMNS, heading), ALL_COLUMNS, map(document, part))


def _parts(rows: Iterator[Row], most_rows: int) -> Iterator[Iterator[Row]]:
    """At least one, which may be empty; each is to be read to its end before the next."""
    first: Iterable[Row] = islice(rows, 1)
    while True:
        yield chain(first, islice(rows, most_rows - 1))
        first = list(islice(rows, 1))
        if not first:
            return


def _sheet(book: "Workbook", name: str, columns: Sequence[str], heading: "Format") -> "Worksheet":
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, _WIDTH)
    for column, title in enumerate(columns):
        sheet.write_string(0, column, title.replace("_", " "), heading)
    return sheet


def _write_request(sheet: "Worksheet", request: Row) -> None:
    found: dict[str, Any] = document(request)
    counts = found.pop("counts")
    pairs = [*found.items(), *(("count", count_text(count)) for count in counts)]
    _write_rows(sheet, ("name", "value"), ({"name": name.replace("_", " "), "value": value} for name, value in pairs))


def _write_rows(sheet: "Worksheet", columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Below the heading. Empty cells are left out."""
    for line, row in enumerate(rows, 1):
        for column, name in enumerate(columns):
            value = row[name]
            if isinstance(value, int):
                sheet.write_number(line, column, value)
            elif text := plain(value):
                sheet.write_string(line, column, text)
