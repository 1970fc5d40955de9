"""How one side is asked for an object's rows, so that keys which it cannot take spoil nothing for the others."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from psycopg import sql
from psycopg.rows import TupleRow

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.database import Database, Unreadable
from processor.adapters.postgres.packed_rows import longest_row, row_of, texts_by_key
from processor.adapters.postgres.snapshot_faults import (
    OTHER_SPELLING,
    check_some_readable,
    is_no_key_of,
    key_fault,
    none_readable,
    unreadable_keys,
    why_unreadable,
)
from processor.core.catalog import FieldSpec, ObjectType
from processor.core.digest import LEAST_KEYS, READS_BY_ROWS
from processor.core.snapshot import KeyFault, Row
from processor.service.ports import SnapshotImpossible, SnapshotUnavailable

READ_AGAIN = 3
"""Times that the keys which can be read may change while they are looked for."""


@dataclass(frozen=True, slots=True)
class Given:
    """What one statement gave, with the version of its snapshot, and of the keys left out of it why.

    Each key's one row as a text, or its rows by their columns.
    """

    xmax: int
    in_progress: int
    read_at: datetime
    texts: Mapping[str, str] | None = None
    by_columns: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    faults: Mapping[str, KeyFault] = field(default_factory=dict)

    def rows(self, keys: Iterable[str]) -> Mapping[str, tuple[Row, ...]]:
        """Of these keys at least."""
        texts = self.texts
        return self.by_columns if texts is None else {key: (row_of(texts[key]),) for key in keys if key in texts}


class Question:
    """How one side is asked for an object's rows: as texts, or by columns where keys are few or texts do not tell."""

    def __init__(
        self,
        kind: ObjectType,
        table: str,
        statement: Callable[[ObjectType, FieldSpec | None], sql.Composed],
        packed: Callable[[ObjectType], sql.Composed],
    ) -> None:
        self.table = table
        self._columns = len(kind.compared)
        self._packed = packed(kind)
        self._whole = statement(kind, None)
        self._parts = {field.name: partial(statement, kind, field) for field in kind.compared}
        self._resting: dict[str, int] = {}
        """How many reads of a district are still to go by columns, since texts did not tell."""

    def put(self, database: Database, district_id: str, keys: Sequence[str]) -> Given:
        """All rows come by one statement, also where some keys had to be left out. Raises SnapshotUnavailable."""
        parameters = {"district_id": district_id}
        if len(keys) >= LEAST_KEYS and not self._rests(district_id):
            if (texts := self._texts(database, parameters, keys)) is not None:
                return texts
            self._resting[district_id] = READS_BY_ROWS
        return self._by_columns(database, parameters, keys)

    def _rests(self, district_id: str) -> bool:
        left = self._resting.get(district_id, 0)
        self._resting[district_id] = max(0, left - 1)
        return left > 0

    def _texts(self, database: Database, parameters: Mapping[str, object], keys: Sequence[str]) -> Given | None:
        """None where the columns have to tell."""
        read_at = datetime.now(UTC)
        try:
            asked = {**parameters, "longest": longest_row(len(keys))}
            ((xmax, in_progress, number, *packed),) = _rows(database, self._packed, asked, keys)
        except Unreadable:
            return None
        texts = texts_by_key(self._columns, number, *packed) if number else {}
        if texts is None or not texts.keys() <= {*keys}:
            return None
        return Given(xmax, in_progress, read_at, texts)

    def _by_columns(self, database: Database, parameters: Mapping[str, object], keys: Sequence[str]) -> Given:
        read = partial(_rows_asked_for, database, self._whole, parameters)
        faults: dict[str, KeyFault] = {}
        for _ in range(READ_AGAIN):
            asked = [key for key in keys if key not in faults]
            read_at = datetime.now(UTC)
            try:
                rows = read(asked)
            except Unreadable as fault:
                if not asked:
                    raise none_readable(database, fault) from fault
                check_some_readable(database, read, asked)
                fields = {name: partial(_rows, database, part(), parameters) for name, part in self._parts.items()}
                faults |= {key: key_fault(database, key, why, fields) for key, why in unreadable_keys(read, asked)}
            else:
                return Given(rows[0][0], rows[0][1], read_at, by_columns=rows_by_key(rows), faults=faults)
        raise SnapshotUnavailable(f"{database.name}: rows that cannot be read keep changing")


def rows_by_key(rows: list[TupleRow]) -> dict[str, tuple[Row, ...]]:
    """Of (xmax, in_progress, key, *columns), the key null where there is no row.

    In time that grows with the rows, though one key may have very many of them.
    """
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        if row[2] is not None:
            by_key.setdefault(row[2], []).append(row[3:])
    return {key: tuple(found) for key, found in by_key.items()}


def _rows(
    database: Database, statement: sql.Composed, parameters: Mapping[str, object], keys: Sequence[str]
) -> list[TupleRow]:
    return database.rows(statement, {**parameters, "keys": array_literal(keys)})


def _rows_asked_for(
    database: Database, statement: sql.Composed, parameters: Mapping[str, object], keys: Sequence[str]
) -> list[TupleRow]:
    """Raises Unreadable where a row comes under another spelling: its key is neither there nor absent."""
    rows = _rows(database, statement, parameters, keys)
    if not {row[2] for row in rows} <= {*keys, None}:
        raise Unreadable(OTHER_SPELLING)
    return rows


def rows_below(
    database: Database, statement: sql.Composed, parameters: Mapping[str, object], keys: Sequence[str]
) -> list[TupleRow]:
    """Nothing hangs below a key that a side cannot hold. Raises SnapshotUnavailable."""
    read = partial(_rows, database, statement, parameters)
    try:
        return read(keys)
    except Unreadable:
        lacking = set()
        for key, fault in unreadable_keys(read, keys):
            if not is_no_key_of(database, key, fault):
                raise SnapshotImpossible(f"{database.name}: a key below {why_unreadable(fault)}") from fault
            lacking.add(key)
    try:
        return read([key for key in keys if key not in lacking])
    except Unreadable:
        raise SnapshotUnavailable(f"{database.name}: rows that cannot be read keep changing") from None
