"""Which objects hang below one, and which way a request's dependencies look."""

from processor.core.catalog import Catalog, ObjectType
from processor.core.request import Dependencies

WITH_CHILDREN = frozenset({Dependencies.CHILDREN, Dependencies.ALL})


def children_of(object_name: str, catalog: Catalog) -> list[ObjectType]:
    return [kind for kind in catalog.objects.values() if kind.parent is not None and kind.parent.object == object_name]


def descending(object_name: str, catalog: Catalog) -> list[ObjectType]:
    """All objects below this one, each after its parent."""
    below = children_of(object_name, catalog)
    for kind in below:
        below += children_of(kind.name, catalog)
    return below


def upward(dependencies: Dependencies) -> Dependencies:
    """What is left of the dependencies once what hangs below is known: only the named keys look upward."""
    return Dependencies.PARENTS if dependencies in (Dependencies.PARENTS, Dependencies.ALL) else Dependencies.NONE
