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
from processor.core.scope import NoSchoolYear
from processor.core.selection import in_year, school_year, select

Chosen: TypeAlias = Mapping[Side, Condition]
"""What a side's rows have to be like; at least one side, the district first."""


def chosen(where: str | None, year: str | None, kind: ObjectType, catalog: Catalog) -> Chosen | None:
    """By a filter's text and a school year; None where neither is given, so that all records are meant.

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
            condition = EVERYTHING if where is None else select(where, kind, catalog, [side])
            found[side] = condition if year is None else in_year(condition, year, kind, catalog, side)
        except FilterError as fault:
            faults.append(fault)
    if not found:
        raise _all_of(faults)
    return found


def _all_of(faults: list[FilterError]) -> FilterError:
    """Both sides' faults, where these are not the same."""
    more = [f", and position {other.position}: {other.problem}" for other in faults if str(other) != str(faults[0])]
    return FilterError(faults[0].position, faults[0].problem + "".join(more))
