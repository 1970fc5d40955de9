"""The order in which a batch of corrections is written.

Corrections keep the order in which they came wherever that matters: of one key, and of a record and what it
refers to. It is turned round in two cases, because publishers send persons and enrollments without waiting:
a record waits for the create of what it refers to, and a delete waits for those that give up referring to it.
Everything else of a kind is written together.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from processor.core.catalog import Catalog, ObjectType
from processor.core.correction import Correction, Op
from processor.core.values import Values

Record: TypeAlias = tuple[str, str, str]
"""District, object, key."""


@dataclass(frozen=True, slots=True)
class Group:
    """Corrections of one object and operation that one statement can carry: no key twice, none needs another."""

    object_type: ObjectType
    op: Op
    corrections: tuple[Correction, ...]


def rounds(corrections: Sequence[Correction], catalog: Catalog) -> Iterator[Group]:
    """Groups in the order of writing; in a round deletes go first, since they make room for what is unique."""
    alone = _none_needs_another(corrections, catalog)
    levels: Iterable[Sequence[int]] = (
        [range(len(corrections))] if alone else _levels(len(corrections), _Needs(corrections, catalog).of_each())
    )
    for level in levels:
        groups: dict[tuple[Op, str], list[Correction]] = defaultdict(list)
        for index in level:
            correction = corrections[index]
            groups[correction.op, correction.source.object].append(correction)
        for op, name in sorted(groups, key=lambda group: _rank(group[0], catalog.objects[group[1]])):
            yield Group(catalog.objects[name], op, tuple(groups[op, name]))


def _none_needs_another(corrections: Sequence[Correction], catalog: Catalog) -> bool:
    """Whether no record comes twice and none refers to another one of them: so it mostly is."""
    records = {(each.district_id, each.object, each.key) for each in (c.source for c in corrections)}
    if len(records) < len(corrections):
        return False
    names = {name for _, name, _ in records}
    links = {name: reference_fields(catalog.objects[name], catalog) for name in names}
    if not any(links.values()):
        return True
    return all(
        records.isdisjoint(_targets(c.source.district_id, values, links[c.source.object]))
        for c in corrections
        for values in (c.before, c.after)
    )


_TURN = {Op.DELETE: 0, Op.UPDATE: 1, Op.CREATE: 2}


def _rank(op: Op, object_type: ObjectType) -> tuple[int, int, str]:
    depth = -object_type.depth if op is Op.DELETE else object_type.depth
    return _TURN[op], depth, object_type.name


def _levels(count: int, needs: Sequence[set[int]]) -> Iterator[list[int]]:
    """Layers such that each index comes after all that it needs.

    A circle of needs is broken at the index that came first: its correction is then written as it would be alone.
    """
    left = [len(need) for need in needs]
    needed_by: list[list[int]] = [[] for _ in range(count)]
    for index, need in enumerate(needs):
        for other in need:
            needed_by[other].append(index)
    done = [False] * count
    in_order = iter(range(count))
    ready = [index for index in range(count) if not left[index]]
    while True:
        if not ready:
            ready = list(islice((index for index in in_order if not done[index]), 1))
        if not ready:
            return
        yield sorted(ready)
        for index in ready:
            done[index] = True
        following = []
        for index in ready:
            for other in needed_by[index]:
                left[other] -= 1
                if not left[other] and not done[other]:
                    following.append(other)
        ready = following


class _Needs:
    """Which corrections of the batch each one must come after."""

    def __init__(self, corrections: Sequence[Correction], catalog: Catalog) -> None:
        self._corrections = corrections
        fields = {name: reference_fields(object_type, catalog) for name, object_type in catalog.objects.items()}
        self._of: dict[Record, list[int]] = defaultdict(list)
        self._referring: dict[Record, list[int]] = defaultdict(list)
        self._before: list[set[Record]] = []
        self._after: list[set[Record]] = []
        for index, correction in enumerate(corrections):
            source = correction.source
            self._of[record_of(correction)].append(index)
            links = fields[source.object]
            before = _targets(source.district_id, correction.before, links)
            after = _targets(source.district_id, correction.after, links)
            self._before.append(before)
            self._after.append(after)
            for target in before | after:
                self._referring[target].append(index)

    def of_each(self) -> list[set[int]]:
        needs = [self._same_key(index) | self._creates(index) for index in range(len(self._corrections))]
        for index, correction in enumerate(self._corrections):
            if correction.op is Op.DELETE:
                needs[index] |= self._leavers(index)
        for index, need in enumerate(needs):
            need.discard(index)
        return needs

    def _same_key(self, index: int) -> set[int]:
        earlier = self._earlier(record_of(self._corrections[index]), index)
        return set() if earlier is None else {earlier}

    def _creates(self, index: int) -> set[int]:
        """What was last done before to each record referred to, else its create if that is what comes next."""
        needs = set()
        for target in self._after[index]:
            earlier = self._earlier(target, index)
            if earlier is not None:
                needs.add(earlier)
                continue
            later = self._of.get(target)
            if later and self._corrections[later[0]].op is Op.CREATE:
                needs.add(later[0])
        return needs

    def _leavers(self, index: int) -> set[int]:
        """Before a delete: all done to those referring since this key's last turn, and those leaving it next."""
        target = record_of(self._corrections[index])
        turns = self._of[target]
        place = bisect_left(turns, index)
        since = turns[place - 1] if place else -1
        until = turns[place + 1] if place + 1 < len(turns) else len(self._corrections)
        referring = self._referring.get(target, [])
        near = referring[bisect_left(referring, since) : bisect_left(referring, until)]
        return {other for other in near if other < index or self._leaves_first(other, target)}

    def _leaves_first(self, index: int, target: Record) -> bool:
        """Whether a correction ends its record's reference and is the first of its key in the batch."""
        leaves = target in self._before[index] and target not in self._after[index]
        return leaves and self._of[record_of(self._corrections[index])][0] == index

    def _earlier(self, record: Record, index: int) -> int | None:
        turns = self._of.get(record, [])
        place = bisect_left(turns, index)
        return turns[place - 1] if place else None


def record_of(correction: Correction) -> Record:
    source = correction.source
    return source.district_id, source.object, source.key


def reference_fields(object_type: ObjectType, catalog: Catalog) -> dict[str, str]:
    """Field to the object whose key it holds: the parent, and every lookup into a table that an object lives in."""
    homes = {(other.state.name, other.state.key_column): other.name for other in catalog.objects.values()}
    fields = {}
    for field in object_type.owned:
        lookup = field.state_lookup
        if object_type.parent is not None and object_type.parent.field == field.name:
            fields[field.name] = object_type.parent.object
        elif lookup is not None and (lookup.table, lookup.key_column) in homes:
            fields[field.name] = homes[lookup.table, lookup.key_column]
    return fields


def _targets(district_id: str, values: Values | None, links: Mapping[str, str]) -> set[Record]:
    held = values or {}
    return {(district_id, name, key) for field, name in links.items() if (key := held.get(field)) is not None}
