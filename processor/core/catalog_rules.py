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
        yield from _named(kind, place)
    yield from _called_twice(catalog)


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


def _named(kind: ObjectType, place: str) -> Iterator[str]:
    """Fields that the entry names must be there, of the type that their use needs."""
    naming, year = kind.naming, kind.school_year
    for entry, name, kinds in (
        ("modified", kind.modified, {Kind.TIMESTAMP}),
        ("school_year", year, {Kind.LONG}),
        ("naming.last_name", naming.last_name, {Kind.STRING}),
        ("naming.first_name", naming.first_name, {Kind.STRING}),
    ):
        if name is None:
            continue
        field = kind.by_name.get(name)
        if field is None or field.kind not in kinds:
            yield f"{place}.{entry}: {name} is not a {' or '.join(sorted(kinds))} field of the object"
    if naming.key in kind.by_name:
        yield f"{place}.naming.key: {naming.key} is a field of the object already"


def _called_twice(catalog: Catalog) -> Iterator[str]:
    """An alias may be shared, so that one word means a record and those below it, but it is no object's own name."""
    names = {name.casefold() for name in catalog.objects}
    for kind in catalog.objects.values():
        for alias in kind.naming.aliases:
            if alias.casefold() in names - {kind.name.casefold()}:
                yield f"objects.{kind.name}.naming.aliases: {alias} is the name of another object"
