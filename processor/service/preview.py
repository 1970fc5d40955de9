"""The plan that a request would become now; nothing is sent."""

from datetime import datetime

from processor.core.catalog import Catalog
from processor.core.plan import Plan
from processor.core.request import Request
from processor.service.descend import descend
from processor.service.intake import Intake, take_request
from processor.service.ports import Snapshots
from processor.service.resync import observe, resync


def preview(request: Request, snapshots: Snapshots, catalog: Catalog, now: datetime) -> Plan:
    """As the processor would plan it, parts of a large request included."""
    intake = Intake()
    take_request(request, catalog, intake, now)
    descend(intake, snapshots, catalog, now)
    chunks = intake.chunks + intake.plan.chunks
    plan = intake.plan
    plan.add(resync(observe(chunks, snapshots, catalog), catalog, now))
    return plan
