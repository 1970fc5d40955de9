"""What the parts of a catalog must be to each other, so that no key and no row can break a whole read."""

from collections.abc import Iterator

from processor.core.catalog import Catalog, KeyType, Kind, ObjectType, Owner

_KIND_OF_KEY = {KeyType.INTEGER: Kind.LONG, KeyType.UUID: Kind.STRING, KeyType.TEXT: Kind.STRING}


def misfits(catalog: Catalog) -> Iterator[str]:
    """Every mistake, each with its place in the catalog's file; a parent that is not there is not told of."""
    for kind in catalog.objects.values():
        place = f"objects.{kind.name}"
        if not kind.owned:
            yield f"{place}: no field that the district owns has a column on both sides"
        for side, table in (("district", kind.district), ("state", kind.state)):
            if table.key_type not in (kind.key_type, KeyType.TEXT):
                yield f"{place}.{side}.key_type: {table.key_type} cannot hold every {kind.key_type} key"
        yield from _written_twice(kind, place)
        for field in kind.fields:
            if field.crosswalk is not None and field.kind is not Kind.STRING:
                yield f"{place}.fields.{field.name}: only a string can have a crosswalk"
        yield from _reference(kind, catalog)


def _written_twice(kind: ObjectType, place: str) -> Iterator[str]:
    """A column that a correction would write for two reasons: the state would refuse whole batches, or move a key."""
    taken = {kind.state.key_column: "the state's key", kind.state.district_column: "the state's district_column"}
    for field in kind.owned:
        if field.state_column in taken:
            yield f"{place}.fields.{field.name}: column {field.state_column} is {taken[field.state_column]} already"
        taken[field.state_column] = f"that of {field.name}"


def _reference(kind: ObjectType, catalog: Catalog) -> Iterator[str]:
    if kind.parent is None or kind.parent.field not in kind.by_name:
        return
    place, field, parent = f"objects.{kind.name}.parent", kind.by_name[kind.parent.field], kind.parent.object
    if field.owner is not Owner.DISTRICT:
        yield f"{place}: field {field.name} must be owned by the district"
    if field.crosswalk is not None:
        yield f"{place}: field {field.name} holds keys, which have no crosswalk"
    if parent in catalog.objects and field.kind is not _KIND_OF_KEY[catalog.objects[parent].key_type]:
        yield f"{place}: field {field.name} is a {field.kind}, keys of {parent} are {catalog.objects[parent].key_type}"
