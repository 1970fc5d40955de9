"""Which school years may be asked for: those that the catalog has open."""

from processor.core.catalog import Catalog
from processor.core.errors import CoreError, Reason


class YearNotOpen(CoreError):
    """Somebody asks for a school year that is closed, or that is none."""

    reason = Reason.YEAR_NOT_OPEN

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class NoSchoolYear(CoreError):
    """Somebody asks for a school year of records that have none."""

    reason = Reason.INVALID_REQUEST


def check_year(year: str, catalog: Catalog) -> None:
    """`year` as it was written. Raises YearNotOpen; never where the catalog names no open years."""
    if catalog.open_years and year.strip() not in map(str, catalog.open_years):
        named = ", ".join(map(str, sorted(catalog.open_years)))
        raise YearNotOpen(f"only these school years are open: {named}")
