"""Arrays as Postgres reads them, an order of magnitude cheaper than letting the client adapt a list."""

from collections.abc import Iterable, Sequence
from typing import cast

_NUL = "\0"
"""Stands for null; no text that a database takes has it."""
_BETWEEN_TEXTS = '\\",\\"'
"""Of a row, whose quotes are escaped within an array of rows."""
_BETWEEN_ROWS = '\\"}","{\\"'
_ABSENT = f'\\"{_NUL}\\"'


def array_literal(values: Sequence[object]) -> str:
    """Of values by their text, None as NULL."""
    if (text := _all_texts(values)) is not None:
        return text
    text = ",".join(["NULL" if value is None else f'"{value}"' for value in values])
    if "\\" in text or text.count('"') != 2 * (len(values) - values.count(None)):
        text = ",".join("NULL" if value is None else _quoted(str(value)) for value in values)
    return f"{{{text}}}"


def array_of_rows(columns: Sequence[Sequence[str | None]]) -> str:
    """Of some columns each row as an array's literal, all of these in an array (ADR 0057)."""
    texts = [[_NUL if text is None else text for text in c] if None in c else c for c in columns]
    rows = [*map(_BETWEEN_TEXTS.join, cast("Iterable[tuple[str, ...]]", zip(*texts, strict=True)))]
    text = f'\\"{_BETWEEN_ROWS.join(rows)}\\"'
    quotes = 2 * len(columns) * len(rows)
    is_plain = text.count("\\") == quotes and text.count('"') == quotes + 2 * (len(rows) - 1)
    if not is_plain or text.count(_NUL) != sum(column.count(None) for column in columns):
        return array_literal([array_literal(row) for row in zip(*columns, strict=True)])
    return f'{{"{{{text.replace(_ABSENT, "NULL")}}}"}}'


def _all_texts(values: Sequence[object]) -> str | None:
    """None where there is another value than a text without quotes and backslashes."""
    try:
        text = '","'.join(values)  # type: ignore[arg-type]
    except TypeError:
        return None
    if not values or "\\" in text or text.count('"') != 2 * (len(values) - 1):
        return None
    return f'{{"{text}"}}'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
