"""How many of the keys that a report lists succeeded, failed, differ or are under way, and by reason."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from processor.core.counted import counted
from processor.core.history import OPEN_STATUSES, Status
from processor.service.client_ports import Row
from processor.service.follow import DIFFERENT

_GROUPS = {
    "succeeded": frozenset({Status.APPLIED, Status.IN_SYNC, Status.NOT_FOUND}),
    "failed": frozenset({Status.FAILED}),
    "different": DIFFERENT,
    "open": OPEN_STATUSES,
    "cancelled": frozenset({Status.CANCELLED}),
}
_ALWAYS_TOLD = frozenset({"succeeded", "failed"})


class Totals:
    """Counts rows as they pass, so that a report of any length says at its end what it held."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str | None]] = Counter()

    def of(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self._counts[row["status"], row["reason"]] += 1
            yield row

    def document(self) -> dict[str, Any]:
        """As `totals` in `schemas/cli/report.json` says."""
        groups = {name: self._number(statuses) for name, statuses in _GROUPS.items()}
        return {"keys": self._counts.total(), **groups, "counts": self.counts()}

    def counts(self) -> list[dict[str, Any]]:
        ordered = sorted(self._counts.items(), key=lambda each: (each[0][0], each[0][1] or ""))
        return [{"status": status, "reason": reason, "keys": keys} for (status, reason), keys in ordered]

    def text(self) -> str:
        """`270 keys: 250 succeeded, 20 failed`."""
        numbers = {name: self._number(statuses) for name, statuses in _GROUPS.items()}
        told = ", ".join(f"{number} {name}" for name, number in numbers.items() if number or name in _ALWAYS_TOLD)
        return f"{counted(self._counts.total(), 'key')}: {told}"

    def _number(self, statuses: frozenset[Status]) -> int:
        return sum(keys for (status, _), keys in self._counts.items() if status in statuses)
