"""Where records are in the state's tables, and those that fields refer to."""

from dataclasses import dataclass

from processor.core.catalog import Catalog, FieldSpec, ObjectType, Table


@dataclass(frozen=True, slots=True)
class Home:
    """Where a record is found by district and district's key; no district column where there is one district."""

    table: str
    district_column: str | None
    key_column: str
    id_column: str


def home_of(table: Table) -> Home:
    return Home(table.name, table.district_column, table.key_column, table.key_column)


def home_behind(object_type: ObjectType, field: FieldSpec, catalog: Catalog) -> Home | None:
    """Where the record is that a field refers to; None where the field is no reference."""
    lookup, parent = field.state_lookup, object_type.parent
    if lookup is not None:
        return Home(lookup.table, lookup.district_column, lookup.key_column, lookup.id_column)
    if parent is not None and parent.field == field.name:
        return home_of(catalog.objects[parent.object].state)
    return None
