"""Builds the dry run: the processor's reads and decisions, without anything sent."""

from datetime import UTC, datetime

from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.bootstrap.parts import open_catalog, reader_options
from processor.catalog_file import Secrets
from processor.core.plan import Plan
from processor.core.request import Request
from processor.service.preview import preview as plan_preview
from processor.settings import Settings


def preview(settings: Settings, request: Request) -> Plan:
    """The plan that a request would become now; reads both sides and sends nothing."""
    catalog = open_catalog(settings, Secrets.NEEDED)
    snapshots = PostgresSnapshots(catalog, settings.state_dsn, reader_options(settings, "preview"))
    try:
        return plan_preview(request, snapshots, catalog, datetime.now(UTC))
    finally:
        snapshots.close()
