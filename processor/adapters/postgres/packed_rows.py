"""Rows of many keys as two texts, of keys and of columns: only a row that differs is taken apart (ADR 0167).

Between two columns, and two rows, stands a character that hardly any text has. The server counts rows and nulls, so a
text that has one of these characters is seen; the rows are then read column by column. So they are where one of them
is long: both ends hold a text several times at once, and the server nothing but a row otherwise.
"""

from collections.abc import Mapping

from psycopg import sql

from processor.core.snapshot import Row

_COLUMN, _NULL, _ROW = "\x1f", "\x1e", "\x1d"
_PACKED = sql.SQL(
    "SELECT count(*) AS number, sum(p.nulls)::bigint AS nulls, string_agg(p.key, {row}) AS keys,"
    " CASE WHEN max(octet_length(p.text)) <= %(longest)s THEN"
    " string_agg(p.text, {row}) FILTER (WHERE octet_length(p.text) <= %(longest)s) END AS texts FROM"
    # Else each column, and each row, would be made text twice.
    " (SELECT q.key, num_nulls(VARIADIC q.texts) AS nulls, array_to_string(q.texts, {column}, {null}) AS text"
    " FROM ({rows} OFFSET 0) AS q OFFSET 0) AS p"
)
MOST_BYTES = 16 * 1024 * 1024
"""Of a text of rows, which is not given where one of them is longer than its share."""


def packed_rows(rows: sql.Composed) -> sql.Composed:
    """One row (number, nulls, keys, texts) of rows (key, texts), `texts` being an array of the columns.

    Parameter: `longest`, as `longest_row` gives it.
    """
    return _PACKED.format(row=sql.Literal(_ROW), column=sql.Literal(_COLUMN), null=sql.Literal(_NULL), rows=rows)


def longest_row(keys: int) -> int:
    """In bytes, of so many."""
    return MOST_BYTES // keys


def texts_by_key(columns: int, number: int, nulls: int, keys: str, texts: str | None) -> Mapping[str, str] | None:
    """What each key's row has, so that equal rows are equal texts; None where that cannot be told, or a key has two."""
    if texts is None:
        return None
    names, rows = keys.split(_ROW), texts.split(_ROW)
    found = dict(zip(names, rows, strict=False))
    is_told = len(found) == len(names) == len(rows) == number
    is_told = is_told and texts.count(_COLUMN) == number * (columns - 1) and texts.count(_NULL) == nulls
    return found if is_told else None


def row_of(text: str) -> Row:
    """Its columns."""
    texts = text.split(_COLUMN)
    return tuple([None if each == _NULL else each for each in texts]) if _NULL in text else tuple(texts)
