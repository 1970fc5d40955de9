"""The statements that read an object's rows in the order of their keys, and what an index must be like to serve them.

Keys that both sides keep as integers, or as uuids, come in the order of these; others as text, in the order of its
bytes: a collation differs between servers, and between releases of one server.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString

from psycopg import sql

from processor.adapters.postgres.snapshot_sql import compared_district, compared_state, table_name
from processor.core.catalog import KeyType, ObjectType, Table
from processor.core.window import scan_order

IN_ORDER = sql.SQL("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
"""For the transaction that reads a page: only an index gives the order without reading the whole table."""

_CAST = {KeyType.INTEGER: "::bigint", KeyType.UUID: "::uuid", KeyType.TEXT: "::text"}
_SOME = {KeyType.INTEGER: "0", KeyType.UUID: "00000000-0000-0000-0000-000000000000", KeyType.TEXT: "0"}
_UNSERVED = frozenset({"Seq Scan", "Sort", "Incremental Sort", "Bitmap Heap Scan", "Parallel Seq Scan"})
_BY_INDEX = frozenset({"Index Scan", "Index Only Scan"})


class PageStatements:
    """Of one side of an object. Rows come as (key, place, *columns)."""

    def __init__(self, table: Table, columns: Sequence[sql.Composed], order: KeyType) -> None:
        self.table = table
        self.columns = columns
        self.order = order
        self.first = self.rows(columns, first=True)
        """Parameters: `size`, and `district_id` where districts share the table."""
        self.next = self.rows(columns, first=False)
        """Parameters: `after` too."""

    def all(self, chosen: sql.Composable) -> sql.Composed:
        """What is explained to learn about how many rows there are."""
        return sql.SQL("SELECT FROM {} AS t WHERE {}").format(table_name(self.table.name), self._where(chosen))

    @property
    def some_key(self) -> str:
        """A key that could be there, for explaining."""
        return _SOME[self.order]

    @property
    def index(self) -> str:
        """The statement that makes the index that the reads need."""
        key = self._place_of(sql.Identifier(self.table.key_column))
        columns = [sql.Identifier(self.table.district_column), key] if self.table.district_column else [key]
        made = sql.SQL("CREATE INDEX CONCURRENTLY ON {} ({})").format(
            table_name(self.table.name), sql.SQL(", ").join(columns)
        )
        return made.as_string()

    @property
    def _place(self) -> sql.Composed:
        """What rows are ordered by."""
        return self._place_of(sql.Identifier("t", self.table.key_column))

    def _place_of(self, key: sql.Identifier) -> sql.Composed:
        """A type that is no text may have an order of its own, so texts are cast, although most are texts."""
        return sql.SQL('({}::text) COLLATE "C"' if self.order is KeyType.TEXT else "{}").format(key)

    def _where(self, condition: sql.Composable) -> sql.Composed:
        if self.table.district_column is None:
            return sql.SQL("{}").format(condition)
        district = sql.Identifier("t", self.table.district_column)
        return sql.SQL("{} = %(district_id)s AND {}").format(district, condition)

    def rows(
        self,
        columns: Sequence[sql.Composed],
        *,
        first: bool,
        chosen: sql.Composable | None = None,
        bounded: bool = False,
    ) -> sql.Composed:
        """As (key, place, *columns), by their places; all rows of the last key come along, however many they are.

        Only those that are `chosen`, by a condition over `t`; where `bounded` only those up to the parameter `upto`.
        """
        condition = self._within(first=first, bounded=bounded)
        if chosen is not None:
            condition = sql.SQL("{} AND {}").format(condition, chosen)
        return sql.SQL("{rows} ORDER BY {place} FETCH FIRST (%(size)s::bigint) ROWS WITH TIES").format(
            rows=self._select(columns, condition), place=self._place
        )

    def last(self, *, first: bool) -> sql.Composed:
        """The key of the row that has `size` - 1 rows before it; no row where there are not so many."""
        return self._looking(
            "SELECT t.{key}::text FROM {table} AS t WHERE {where} ORDER BY {place} OFFSET %(size)s::bigint - 1 LIMIT 1",
            first=first,
        )

    def each(self, *, first: bool) -> sql.Composed:
        """The keys of every `step`th of the first `size` rows, by an index alone."""
        return self._looking(
            "SELECT r.key FROM ("
            " SELECT t.{key}::text AS key, row_number() OVER (ORDER BY {place}) AS number"
            " FROM {table} AS t WHERE {where} ORDER BY {place} LIMIT %(size)s::bigint"
            ") AS r WHERE r.number %% %(step)s::bigint = 0 ORDER BY r.number",
            first=first,
        )

    def repeated(self, *, first: bool, bounded: bool) -> sql.Composed:
        """The places that several rows have, of the rows that `rows` looks at."""
        return self._looking(
            "SELECT {place}::text FROM {table} AS t WHERE {where} GROUP BY {place} HAVING count(*) > 1",
            first=first,
            bounded=bounded,
        )

    def _looking(self, text: LiteralString, *, first: bool, bounded: bool = False) -> sql.Composed:
        """A statement about the keys and places of the rows that a part begins with."""
        return sql.SQL(text).format(
            key=sql.Identifier(self.table.key_column),
            table=table_name(self.table.name),
            where=self._where(self._within(first=first, bounded=bounded)),
            place=self._place,
        )

    def of_keys(self, columns: Sequence[sql.Composed]) -> sql.Composed:
        """As (key, place, *columns). Parameter: `keys`, an array literal of places."""
        among = sql.SQL(f"{{}} = ANY(%(keys)s{_CAST[self.order]}[])").format(self._place)
        return self._select(columns, among)

    def _within(self, *, first: bool, bounded: bool) -> sql.Composed:
        """The rows that follow `after`, or the first ones, to the end or up to `upto`."""
        following = sql.SQL(f"{{}} > %(after)s{_CAST[self.order]}").format(self._place)
        if first:
            following = sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(self.table.key_column))
        if not bounded:
            return following
        return sql.SQL(f"{{}} AND {{}} <= %(upto)s{_CAST[self.order]}").format(following, self._place)

    def _select(self, columns: Sequence[sql.Composed], condition: sql.Composable) -> sql.Composed:
        return sql.SQL(
            "SELECT t.{key}::text AS key, {place} AS place, {columns} FROM {table} AS t WHERE {where}"
        ).format(
            key=sql.Identifier(self.table.key_column),
            place=self._place,
            columns=sql.SQL(", ").join(columns),
            table=table_name(self.table.name),
            where=self._where(condition),
        )


def district_pages(kind: ObjectType) -> PageStatements:
    return PageStatements(kind.district, compared_district(kind), scan_order(kind))


def state_pages(kind: ObjectType) -> PageStatements:
    return PageStatements(kind.state, compared_state(kind), scan_order(kind))


def explained(statement: sql.Composed) -> sql.Composed:
    return sql.SQL("EXPLAIN (FORMAT JSON) {}").format(statement)


def is_served(plan: Mapping[str, Any], table: Table) -> bool:
    """Whether an index gives the rows of one district after a key, in order, and no others are looked at."""
    nodes = list(_own_nodes(plan))
    if any(node["Node Type"] in _UNSERVED for node in nodes):
        return False
    columns = [table.key_column, *([table.district_column] if table.district_column else [])]
    return all(
        "Filter" not in node or all(column in node.get("Index Cond", "") for column in columns)
        for node in nodes
        if node["Node Type"] in _BY_INDEX
    )


def _own_nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Without those of look-ups, which stand beside the rows."""
    yield plan
    for below in plan.get("Plans", ()):
        if below.get("Parent Relationship") not in {"SubPlan", "InitPlan"}:
            yield from _own_nodes(below)
