"""Which parents a decision about a row depends on."""

from collections.abc import Iterable, Iterator

from processor.core.catalog import Catalog, ObjectType
from processor.core.chunk import Chunk
from processor.core.compare import parent_key
from processor.core.correction import Parent
from processor.core.request import Dependencies, Mode
from processor.core.snapshot import Observed, Row, Snapshot

WITH_PARENTS = frozenset({Dependencies.PARENTS, Dependencies.ALL})


def parents_to_read(chunks: Iterable[Chunk], catalog: Catalog, snapshot: Snapshot) -> dict[str, list[str]]:
    """Parents not yet observed that the decisions about these chunks need: object to distinct keys.

    A parent matters where a row is missing at the state or points to another parent there. Its own parent matters
    only if dependencies are to be sent and it is missing at the state itself. Call until empty.
    """
    wanted: dict[str, dict[str, None]] = {}
    for chunk in chunks:
        if chunk.mode is Mode.VERIFY or catalog.objects[chunk.object].parent is None:
            continue
        for ask in chunk.asks:
            for parent in _unread_parents(chunk, ask.key, catalog, snapshot):
                wanted.setdefault(parent.object, {})[parent.key] = None
    return {name: list(keys) for name, keys in wanted.items()}


def _unread_parents(chunk: Chunk, key: str, catalog: Catalog, snapshot: Snapshot) -> Iterator[Parent]:
    kind, observed = catalog.objects[chunk.object], snapshot.get(chunk.object, key)
    while observed is not None and len(observed.district) == 1:
        parent = parent_to_check(kind, observed)
        if parent is None:
            return
        kind, observed = catalog.objects[parent.object], snapshot.get(parent.object, parent.key)
        if observed is None:
            yield parent
        elif observed.state or chunk.dependencies not in WITH_PARENTS:
            return


def parent_to_check(kind: ObjectType, observed: Observed) -> Parent | None:
    """The district row's parent, if the state does not already hold this row under that parent."""
    if kind.parent is None or observed.is_same:
        return None
    key = parent_key(kind, observed.district[0])
    if key is None:
        return None
    if observed.state and parent_key(kind, observed.state[0]) == key:
        return None
    return Parent(kind.parent.object, key)


def parent_of(kind: ObjectType, row: Row) -> Parent | None:
    key = parent_key(kind, row)
    return None if kind.parent is None or key is None else Parent(kind.parent.object, key)
