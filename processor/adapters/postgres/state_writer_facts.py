"""What the applier has to know of a table, as it is now, and of the answers it gave."""

from dataclasses import dataclass, field
from typing import NamedTuple

from psycopg import Connection

from processor.adapters.postgres.named_sql import named_sql
from processor.adapters.postgres.state_writer_statements import Statements
from processor.service.apply_rounds import Record

_SQL = named_sql("applier.sql")


@dataclass(slots=True)
class Memory:
    """Of the transactions before.

    `may_know`: whether a batch may hold what was answered before: after a start, a fault, or one that did (ADR 0053).
    `slow`: records whose rows alone took longer than a statement may, and when. They come again in the same order as
    the others, and would leave no time for those behind them (ADR 0249).
    """

    may_know: bool = True
    slow: dict[Record, float] = field(default_factory=dict)


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
