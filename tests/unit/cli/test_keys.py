import io
import sys
from pathlib import Path

import pytest

from processor.cli.exits import UsageError
from processor.cli.keys import read_keys, write_keys


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_arguments_are_taken_as_they_are() -> None:
    assert read_keys(["007", " 7", "", "#1"], None) == ["007", " 7", "", "#1"]


def test_a_file_has_a_key_a_line_and_no_comments(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes("\ufeff#1\r\n\n a,b \n  \n７\x0b\nlast".encode())
    assert read_keys([], file) == ["#1", " a,b ", "７\x0b", "last"]


def test_a_csv_file_gives_its_first_column_without_the_header(tmp_path: Path) -> None:
    file = tmp_path / "keys.CSV"
    file.write_text('personID,name\n1,x\n"2\n3",y\n,empty\n\n4\n')
    assert read_keys([], file) == ["1", "2\n3", "4"]


@pytest.mark.parametrize("name", ["keys", "keys.csv", "keys.CSV"])
def test_keys_that_are_written_are_those_read(tmp_path: Path, name: str) -> None:
    keys = ["1", "007", "=1", 'a,"b', "#x", "é y"]
    write_keys(tmp_path / name, keys)
    assert read_keys([], tmp_path / name) == keys
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("arguments", "file"), [(["-"], None), ([], Path("-"))])
def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch, arguments: list[str], file: Path | None) -> None:
    stdin(monkeypatch, b"1\n2\n")
    assert read_keys(arguments, file) == ["1", "2"]


@pytest.mark.parametrize(
    ("arguments", "file", "says"),
    [
        ([], None, "no keys"),
        (["1"], Path("keys"), "not both"),
        ([], Path("nowhere"), "nowhere cannot be read"),
        (["1", "\udcff"], None, "key 2 is not UTF-8"),
    ],
)
def test_what_cannot_be_keys_is_refused(arguments: list[str], file: Path | None, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_keys(arguments, file)


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"1\n2\n\xe9\n")
    with pytest.raises(UsageError, match="line 3"):
        read_keys([], file)


@pytest.mark.parametrize(("name", "text"), [("keys.txt", "\n \n"), ("keys.csv", "key\n")])
def test_a_file_without_keys_is_named(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(UsageError, match=rf"{name} holds no keys$"):
        read_keys([], file)


@pytest.mark.parametrize(("arguments", "file"), [(["-"], None), ([], Path("-"))])
def test_standard_input_without_keys_is_named(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], file: Path | None
) -> None:
    stdin(monkeypatch, b"")
    with pytest.raises(UsageError, match=r"^standard input holds no keys$"):
        read_keys(arguments, file)
