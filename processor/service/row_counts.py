"""How many rows an object of a district has, for shares: counted when first needed, and known for a while."""

from time import monotonic

from processor.service.ports import ReadTimedOut, Scans, SnapshotUnavailable

KEPT_S = 600.0
UNKNOWN_KEPT_S = 5.0
"""Where a database is away. A count that takes longer than the statement timeout would do so again."""


class RowCounts:
    """Calls give the rows of the larger side, 0 where a database is away or too slow to count."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._known: dict[tuple[str, str], tuple[int, float]] = {}

    def __call__(self, district_id: str, object_name: str) -> int:
        place = (district_id, object_name)
        rows, until = self._known.get(place, (0, 0.0))
        if monotonic() >= until:
            try:
                rows, kept_s = self._scans.count(*place), KEPT_S
            except ReadTimedOut:
                rows, kept_s = 0, KEPT_S
            except SnapshotUnavailable:
                rows, kept_s = 0, UNKNOWN_KEPT_S
            self._known[place] = (rows, monotonic() + kept_s)
        return rows
