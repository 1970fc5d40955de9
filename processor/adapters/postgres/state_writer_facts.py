"""What the applier has to know of a table, as it is now, and of the answers it gave."""

from dataclasses import dataclass
from typing import NamedTuple

from psycopg import Connection

from processor.adapters.postgres.named_sql import named_sql
from processor.adapters.postgres.state_writer_statements import Statements

_SQL = named_sql("applier.sql")


@dataclass(slots=True)
class Memory:
    """Whether a batch may hold what was answered before: after a start, a fault, or one that did (ADR 0053)."""

    may_know: bool = True


class Facts(NamedTuple):
    may_change_rows: bool
    has_unique_key: bool


class TableFacts:
    """Asked once in each transaction, since a trigger may come, and an index go, at any time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, Facts] = {}

    def of(self, statements: Statements) -> Facts:
        table = statements.table
        if table not in self._known:
            asked = {"table": table, "key": statements.key_columns}
            (found,) = self._connection.execute(_SQL["table_facts"], asked)
            self._known[table] = Facts(*found)
        return self._known[table]
