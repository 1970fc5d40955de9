"""Types of the state's columns, asked once a table: values travel as text and are cast by the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psycopg import Connection, sql

from processor.adapters.postgres.named_sql import named_sql
from processor.core.catalog import Catalog, ObjectType
from processor.service.apply_state import StateUnavailable

_SQL = named_sql("applier.sql")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """`cast_to` is without length; `declared` is with it. Both are SQL as the database itself spells it."""

    cast_to: str
    declared: str


def table_name(name: str) -> sql.Identifier:
    """A table of the catalog, `schema.table` or `table`, written as it is spelled."""
    return sql.Identifier(*name.split("."))


def type_name(spelled: str) -> sql.SQL:
    """A type as the database spells it: it has quoted what needs quoting."""
    return sql.SQL(spelled)


class Columns:
    """Remembers what it asked; a table that changes is asked again by a new instance."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._of: dict[str, Mapping[str, ColumnType]] = {}

    def type_of(self, table: str, column: str) -> ColumnType:
        """Raises StateUnavailable where there is none: waits until the database or the catalog is mended."""
        if table not in self._of:
            self._of[table] = self._describe(table)
        found = self._of[table].get(column)
        if found is None:
            raise StateUnavailable(f"the state has no column {column} in table {table}: mend the catalog or the table")
        return found

    def knows(self, table: str) -> bool:
        """Whether `type_of` asks nothing."""
        return table in self._of

    def _describe(self, table: str) -> Mapping[str, ColumnType]:
        quoted = table_name(table).as_string(self.connection)
        rows = self.connection.execute(_SQL["columns"], {"table": quoted})
        return {name: ColumnType(cast_to, declared) for name, cast_to, declared in rows}


def missing_columns(catalog: Catalog, columns: Columns) -> list[str]:
    """Everything that the catalog names and the state's database lacks, a line each."""
    missing = []
    for table, column in dict.fromkeys(_named(catalog.objects.values())):
        try:
            columns.type_of(table, column)
        except StateUnavailable as fault:
            missing.append(str(fault))
    return missing


def _named(objects: Iterable[ObjectType]) -> Iterable[tuple[str, str]]:
    for object_type in objects:
        home = object_type.state
        yield home.name, home.key_column
        if home.district_column is not None:
            yield home.name, home.district_column
        for field in object_type.owned:
            if field.state_column is not None:
                yield home.name, field.state_column
            if (lookup := field.state_lookup) is not None:
                yield from ((lookup.table, c) for c in (lookup.district_column, lookup.key_column, lookup.id_column))
