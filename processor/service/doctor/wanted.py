"""What the catalog asks of a side's tables."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from processor.core.catalog import Catalog, FieldSpec, KeyType, ObjectType, Table

READ = frozenset({"SELECT"})
WRITTEN = frozenset({"SELECT", "UPDATE", "INSERT"})
INSERTED = frozenset({"SELECT", "INSERT"})


@dataclass(frozen=True, slots=True)
class WantedColumn:
    """`place` is where the catalog names it. `key_type` for a record's key, `field` and `zone` for a field."""

    name: str
    place: str
    rights: frozenset[str] = READ
    key_type: KeyType | None = None
    field: FieldSpec | None = None
    zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class WantedIndex:
    """`columns` may stand in any order, before all others. `is_unique`: they should be unique as well."""

    columns: tuple[str, ...]
    serves: str
    is_needed: bool
    is_unique: bool = False


@dataclass(frozen=True, slots=True)
class WantedTable:
    """`rights` are those on the whole table. `is_filled`: rows are created in it."""

    name: str
    object: str
    columns: tuple[WantedColumn, ...]
    indexes: tuple[WantedIndex, ...]
    rights: frozenset[str] = frozenset()
    is_filled: bool = False


def district_tables(catalog: Catalog) -> list[WantedTable]:
    """A table once, whatever is kept in it. All districts have the same."""
    return _merged([_district(kind) for kind in catalog.objects.values()])


def state_tables(catalog: Catalog, *, is_written: bool) -> list[WantedTable]:
    """A table once, also where it is an object's and one that is looked up. `is_written`: the applier is ours."""
    found = [
        _state(kind, deletes=catalog.limits.allow_delete, is_written=is_written) for kind in catalog.objects.values()
    ]
    for kind in catalog.objects.values():
        found += _lookups(kind)
    return _merged(found)


def zones(catalog: Catalog) -> list[str]:
    """In which timestamps without a zone are understood."""
    kinds = catalog.objects.values()
    return sorted({table.timezone.key for kind in kinds for table in (kind.district, kind.state)})


def _merged(wanted: list[WantedTable]) -> list[WantedTable]:
    """What is said first of a column or an index holds; rights add up."""
    merged: dict[str, WantedTable] = {}
    for more in wanted:
        known = merged.get(more.name, more)
        columns = {column.name: column for column in (*more.columns, *known.columns)}
        for column in more.columns:
            columns[column.name] = replace(columns[column.name], rights=columns[column.name].rights | column.rights)
        indexes = {frozenset(index.columns): index for index in (*more.indexes, *known.indexes)}
        merged[more.name] = replace(
            known,
            columns=tuple(columns.values()),
            indexes=tuple(indexes.values()),
            rights=known.rights | more.rights,
            is_filled=known.is_filled or more.is_filled,
        )
    return list(merged.values())


def _district(kind: ObjectType) -> WantedTable:
    place, table = f"objects.{kind.name}", kind.district
    columns = [WantedColumn(table.key_column, f"{place}.district.key", key_type=table.key_type)]
    if table.district_column is not None:
        columns.append(WantedColumn(table.district_column, f"{place}.district.district_column"))
    for field in kind.compared:
        named = f"{place}.fields.{field.name}.district"
        columns.append(WantedColumn(field.district_column or "", named, field=field, zone=table.timezone))
    return WantedTable(table.name, kind.name, tuple(columns), tuple(_indexes(kind, table, "district_column")))


def _state(kind: ObjectType, *, deletes: bool, is_written: bool) -> WantedTable:
    place, table = f"objects.{kind.name}", kind.state
    identity = INSERTED if is_written else READ
    columns = [WantedColumn(table.key_column, f"{place}.state.key", identity, key_type=table.key_type)]
    if table.district_column is not None:
        columns.append(WantedColumn(table.district_column, f"{place}.state.district_column", identity))
    for field in kind.compared:
        named = f"{place}.fields.{field.name}.state"
        rights = WRITTEN if is_written and field in kind.owned else READ
        # A reference is compared as the district's key, so its column's type is the state's own matter.
        compared = field if field.state_lookup is None else None
        columns.append(WantedColumn(field.state_column or "", named, rights, field=compared, zone=table.timezone))
    return WantedTable(
        table.name,
        kind.name,
        tuple(columns),
        tuple(_indexes(kind, table, "state_column")),
        frozenset({"DELETE"}) if deletes and is_written else frozenset(),
        is_filled=is_written,
    )


def _indexes(kind: ObjectType, table: Table, side: str) -> Iterator[WantedIndex]:
    shared = () if table.district_column is None else (table.district_column,)
    is_state = side == "state_column"
    yield WantedIndex((*shared, table.key_column), "reading records by key", is_needed=True, is_unique=is_state)
    if kind.parent is not None:
        column = getattr(kind.by_name[kind.parent.field], side)
        if column:
            yield WantedIndex((column,), f"finding what hangs below a {kind.parent.object}", is_needed=False)


def _lookups(kind: ObjectType) -> Iterator[WantedTable]:
    for field in kind.compared:
        lookup = field.state_lookup
        if lookup is None:
            continue
        place = f"objects.{kind.name}.fields.{field.name}.lookup"
        yield WantedTable(
            lookup.table,
            kind.name,
            (
                WantedColumn(lookup.district_column, f"{place}.district_column"),
                WantedColumn(lookup.key_column, f"{place}.key"),
                WantedColumn(lookup.id_column, f"{place}.id"),
            ),
            (
                WantedIndex((lookup.id_column,), f"looking up {kind.name}.{field.name}", is_needed=True),
                WantedIndex(
                    (lookup.district_column, lookup.key_column),
                    f"looking up {kind.name}.{field.name}",
                    is_needed=True,
                ),
            ),
        )
