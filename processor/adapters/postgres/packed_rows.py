"""Rows of many keys as two texts, of keys and of columns: only a row that differs is taken apart (ADR 0167).

Between two columns, and two rows, stands a character that hardly any text has. The server counts rows and nulls, so a
text that has one of these characters is seen; the rows are then read column by column.
"""

from collections.abc import Mapping

from psycopg import sql

from processor.core.snapshot import Row

_COLUMN, _NULL, _ROW = "\x1f", "\x1e", "\x1d"
_PACKED = sql.SQL(
    "SELECT count(*) AS number, sum(num_nulls(VARIADIC q.texts))::bigint AS nulls, string_agg(q.key, {row}) AS keys,"
    # Else each column would be made text twice.
    " string_agg(array_to_string(q.texts, {column}, {null}), {row}) AS texts FROM ({rows} OFFSET 0) AS q"
)


def packed_rows(rows: sql.Composed) -> sql.Composed:
    """One row (number, nulls, keys, texts) of rows (key, texts), `texts` being an array of the columns."""
    return _PACKED.format(row=sql.Literal(_ROW), column=sql.Literal(_COLUMN), null=sql.Literal(_NULL), rows=rows)


def texts_by_key(columns: int, number: int, nulls: int, keys: str, texts: str) -> Mapping[str, str] | None:
    """What each key's row has, so that equal rows are equal texts; None where that cannot be told, or a key has two."""
    names, rows = keys.split(_ROW), texts.split(_ROW)
    found = dict(zip(names, rows, strict=False))
    is_told = len(found) == len(names) == len(rows) == number
    is_told = is_told and texts.count(_COLUMN) == number * (columns - 1) and texts.count(_NULL) == nulls
    return found if is_told else None


def row_of(text: str) -> Row:
    """Its columns."""
    texts = text.split(_COLUMN)
    return tuple([None if each == _NULL else each for each in texts]) if _NULL in text else tuple(texts)
