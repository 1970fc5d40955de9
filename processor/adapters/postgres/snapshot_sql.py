"""The statements that read a side, built once an object from the catalog.

Every column is read as text. Rows come as (xmax, in_progress, key, *columns); where nothing matches, one row comes with
a null key, because the version of the snapshot is wanted even then.
"""

from collections.abc import Sequence

from psycopg import sql

from processor.adapters.postgres.packed_rows import packed_rows
from processor.core.catalog import FieldSpec, KeyType, ObjectType, Table
from processor.core.values import DANGLING

_KEY_ARRAY = {KeyType.INTEGER: "::bigint[]", KeyType.UUID: "::uuid[]", KeyType.TEXT: ""}
"""Of texts the database takes the column's own type, so that a char's index is used as a varchar's is."""

_VERSIONED = sql.SQL(
    "SELECT v.xmax, v.in_progress, r.* FROM"
    " (SELECT pg_snapshot_xmax(s)::text::bigint AS xmax, (SELECT count(*) FROM pg_snapshot_xip(s)) AS in_progress"
    " FROM pg_current_snapshot() AS s) AS v LEFT JOIN ({rows}) AS r ON true"
)


def versioned(rows: sql.Composed) -> sql.Composed:
    """(xmax, in_progress, *rows): of the snapshot that the rows are read by."""
    return _VERSIONED.format(rows=rows)


def district_statement(kind: ObjectType, only: FieldSpec | None = None) -> sql.Composed:
    """Parameters: `keys` (array literal), and `district_id` where districts share the table; `only` for one field."""
    return versioned(rows_of_keys(kind.district, compared_district(kind, only)))


def state_statement(kind: ObjectType, only: FieldSpec | None = None) -> sql.Composed:
    """Parameters: `keys` and `district_id`. References held as the state's ids come as the district's keys."""
    return versioned(rows_of_keys(kind.state, compared_state(kind, only)))


def compared_district(kind: ObjectType, only: FieldSpec | None = None) -> list[sql.Composed]:
    return [
        sql.SQL("t.{}::text AS {}").format(sql.Identifier(f.district_column or ""), sql.Identifier(f"c{i}"))
        for i, f in enumerate(kind.compared if only is None else (only,))
    ]


def compared_state(kind: ObjectType, only: FieldSpec | None = None) -> list[sql.Composed]:
    """Parameter where there are references: `district_id`."""
    return [
        sql.SQL("{} AS {}").format(state_column(f), sql.Identifier(f"c{i}"))
        for i, f in enumerate(kind.compared if only is None else (only,))
    ]


def packed_district_statement(kind: ObjectType) -> sql.Composed:
    """One row (xmax, in_progress, number, nulls, keys, texts); parameters as `district_statement`, and `longest`."""
    columns = [sql.SQL("t.{}::text").format(sql.Identifier(f.district_column or "")) for f in kind.compared]
    return versioned(packed_rows(rows_of_keys(kind.district, [_texts(columns)])))


def packed_state_statement(kind: ObjectType) -> sql.Composed:
    """As `packed_district_statement`."""
    return versioned(packed_rows(rows_of_keys(kind.state, [_texts(list(map(state_column, kind.compared)))])))


def _texts(columns: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL("ARRAY[{}] AS texts").format(sql.SQL(", ").join(columns))


def district_children_statement(kind: ObjectType, parent: ObjectType) -> sql.Composed:
    """(key) of rows below the parents. Parameters: `keys` (of parents), `limit`, and `district_id` where shared."""
    column = kind.by_name[kind.parent.field].district_column if kind.parent else None
    return _below(
        kind.district,
        sql.SQL("t.{} = ANY({})").format(sql.Identifier(column or ""), _keys(parent.district.key_type)),
    )


def state_children_statement(kind: ObjectType, parent: ObjectType) -> sql.Composed:
    """(key) of rows below the parents. Parameters: `keys` (of parents), `limit` and `district_id`."""
    field = kind.by_name[kind.parent.field] if kind.parent else kind.fields[0]
    column, keys = sql.Identifier("t", field.state_column or ""), _keys(parent.state.key_type)
    lookup = field.state_lookup
    if lookup is None:
        return _below(kind.state, sql.SQL("{} = ANY({})").format(column, keys))
    return _below(
        kind.state,
        sql.SQL(
            "{} IN (SELECT l.{id} FROM {table} AS l WHERE l.{district} = %(district_id)s AND l.{key} = ANY({keys}))"
        ).format(
            column,
            id=sql.Identifier(lookup.id_column),
            table=table_name(lookup.table),
            district=sql.Identifier(lookup.district_column),
            key=sql.Identifier(lookup.key_column),
            keys=keys,
        ),
    )


def _keys(key_type: KeyType) -> sql.SQL:
    return sql.SQL(f"%(keys)s{_KEY_ARRAY[key_type]}")


def _below(table: Table, condition: sql.Composed) -> sql.Composed:
    shared: sql.Composable = sql.SQL("")
    if table.district_column is not None:
        shared = sql.SQL(" AND t.{} = %(district_id)s").format(sql.Identifier(table.district_column))
    return sql.SQL("SELECT {} FROM {} AS t WHERE {}{} AND {} IS NOT NULL LIMIT %(limit)s").format(
        _key_text(table), table_name(table.name), condition, shared, sql.Identifier("t", table.key_column)
    )


def _key_text(table: Table) -> sql.Composed:
    """The key as its canonical text; an integer may be kept as a number with decimals."""
    column = sql.Identifier("t", table.key_column)
    if table.key_type is KeyType.INTEGER:
        return sql.SQL("trim_scale({}::numeric)::text").format(column)
    return sql.SQL("{}::text").format(column)


def table_name(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def place_of_key(table: Table) -> sql.Composed:
    """The key as the number that it is, or as it stands; named `place`."""
    cast = "::bigint" if table.key_type is KeyType.INTEGER else ""
    return sql.SQL(f"{{}}{cast} AS place").format(sql.Identifier("t", table.key_column))


def rows_of_keys(table: Table, columns: list[sql.Composed]) -> sql.Composed:
    """As (key, *columns). Parameters: `keys` (array literal), and `district_id` where districts share the table."""
    where = [sql.SQL("t.{} = ANY({})").format(sql.Identifier(table.key_column), _keys(table.key_type))]
    if table.district_column is not None:
        where.insert(0, sql.SQL("t.{} = %(district_id)s").format(sql.Identifier(table.district_column)))
    return sql.SQL("SELECT {key} AS key, {columns} FROM {table} AS t WHERE {where}").format(
        key=_key_text(table),
        columns=sql.SQL(", ").join(columns),
        table=table_name(table.name),
        where=sql.SQL(" AND ").join(where),
    )


def state_column(field: FieldSpec) -> sql.Composed:
    column = sql.SQL("t.{}").format(sql.Identifier(field.state_column or ""))
    lookup = field.state_lookup
    if lookup is None:
        return sql.SQL("{}::text").format(column)
    return sql.SQL(
        "CASE WHEN {column} IS NOT NULL THEN coalesce((SELECT l.{key}::text FROM {table} AS l"
        " WHERE l.{id} = {column} AND l.{district} = %(district_id)s LIMIT 1), {dangling}) END"
    ).format(
        column=column,
        key=sql.Identifier(lookup.key_column),
        table=table_name(lookup.table),
        id=sql.Identifier(lookup.id_column),
        district=sql.Identifier(lookup.district_column),
        dangling=sql.Literal(DANGLING),
    )
