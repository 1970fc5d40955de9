"""The applier's statements about one object, composed from the catalog and the state's column types."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from psycopg import sql

from processor.adapters.postgres.named_sql import named_sql
from processor.adapters.postgres.state_writer_columns import Columns, table_name, type_name
from processor.adapters.postgres.state_writer_foretold import Spell, spellings
from processor.adapters.postgres.state_writer_homes import Home, home_behind, home_of
from processor.adapters.postgres.state_writer_kept import Keeps, doubts
from processor.core import values
from processor.core.catalog import Catalog, FieldSpec, Kind, ObjectType

_ROWS = named_sql("applier_rows.sql")
_IDENTITY = (("district", "text"), ("key", "text"))
_ORIGIN = (("district", "text"), ("epoch", "bigint"), ("snapshot_xmax", "bigint"), ("in_progress", "integer"))
"""What many corrections have in common: a district's reading."""
_OWN = (("key", "text"), ("correction_id", "uuid"))
_SHARED = ("not_older", "returned", "places", "keep_version", "newest")


def column_of(field: FieldSpec) -> str:
    if field.state_column is None:
        raise ValueError(f"field {field.name} has no column at the state")
    return field.state_column


class Statements:
    """Braces in the .sql file are filled with identifiers and types, never with values.

    Parameters are arrays of one length: `district`, `key`; those of writes: `key`, `correction_id`, `origin`, `new`
    and `old`. Texts of the last two are arrays themselves: of what is to be written, in that order of fields, and of
    what the rows hold yet, in that of `ObjectType.owned`. `origin` is a place, from 1, in `district`, `epoch`,
    `snapshot_xmax` and `in_progress`. Rows that come back begin with the place in the arrays, from 1.
    """

    def __init__(self, object_type: ObjectType, catalog: Catalog, columns: Columns) -> None:
        self._type = object_type
        self._catalog = catalog
        self._columns = columns
        self._home = home_of(object_type.state)
        self._updates: dict[tuple[str, tuple[str, ...]], bytes] = {}

    @property
    def knows_columns(self) -> bool:
        """Whether nothing more is to be asked of the object's own columns."""
        return self._columns.knows(self._home.table)

    @cached_property
    def looked_up(self) -> tuple[FieldSpec, ...]:
        return tuple(field for field in self._type.owned if field.state_lookup is not None)

    @cached_property
    def read(self) -> bytes:
        """(n, epoch, snapshot_xmax, in_progress, is there a row, raw texts of owned, district keys of `looked_up`)."""
        texts = [sql.SQL("{}::text").format(sql.Identifier("t", column_of(field))) for field in self._type.owned]
        return self._write(
            "read",
            _input(_IDENTITY),
            key=sql.Identifier(self._home.key_column),
            texts=_list(texts + [self._district_key(field) for field in self.looked_up]),
        )

    @cached_property
    def create(self) -> bytes:
        """(n) of those created."""
        return self._create("create")

    @cached_property
    def create_all(self) -> bytes:
        """The places of those created, null for `count`; none where not all were stored, which is to be undone."""
        return self._create("create_all")

    def _create(self, name: str) -> bytes:
        home, owned = self._home, self._type.owned
        columns, given = [home.key_column], [self._cast("key", home.key_column)]
        if home.district_column is not None:
            columns.append(home.district_column)
            given.append(self._cast("district", home.district_column))
        identity = [sql.Identifier("t", column) for column in columns]
        columns += [column_of(field) for field in owned]
        given += [self._new(n, column_of(field)) for n, field in enumerate(owned)]
        return self._write(
            name,
            _written("new"),
            columns=_list([sql.Identifier(column) for column in columns]),
            values=_list(given),
            identity=_list(identity),
        )

    def update(self, fields: Sequence[FieldSpec]) -> bytes:
        """(n) of those updated, once for each row of the key; only the columns of `fields` are named in `set`."""
        return self._update("of_each", fields)

    def update_of_one(self, fields: Sequence[FieldSpec]) -> bytes:
        """The places of those updated, null for `count` of them, where no key has two rows."""
        return self._update("of_one", fields)

    def _update(self, told: str, fields: Sequence[FieldSpec]) -> bytes:
        names = told, tuple(field.name for field in fields)
        if names not in self._updates:
            assignments = [
                sql.SQL("{} = {}").format(sql.Identifier(column), self._new(n, column))
                for n, column in enumerate(map(column_of, fields))
            ]
            self._updates[names] = self._write(
                "update",
                _written("new", "old"),
                assignments=_list(assignments),
                unchanged=self._unchanged(),
                told=sql.SQL(_ROWS[told]).format(
                    places=sql.SQL(_ROWS["places"]),
                    table=table_name(self._home.table),
                    same_record=self._same_record(self._home),
                ),
            )
        return self._updates[names]

    @cached_property
    def delete(self) -> bytes:
        """(n) of those deleted."""
        return self._write("delete", _written("old"), unchanged=self._unchanged())

    @cached_property
    def seen(self) -> bytes:
        return self._write("seen", _written())

    @cached_property
    def references(self) -> tuple[tuple[FieldSpec, bytes], ...]:
        """Each field that refers to a record, and the statement for (n, the state's id as text, how many) of those."""
        found = []
        for field in self._type.owned:
            home = home_behind(self._type, field, self._catalog)
            if home is not None:
                statement = self._fill(
                    "resolve",
                    table=table_name(home.table),
                    id=sql.Identifier("t", home.id_column),
                    same_record=self._same_record(home),
                )
                found.append((field, statement))
        return tuple(found)

    @cached_property
    def referring(self) -> tuple[tuple[str, bytes], ...]:
        """Each object below this one, and the statement for (n) of those that it refers to."""
        below = []
        for child in self._catalog.objects.values():
            if child.parent is not None and child.parent.object == self._type.name:
                field = child.by_name[child.parent.field]
                if field.state_column is not None:
                    statement = self._fill(
                        "referring", table=table_name(child.state.name), refers=self._refers(child, field)
                    )
                    below.append((child.name, statement))
        return tuple(below)

    @cached_property
    def without_zone(self) -> frozenset[str]:
        """Names of the timestamps that the state keeps without their zone."""
        return self._times("timestamp without time zone")

    @cached_property
    def zoned(self) -> frozenset[str]:
        """Names of the timestamps of which the state keeps the moment."""
        return self._times("timestamp with time zone")

    def _times(self, cast_to: str) -> frozenset[str]:
        times = (field for field in self._type.owned if field.kind is Kind.TIMESTAMP)
        columns = self._columns
        return frozenset(f.name for f in times if columns.type_of(self._home.table, column_of(f)).cast_to == cast_to)

    @cached_property
    def spelled(self) -> Sequence[tuple[str, Spell]]:
        return spellings(self._type.owned, self.without_zone, self._type.state.timezone)

    @cached_property
    def doubted(self) -> Mapping[str, Keeps]:
        """Fields whose columns may keep something else than is written."""
        return doubts(self._type.owned, lambda field: self._columns.type_of(self._home.table, column_of(field)))

    @property
    def table(self) -> str:
        """Quoted."""
        return table_name(self._home.table).as_string(self._columns.connection)

    @property
    def key_columns(self) -> list[str]:
        return [column for column in (self._home.key_column, self._home.district_column) if column is not None]

    def declared(self, field: FieldSpec) -> str:
        """A column's type with its length, as the database spells it."""
        return self._columns.type_of(self._home.table, column_of(field)).declared

    def _refers(self, child: ObjectType, field: FieldSpec) -> sql.Composable:
        home, column = home_of(child.state), column_of(field)
        terms: list[sql.Composable] = []
        if home.district_column is not None:
            terms.append(self._equals("district", home.table, home.district_column))
        lookup = home_behind(child, field, self._catalog) if field.state_lookup is not None else None
        if lookup is None:
            terms.append(self._equals("key", home.table, column))
        else:
            found = sql.SQL(_ROWS["id_of"]).format(
                column=sql.Identifier("t", column),
                id=sql.Identifier("l", lookup.id_column),
                table=table_name(lookup.table),
                same_record=self._same_record(lookup, "l"),
            )
            terms.append(found)
        return sql.SQL(" and ").join(terms)

    def _district_key(self, field: FieldSpec) -> sql.Composable:
        home = home_behind(self._type, field, self._catalog)
        if home is None or home.district_column is None:
            raise ValueError(f"field {field.name} has no lookup")
        own = self._home.district_column
        district = self._cast("district", home.district_column, home.table) if own is None else sql.Identifier("t", own)
        return sql.SQL(_ROWS["district_key"]).format(
            column=sql.Identifier("t", column_of(field)),
            key=sql.Identifier("l", home.key_column),
            id=sql.Identifier("l", home.id_column),
            district_column=sql.Identifier("l", home.district_column),
            table=table_name(home.table),
            district=district,
            dangling=sql.Literal(values.DANGLING),
        )

    def _unchanged(self) -> sql.Composable:
        """Byte by byte: to a column's own collation texts may be equal that are not the same.

        No join may take it for its own condition: all of the table's rows would be hashed by all of their texts.
        """
        columns = [sql.Identifier("t", column_of(field)) for field in self._type.owned]
        texts = [sql.SQL('{}::text collate "C"').format(column) for column in columns]
        return sql.SQL("(array[{}] = i.old) is true").format(_list(texts))

    def _same_record(self, home: Home, alias: str = "t") -> sql.Composable:
        terms = [self._equals("key", home.table, home.key_column, alias)]
        if home.district_column is not None:
            terms.insert(0, self._equals("district", home.table, home.district_column, alias))
        return sql.SQL(" and ").join(terms)

    def _equals(self, given: str, table: str, column: str, alias: str = "t") -> sql.Composable:
        return sql.SQL("{} = {}").format(sql.Identifier(alias, column), self._cast(given, column, table))

    def _cast(self, given: str, column: str, table: str | None = None) -> sql.Composable:
        """A text of the input as a column takes it."""
        cast_to = self._columns.type_of(table or self._home.table, column).cast_to
        return sql.SQL("{}::{}").format(sql.Identifier("i", given), type_name(cast_to))

    def _new(self, n: int, column: str) -> sql.Composable:
        """The text of the n-th field to be written as its column takes it."""
        cast_to = self._columns.type_of(self._home.table, column).cast_to
        return sql.SQL("i.new[{}]::{}").format(sql.Literal(n + 1), type_name(cast_to))

    def _write(self, name: str, given: sql.Composable, **parts: sql.Composable) -> bytes:
        recorded = sql.SQL(_ROWS["recorded"])
        return self._fill(
            name,
            table=table_name(self._home.table),
            input=given,
            same_record=self._same_record(self._home),
            **{shared: sql.SQL(_ROWS[shared]) for shared in _SHARED},
            versions=sql.SQL(_ROWS["versions"]).format(recorded=recorded),
            keep_versions=sql.SQL(_ROWS["keep_versions"]).format(
                keep_version=sql.SQL(_ROWS["keep_version"]), recorded=recorded
            ),
            **parts,
        )

    def _fill(self, name: str, **parts: sql.Composable) -> bytes:
        return sql.SQL(_ROWS[name]).format(**parts).as_bytes(self._columns.connection)


def _written(*rows: str) -> sql.Composable:
    """`rows` are made arrays of here, once each: the planner would repeat it at each place where one is used."""
    parts: list[sql.Composable] = [sql.Identifier("i", name) for name in ("n", *(name for name, _ in _OWN))]
    parts += [
        sql.SQL("({}::{}[])[i.origin] as {}").format(sql.Placeholder(name), type_name(kind), sql.Identifier(name))
        for name, kind in _ORIGIN
    ]
    parts += [sql.SQL("{0}::text[] as {1}").format(sql.Identifier("i", name), sql.Identifier(name)) for name in rows]
    given = _input((*_OWN, ("origin", "integer"), *((name, "text") for name in rows)))
    return sql.SQL("(select {} from {} offset 0) as i").format(_list(parts), given)


def _input(columns: Iterable[tuple[str, str]]) -> sql.Composable:
    named = list(columns)
    arrays = [sql.SQL("{}::{}[]").format(sql.Placeholder(name), type_name(kind)) for name, kind in named]
    names = [sql.Identifier(name) for name, _ in named]
    return sql.SQL("unnest({}) with ordinality as i ({}, n)").format(_list(arrays), _list(names))


def _list(parts: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(parts)
