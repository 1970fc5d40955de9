"""Workbooks of several sheets, documents that leave keys out, and files that are whole or not there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from processor.cli.exits import UsageError
from processor.cli.files import new_file, to_stdout
from processor.cli.report import Form, form_of, report
from processor.cli.report_pdf import MOST_KEYS, write_pdf
from processor.cli.report_xlsx import write_xlsx
from processor.core.errors import Reason
from processor.core.mend import Cause
from tests.reading import sheets

AT = datetime(2026, 8, 1, 12, 0, 0, 123456, tzinfo=UTC)
REQUEST: dict[str, Any] = {
    "request_id": "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11",
    "district_id": "NORTH",
    "object": "Enrollment",
    "mode": "SYNC",
    "dependencies": "NONE",
    "on_state_only": "REPORT",
    "request_reason": "=cmd|' /C calc'!A0",
    "state": "COMPLETE_WITH_FAILURES",
    "decided_at": AT,
    "counts": [{"status": "FAILED", "reason": "PARENT_MISSING", "keys": 1}],
}
CAUSE = Cause("Enrollment", Reason.PARENT_MISSING, None, "PersonIdentity", 1, ("11",), 1, ("7",))
MEND = "resync submit --district NORTH --object PersonIdentity --dependencies all 7"


def rows(keys: list[str]) -> Iterator[dict[str, Any]]:
    for key in keys:
        yield {
            "object": "Enrollment", "key": key, "asked_as": key, "status": "APPLIED", "reason": None,
            "detail": "a" * 300, "changed_fields": ["grade", "school"], "parent_object": None, "parent_key": None,
            "correction_id": None, "attempt": 1, "first_decided_at": AT, "sent_at": AT, "answered_at": None,
            "decided_at": AT,
        }  # fmt: skip


@pytest.mark.parametrize(("keys", "parts"), [(0, [0]), (2, [2]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
def test_keys_beyond_a_sheet_go_on_the_next(tmp_path: Path, keys: int, parts: list[int]) -> None:
    names = [str(number) for number in range(keys)]
    write_xlsx(tmp_path / "r.xlsx", REQUEST, [], rows(names), most_rows=3)
    found = sheets(tmp_path / "r.xlsx")
    assert list(found) == ["Request", "Keys", "Keys 2", "Keys 3"][: len(parts) + 1]
    assert [len(found[name]) for name in list(found)[1:]] == parts
    assert [row["key"] for name in list(found)[1:] for row in found[name]] == names


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "7", "http://x", "<b>&", "Ж\x02", "_x0041_"]
)
def test_every_text_is_a_text_and_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    write_xlsx(tmp_path / "r.xlsx", REQUEST, [CAUSE], rows([text]))
    found = sheets(tmp_path / "r.xlsx")
    [row] = found["Keys"]
    escaped = text.replace("_x0041_", "_x005F_x0041_").replace("\x02", "_x0002_").replace("\r", "_x000D_")
    assert row["key"] in {text, escaped, text.replace("\r", "\n")}
    assert row["changed fields"] == "grade school"
    assert row["decided at"] == "2026-08-01T12:00:00.123456+00:00"
    assert found["Failures"][0]["command"] == MEND
    assert {"name": "request reason", "value": REQUEST["request_reason"]} in found["Request"]


def pdf_text(path: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def test_a_pdf_has_summary_failures_and_keys(tmp_path: Path) -> None:
    write_pdf(tmp_path / "r.pdf", REQUEST, [CAUSE], rows(["=1+1", "x" * 200, "Ж"]), 3)
    text = pdf_text(tmp_path / "r.pdf")
    assert "state: COMPLETE_WITH_FAILURES" in text
    assert "FAILED/PARENT_MISSING=1" in text
    assert MEND in text.replace("\n", " ")
    assert "=1+1" in text
    assert "x" * 200 in text.replace("\n", "")
    assert "\\u0416" in text
    assert "left out" not in text


def test_a_pdf_holds_2000_keys_and_says_how_many_it_leaves_out(tmp_path: Path) -> None:
    keys = [f"k{number}" for number in range(MOST_KEYS + 5)]
    write_pdf(tmp_path / "r.pdf", REQUEST, [], rows(keys), len(keys))
    text = pdf_text(tmp_path / "r.pdf").split()
    assert [key for key in keys if key in set(text)] == keys[:2_000]
    assert " ".join(text).endswith("5 more keys are left out; `resync report` gives all of them in its other forms.")


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("old")
    with new_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    with pytest.raises(UnicodeEncodeError), new_file(path) as partial:
        partial.write_text("half Ж", encoding="ascii")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file"), new_file(tmp_path / "no" / "r") as partial:
        partial.write_text("x")


@pytest.mark.parametrize(
    ("output", "to", "form"),
    [
        (None, None, Form.TABLE),
        (None, "r.xlsx", Form.XLSX),
        (None, "r.PDF", Form.PDF),
        (None, "r.csv", Form.CSV),
        (None, "r.json", Form.JSON),
        (None, "r.ndjson", Form.NDJSON),
        (None, "r.txt", Form.TABLE),
        (None, "csv", Form.TABLE),
        (None, "-", Form.TABLE),
        (Form.JSON, "r.csv", Form.JSON),
        (Form.TABLE, "r.pdf", Form.TABLE),
    ],
)
def test_the_form_is_what_the_file_ends_in_unless_it_is_given(output: Form | None, to: str | None, form: Form) -> None:
    assert form_of(output, None if to is None else Path(to)) is form


def test_a_file_for_stdout_goes_there_as_it_is_once_it_is_whole(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with to_stdout() as path:
        path.write_bytes(b"\x00\xff\r\n")
        assert capfdbinary.readouterr().out == b""
    assert capfdbinary.readouterr().out == b"\x00\xff\r\n"
    assert not path.exists()


@pytest.mark.parametrize("form", ["xlsx", "pdf"])
def test_a_form_for_a_file_is_refused_without_one(form: str) -> None:
    with pytest.raises(UsageError, match=f"--output {form} needs --to FILE, or --to - for stdout"):
        report(REQUEST["request_id"], output=Form(form))
