"""About how many rows an object of a district has, for shares: asked for when first needed, and known for a while."""

from time import monotonic

from processor.service.ports import Scans, SnapshotUnavailable

KEPT_S = 600.0
UNKNOWN_KEPT_S = 5.0


class RowCounts:
    """Calls give the servers' own estimate for the larger side, which reads no row; 0 where a database is away."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._known: dict[tuple[str, str], tuple[int, float]] = {}

    def __call__(self, district_id: str, object_name: str) -> int:
        place = (district_id, object_name)
        rows, until = self._known.get(place, (0, 0.0))
        if monotonic() >= until:
            try:
                rows, kept_s = self._scans.survey(*place).rows, KEPT_S
            except SnapshotUnavailable:
                rows, kept_s = 0, UNKNOWN_KEPT_S
            self._known[place] = (rows, monotonic() + kept_s)
        return rows
