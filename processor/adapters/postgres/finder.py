"""Reads the keys and names of the records that a condition matches, at one side."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Timer

import psycopg
from psycopg import sql

from processor.adapters.postgres.array_literal import array_literal
from processor.adapters.postgres.condition_hints import ALIAS, ColumnTypes
from processor.adapters.postgres.condition_sql import field_sql, tables_of, where_sql
from processor.adapters.postgres.database import Database, ReaderOptions, Unreadable
from processor.adapters.postgres.snapshot_sql import table_name
from processor.core.catalog import KeyType, ObjectType
from processor.core.condition import Condition, Operand, table_of
from processor.core.request import Side
from processor.service.ports import SnapshotUnavailable

_TYPES = sql.SQL(
    "SELECT n.name, a.attname, t.typname FROM unnest(%(names)s::text[], %(quoted)s::text[]) AS n (name, quoted)"
    " JOIN pg_attribute AS a ON a.attrelid = to_regclass(n.quoted) AND a.attnum > 0 AND NOT a.attisdropped"
    " JOIN pg_type AS t ON t.oid = a.atttypid"
).format()


@dataclass(frozen=True, slots=True)
class Found:
    key: str
    shown: tuple[str | None, ...]
    """Texts of the fields asked for, in their order."""


class Finder:
    """Of one district, at its own database or at the state's."""

    def __init__(self, dsn: str, side: Side, district_id: str, options: ReaderOptions) -> None:
        name = f"district {district_id}" if side is Side.DISTRICT else "state"
        self._database = Database(name, dsn, options, side.lower())
        self._side = side
        self._district_id = district_id
        self._options = options

    def find(self, kind: ObjectType, condition: Condition, shown: Sequence[Operand | None], limit: int) -> list[Found]:
        """At most `limit` records in the order of their keys; a key that is there twice comes twice.

        Raises SnapshotUnavailable, also where it took longer than the statement timeout.
        """
        patience_s = self._options.statement_timeout_s + self._options.connect_timeout_s + 1
        # A server that is frozen keeps no statement timeout.
        timer = Timer(patience_s, self._database.abandon)
        timer.daemon = True
        timer.start()
        try:
            types = column_types(self._database, tables_of(condition, self._side))
            statement, parameters = find_statement(kind, condition, shown, self._side, types)
            rows = self._database.rows(statement, {**parameters, "district_id": self._district_id, "limit": limit})
        except SnapshotUnavailable as fault:
            if isinstance(fault.__cause__, psycopg.errors.QueryCanceled):
                raise SnapshotUnavailable(
                    f"{self._database.name}: not done within {self._options.statement_timeout_s:g} s;"
                    " narrow the filter or give it more time"
                ) from fault
            raise
        except Unreadable as fault:
            raise SnapshotUnavailable(f"{self._database.name}: a value cannot be read ({fault})") from fault
        finally:
            timer.cancel()
        return [Found(key, tuple(texts)) for key, *texts in rows]

    def close(self) -> None:
        self._database.close()


def column_types(database: Database, tables: Sequence[str]) -> ColumnTypes:
    """Empty for a table that is not there."""
    quoted = [table_name(name).as_string() for name in tables]
    rows = database.rows(_TYPES, {"names": array_literal(tables), "quoted": array_literal(quoted)})
    return {(table, column): type_name for table, column, type_name in rows}


def find_statement(
    kind: ObjectType, condition: Condition, shown: Sequence[Operand | None], side: Side, types: ColumnTypes
) -> tuple[sql.Composed, dict[str, str]]:
    """(key, *shown) and its parameters, without `district_id` and `limit`."""
    table = table_of(kind, side)
    where, parameters = where_sql(condition, side, types)
    key = sql.Identifier(ALIAS, table.key_column)
    order = sql.SQL('{}::text COLLATE "C"') if table.key_type is KeyType.TEXT else sql.SQL("{}")
    shared: sql.Composable = sql.SQL("")
    if table.district_column is not None:
        shared = sql.SQL("{} = %(district_id)s AND ").format(sql.Identifier(ALIAS, table.district_column))
    columns = [sql.SQL("NULL") if operand is None else field_sql(operand, side) for operand in shown]
    statement = sql.SQL(
        "SELECT {columns} FROM {table} AS t WHERE {key} IS NOT NULL AND {shared}{where}"
        " ORDER BY {order} LIMIT %(limit)s"
    ).format(
        columns=sql.SQL(", ").join([sql.SQL("{}::text").format(key), *columns]),
        table=table_name(table.name),
        key=key,
        shared=shared,
        where=where,
        order=order.format(key),
    )
    return statement, parameters
