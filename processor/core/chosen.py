"""Which records of an object a selection means, for each side that can tell.

A record is chosen where the district's row or the state's row is. A side that keeps no column for something that the
filter names cannot tell; then the other one alone chooses.
"""

from collections.abc import Mapping
from typing import TypeAlias

from processor.core.catalog import Catalog, ObjectType
from processor.core.condition import EVERYTHING, Condition
from processor.core.filter_text import FilterError
from processor.core.request import Side
from processor.core.selection import in_year, school_year, select

Chosen: TypeAlias = Mapping[Side, Condition]
"""What a side's rows have to be like; at least one side, the district first."""


def chosen(where: str | None, year: str | None, kind: ObjectType, catalog: Catalog) -> Chosen | None:
    """By a filter's text and a school year; None where neither is given, so that all records are meant.

    Raises FilterError, with the place of what neither side can tell, and YearNotOpen.
    """
    if where is None and year is None:
        return None
    if year is not None and not any(school_year(kind, catalog, side) for side in Side):
        raise FilterError(1, f"{kind.name} has no school year, and nothing above it has one")
    found: dict[Side, Condition] = {}
    faults: list[FilterError] = []
    for side in Side:
        try:
            condition = EVERYTHING if where is None else select(where, kind, catalog, [side])
            found[side] = condition if year is None else in_year(condition, year, kind, catalog, side)
        except FilterError as fault:
            faults.append(fault)
    if not found:
        raise _neither(*faults)
    return found


def _neither(ours: FilterError, theirs: FilterError) -> FilterError:
    if ours.problem == theirs.problem:
        return ours
    return FilterError(ours.position, f"{ours.problem}, and position {theirs.position}: {theirs.problem}")
