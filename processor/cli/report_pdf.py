"""A report as PDF, to be read and filed: the request, its failures by cause, and at most 2,000 keys."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processor.cli.failures import asked_of, failure_lines
from processor.cli.output import plain
from processor.cli.requests import count_text, shown, shown_key
from processor.core.mend import Cause
from processor.core.printable import printable
from processor.service.client_ports import Row

if TYPE_CHECKING:
    from fpdf import FPDF

MOST_KEYS = 2_000
_COLUMNS = (("object", 34), ("key", 44), ("status", 30), ("reason", 44), ("detail", 125))
"""With their widths in millimetres, on A4 across."""
_LINE = 4.5


def write_pdf(path: Path, request: Row, causes: Sequence[Cause], rows: Iterator[Row], total: int) -> None:
    """Reads at most `MOST_KEYS` of `rows`, of which there are `total`."""
    from fpdf import FPDF

    pdf = FPDF(orientation="landscape", format="A4")
    pdf.set_auto_page_break(auto=True, margin=12)
    pdf.set_margin(10)
    pdf.add_page()
    _heading(pdf, f"Request {request['request_id']}")
    for name, value in _facts(request):
        _line(pdf, f"{name}: {printable(plain(value))}")
    for cause in causes:
        _heading(pdf, "Failures" if cause is causes[0] else "")
        for line in failure_lines(asked_of(request), cause):
            _line(pdf, line)
    _heading(pdf, "Keys")
    told = 0
    for told, row in enumerate(islice(rows, MOST_KEYS), 1):  # noqa: B007 (counted)
        _key(pdf, row)
    if total > told:
        _line(pdf, f"{total - told} more keys are left out; `resync report` gives all of them in its other forms.")
    pdf.output(str(path))


def _facts(request: Row) -> Iterator[tuple[str, Any]]:
    for name, value in shown(request).items():
        if name == "counts":
            yield "counts", ", ".join(map(count_text, value)) or "none"
        elif value is not None and name != "request_id":
            yield name.replace("_", " "), value


def _heading(pdf: "FPDF", text: str) -> None:
    pdf.ln(2)
    if text:
        pdf.set_font("Helvetica", "B", 11)
        pdf.cell(0, 6, _latin(text), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", "", 8)


def _line(pdf: "FPDF", text: str) -> None:
    pdf.multi_cell(0, _LINE, _latin(text), new_x="LMARGIN", new_y="NEXT")


def _key(pdf: "FPDF", row: Row) -> None:
    """Cells that are wider than their column are cut; the key never is, it takes a line of its own then."""
    texts = {**row, "key": shown_key(row)}
    for name, width in _COLUMNS:
        text = _latin(printable(plain(texts[name])))
        if pdf.get_string_width(text) > width - 2:
            if name == "key":
                _line(pdf, text)
                pdf.set_x(pdf.l_margin + _COLUMNS[0][1])
                text = ""
            text = _cut(pdf, text, width - 2)
        pdf.cell(width, _LINE, text)
    pdf.ln()


def _cut(pdf: "FPDF", text: str, width: float) -> str:
    """As much of its beginning as there is room for. Halved, not shortened letter by letter: measuring is slow."""
    fits = bisect_right(range(1, len(text) + 1), width, key=lambda length: pdf.get_string_width(f"{text[:length]}..."))
    return f"{text[:fits]}..." if fits else ""


def _latin(text: str) -> str:
    """The fonts that every reader of PDF has know Latin-1; other characters are shown by number."""
    return text.encode("latin-1", "backslashreplace").decode("latin-1")
