"""Where `submit` gets its keys from: arguments, a file, or standard input; and files of keys for it."""

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from processor.cli.exits import UsageError
from processor.cli.files import new_file

STDIN = "-"
NO_KEYS = "give them as arguments, by --file FILE, or - to read standard input"


def read_keys(arguments: list[str], file: Path | None) -> list[str]:
    """Keys as they were written. Raises UsageError where there are none, or more than one source."""
    if file is not None:
        if arguments:
            raise UsageError("give keys as arguments or by --file, not both")
        keys = _stdin() if str(file) == STDIN else _file(file)
    elif arguments == [STDIN]:
        keys = _stdin()
    else:
        keys = arguments
    for number, key in enumerate(keys, start=1):
        if not _is_unicode(key):
            raise UsageError(f"key {number} is not UTF-8 text")
    if not keys and (file is not None or arguments):
        place = "standard input" if file is None or str(file) == STDIN else file
        raise UsageError(f"{place} holds no keys")
    if not keys:
        raise UsageError(f"no keys: {NO_KEYS}")
    return keys


def write_keys(path: Path, keys: Iterable[str]) -> None:
    """A file as `read_keys` reads it, by its name; it appears when it is whole. Raises UsageError."""
    with new_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as opened:
        if _is_csv(path):
            csv.writer(opened, lineterminator="\n").writerows([["key"], *([key] for key in keys)])
        else:
            opened.writelines(f"{key}\n" for key in keys)


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _stdin() -> list[str]:
    return list(_lines(_text(sys.stdin.buffer.read(), "standard input")))


def _file(path: Path) -> list[str]:
    try:
        text = _text(path.read_bytes(), str(path))
    except OSError as fault:
        raise UsageError(f"{path} cannot be read: {fault.strerror}") from None
    return list(_first_column(text, path) if _is_csv(path) else _lines(text))


def _text(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        raise UsageError(f"{place} line {line} is not UTF-8 text") from None


def _lines(text: str) -> Iterator[str]:
    """Lines that are not blank, as they are: a key may begin with any character, so there are no comments."""
    return (line.removesuffix("\r") for line in text.split("\n") if line.strip())


def _first_column(text: str, path: Path) -> Iterator[str]:
    """Without the header, which every CSV file has."""
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        next(rows, None)
        for row in rows:
            if row and row[0].strip():
                yield row[0]
    except csv.Error as fault:
        raise UsageError(f"{path} line {rows.line_num} is not CSV: {fault}") from None


def _is_unicode(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True
