"""From a sorted batch to the records that it writes: read both sides, decide, encode."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from processor.core.catalog import Catalog
from processor.core.plan import Plan
from processor.service.descend import descend
from processor.service.emit import Emitter
from processor.service.intake import Intake, take_request
from processor.service.ports import Scans, Snapshots
from processor.service.records import Outgoing
from processor.service.resync import CountRows, Observation, observe, resync
from processor.service.scan import PartRead, decide_part, read_part, survey


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch, and what both sides hold of it."""

    intake: Intake
    observed: Observation
    parts: Sequence[PartRead]


@dataclass(frozen=True, slots=True)
class Compared:
    """A batch, what its chunks became, and the records of all of it."""

    intake: Intake
    plan: Plan
    records: Sequence[Outgoing]


@dataclass(frozen=True, slots=True)
class Comparer:
    """Reads by connections of its own, so that several can work side by side."""

    catalog: Catalog
    snapshots: Snapshots
    scans: Scans
    rows: CountRows
    emitter: Emitter
    passed: Callable[[str], None]

    def read(self, intake: Intake) -> Seen:
        """What the decisions need. Blocks while databases answer; a database that does not is told of in the result."""
        for request in intake.large:
            take_request(request, self.catalog, intake, datetime.now(UTC))
        descend(intake, self.snapshots, self.catalog, datetime.now(UTC))
        survey(intake, self.scans, self.catalog, datetime.now(UTC))
        observed = observe(intake.chunks, self.snapshots, self.catalog, intake.singles)
        parts = [read_part(chunk, self.scans, self.catalog) for chunk in intake.parts]
        self.passed("after_read")
        return Seen(intake, observed, parts)

    def decide(self, seen: Seen) -> Compared:
        """Raises RegistryUnavailable."""
        intake = seen.intake
        plan = resync(seen.observed, self.catalog, datetime.now(UTC), self.rows)
        for part in seen.parts:
            plan.add(decide_part(part, self.catalog, datetime.now(UTC)))
        records = list(self.emitter.records(intake, plan))
        self.passed("after_compare")
        return Compared(intake, plan, records)
