"""Builds the applier."""

import sys
from collections.abc import Iterable

from processor import metrics
from processor.adapters.kafka.inbox import Inbox
from processor.adapters.kafka.membership import ClientBroken
from processor.adapters.postgres.state_writer import PostgresStateWriter
from processor.bootstrap.parts import open_catalog, ready_codec, role_parts
from processor.catalog_file import CatalogError
from processor.core.correction import Answer
from processor.crashpoint import CrashPoints
from processor.exposition import show_assigned, show_inbox, show_state
from processor.http.serving import serve
from processor.lifecycle import Lifecycle
from processor.service.applier import Applier
from processor.service.apply_state import StateUnavailable
from processor.service.inbox import run
from processor.service.records import Lane
from processor.settings import Settings

MOST_CORRECTIONS = 2_000
"""Of a batch, with the rows that are read for them (ADR 0215)."""
AT_HAND = 3 * MOST_CORRECTIONS
"""With so many waiting, nothing is read: as many are in hand (ADR 0058)."""
SWITCH_S = 0.0005
"""A thread that has heard from Postgres waits so long for one that computes: ten times a batch (ADR 0058)."""


def run_apply(settings: Settings) -> None:
    """The applier, until it is told to stop."""
    sys.setswitchinterval(SWITCH_S)
    life = Lifecycle(settings.ready_file, ("schemas", "assigned", "state"))
    serve(settings, metrics.APPLY, life)
    catalog = open_catalog(settings)
    codec = ready_codec(settings, catalog, {settings.topics.answers: (Answer,)}, life)
    parts = role_parts(settings, "apply", codec, life)
    state = PostgresStateWriter(
        settings.state_dsn,
        catalog,
        application_name=settings.application_name("apply"),
        crash_points=CrashPoints(settings.crash_at),
        statement_timeout_s=settings.statement_timeout_s,
    )
    life.when_available(state.ensure_schema, StateUnavailable)
    if missing := life.when_available(state.missing_columns, StateUnavailable):
        raise CatalogError(settings.catalog, missing)

    show_state(life, lambda: state.is_up)

    def assigned(partitions: Iterable[int]) -> None:
        show_assigned(life, len(frozenset(partitions)))
        life.ready()

    lanes = {settings.topics.corrections: Lane.CORRECTIONS}
    inbox = Inbox(parts.consumer, lanes, parts.membership, on_assigned=assigned, enough=AT_HAND)
    show_inbox(inbox)
    applier = Applier(
        inbox=inbox,
        codec=parts.codec,
        state=state,
        emitter=parts.emitter,
        max_records=min(settings.batch_max_records, MOST_CORRECTIONS),
        commit_transaction=parts.commit,
        passed=parts.passed,
    )
    try:
        life.run(lambda: run(inbox, applier.step, life.stopping), ClientBroken)
    finally:
        inbox.close()
        state.close()
