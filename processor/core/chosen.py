"""Which records of an object a selection means, for each side that can tell.

A record is chosen where the district's row or the state's row is. A side that keeps no column for something that the
filter names cannot tell; then the other one alone chooses.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from processor.core.catalog import Catalog, ObjectType
from processor.core.condition import EVERYTHING, AllOf, AnyOf, Condition, Not
from processor.core.filter_text import FilterError
from processor.core.request import Side
from processor.core.scope import NoSchoolYear
from processor.core.selection import in_year, nearest, paths, school_year, select

Chosen: TypeAlias = Mapping[Side, Condition]
"""What a side's rows have to be like; at least one side, the district first."""


def chosen(
    where: str | None, year: str | None, kind: ObjectType, catalog: Catalog, of: str | None = None
) -> Chosen | None:
    """By a filter's text and a school year; None where neither is given, so that all records are meant.

    `of` is the object that the filter is about, where that is above: what hangs below the records that match is meant.
    Raises FilterError, with the place of what neither side can tell, YearNotOpen and NoSchoolYear.
    """
    if where is None and year is None:
        return None
    sides = [side for side in Side if year is None or school_year(kind, catalog, side) is not None]
    if not sides:
        raise NoSchoolYear(f"{kind.name} has no school year, and nothing above it has one")
    found: dict[Side, Condition] = {}
    faults: list[FilterError] = []
    for side in sides:
        try:
            condition = EVERYTHING if where is None else _selected(where, kind, catalog, side, of or kind.name)
            found[side] = condition if year is None else in_year(condition, year, kind, catalog, side)
        except FilterError as fault:
            faults.append(fault)
    if not found:
        raise _all_of(faults)
    return found


def _selected(where: str, kind: ObjectType, catalog: Catalog, side: Side, of: str) -> Condition:
    for path in paths(kind, catalog):
        if path[-1].name == of:
            return _below(select(where, path[-1], catalog, [side]), path)
    raise FilterError(1, f"it is about {of}, which is not above {kind.name}")


def _below(condition: Condition, path: tuple[ObjectType, ...]) -> Condition:
    """The condition on the object at the path's end as one on the object at its begin."""
    match condition:
        case Not(term):
            return Not(_below(term, path))
        case AllOf(terms):
            return AllOf(tuple(_below(term, path) for term in terms))
        case AnyOf(terms):
            return AnyOf(tuple(_below(term, path) for term in terms))
        case _:
            operand = condition.operand
            return replace(condition, operand=nearest((*path, *operand.path[1:]), operand.field))


def _all_of(faults: list[FilterError]) -> FilterError:
    """Both sides' faults, where these are not the same."""
    more = [f", and position {other.position}: {other.problem}" for other in faults if str(other) != str(faults[0])]
    return FilterError(faults[0].position, faults[0].problem + "".join(more))
