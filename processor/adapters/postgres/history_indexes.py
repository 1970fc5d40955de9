"""Indexes of the outcomes, which a rebuild makes last: sorted at once they cost less than entry by entry (ADR 0039)."""

import psycopg
from psycopg import sql

_SECONDARY = """
select c.relname, pg_get_indexdef(i.indexrelid)
from pg_index i
join pg_class c on c.oid = i.indexrelid
where i.indrelid = to_regclass(format('%%I.outcomes', %s::text)) and not i.indisunique
"""
"""But those that say which rows there may be."""


def drop_indexes(connection: psycopg.Connection, schema: str) -> list[str]:
    """Returns the statements that make them again."""
    found = connection.execute(_SECONDARY, (schema,)).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier(schema, name)))
    return [definition for _, definition in found]
