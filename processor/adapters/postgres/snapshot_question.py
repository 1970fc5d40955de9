"""How one side is asked for an object's rows, so that keys which it cannot take spoil nothing for the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from psycopg import sql
from psycopg.rows import TupleRow

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.database import Database, Unreadable
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
from processor.core.snapshot import KeyFault
from processor.service.ports import SnapshotImpossible, SnapshotUnavailable

READ_AGAIN = 3
"""Times that the keys which can be read may change while they are looked for."""


@dataclass(frozen=True, slots=True)
class Given:
    """What one statement gave, and of the keys left out of it why."""

    rows: list[TupleRow]
    read_at: datetime
    faults: Mapping[str, KeyFault]


class Question:
    """How one side is asked for an object's rows."""

    def __init__(
        self, kind: ObjectType, statement: Callable[[ObjectType, FieldSpec | None], sql.Composed], table: str
    ) -> None:
        self.table = table
        self._whole = statement(kind, None)
        self._parts = {field.name: partial(statement, kind, field) for field in kind.compared}

    def put(self, database: Database, district_id: str, keys: Sequence[str]) -> Given:
        """All rows come by one statement, also where some keys had to be left out. Raises SnapshotUnavailable."""
        parameters = {"district_id": district_id}
        read = partial(_rows_asked_for, database, self._whole, parameters)
        faults: dict[str, KeyFault] = {}
        for _ in range(READ_AGAIN):
            asked = [key for key in keys if key not in faults]
            read_at = datetime.now(UTC)
            try:
                return Given(read(asked), read_at, faults)
            except Unreadable as fault:
                if not asked:
                    raise none_readable(database, fault) from fault
                check_some_readable(database, read, asked)
                fields = {name: partial(_rows, database, part(), parameters) for name, part in self._parts.items()}
                faults |= {key: key_fault(database, key, why, fields) for key, why in unreadable_keys(read, asked)}
        raise SnapshotUnavailable(f"{database.name}: rows that cannot be read keep changing")


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
