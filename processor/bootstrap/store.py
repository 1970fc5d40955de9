"""Builds the store."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from processor import metrics
from processor.adapters.kafka.clients import client_config
from processor.adapters.kafka.control_reader import ControlReader
from processor.adapters.kafka.history_reader import GroupReader
from processor.adapters.kafka.history_scan import ScanReader
from processor.adapters.kafka.history_writer import StoreTopics, StoreWriter
from processor.adapters.kafka.membership import ClientBroken
from processor.adapters.kafka.statistics import ConsumerStatistics
from processor.adapters.postgres.history_connection import LIVE_SCHEMA, connect, faults_as_unavailable
from processor.adapters.postgres.history_rebuild import PostgresSwap, RebuildRunning
from processor.adapters.postgres.history_schema import migrate
from processor.adapters.postgres.history_tables import PostgresTables
from processor.bootstrap.parts import open_catalog, open_policy, ready_codec
from processor.codec import Codec
from processor.core.chunk import Chunk
from processor.core.history import Cleared, RequestEnd, RequestStatus
from processor.core.policy import Policy, control_topics
from processor.core.request import Request
from processor.crashpoint import CrashPoints
from processor.exposition import show_store
from processor.http.serving import serve
from processor.lifecycle import Lifecycle
from processor.service.control import Control
from processor.service.history_changes import history_decoder
from processor.service.history_ports import StoreUnavailable
from processor.service.materialize import Store, StoreParts
from processor.service.overdue import OverdueRule
from processor.service.rebuild import Reading
from processor.service.replay import replay
from processor.settings import Settings

log = logging.getLogger(__name__)


def run_store(settings: Settings) -> None:
    """The store, until it is told to stop."""
    life = Lifecycle(settings.ready_file, ("schemas", "assigned", "history"))
    serve(settings, metrics.STORE, life)
    life.when_available(lambda: migrate_history(settings), StoreUnavailable)
    catalog = open_catalog(settings)
    policy = open_policy(settings, catalog)
    topics = settings.topics
    controls = control_topics(policy, topics.control)
    _tell_control_rights(policy, controls)
    written = {
        topics.history: (RequestEnd, Cleared),
        topics.retry: (Chunk, RequestStatus, Request),
        topics.chunks: (Chunk,),
    }
    codec = ready_codec(settings, catalog, written, life, more_control=controls)
    deadline_s = catalog.limits.answer_deadline_s
    tables = PostgresTables(settings.history_dsn, settings.application_name("store"))
    control = ControlReader(client_config(settings), controls, codec)
    log, writer = store_clients(settings, codec, life)
    store = Store(
        StoreParts(
            log=log,
            tables=tables,
            writer=writer,
            decode=history_decoder(codec),
            now=lambda: datetime.now(UTC),
            crash_points=CrashPoints(settings.crash_at),
            control=Control(control, policy),
            rebuild=partial(_rebuild, settings, codec),
            overdue=OverdueRule(deadline_s, repeat_s=min(300.0, deadline_s)),
        )
    )

    show_store(store.counts, log, life)

    def stopping() -> bool:
        if store.counts.assigned:
            life.ready()
        return life.stopping()

    try:
        life.run(lambda: store.run(stopping), ClientBroken)
    finally:
        log.close()
        control.close()
        writer.close()
        tables.disconnect()


def store_clients(settings: Settings, codec: Codec, life: Lifecycle) -> tuple[GroupReader, StoreWriter]:
    """Both ask the broker when they are made: waits for its answers."""
    topics, options = settings.topics, client_config(settings)
    written = StoreTopics(topics.history, topics.retry, topics.chunks)
    made = partial(StoreWriter, options, written, codec, settings.retry_delay_s)
    writer = life.when_available(made, StoreUnavailable)
    read = ConsumerStatistics().options({**options, "session.timeout.ms": int(settings.session_timeout_s * 1000)})
    reader = partial(GroupReader, read, topics.history, settings.group("store"), settings.identity("store"))
    return life.when_available(reader, StoreUnavailable), writer


def migrate_history(settings: Settings) -> int:
    """Brings the store's tables and views to this release; returns how many migrations ran. Raises SchemaTooNew."""
    with (
        faults_as_unavailable("migrating the history's tables"),
        connect(settings.history_dsn, settings.application_name("migrate"), LIVE_SCHEMA) as connection,
    ):
        return migrate(connection)


def _tell_control_rights(policy: Policy | None, controls: Sequence[str]) -> None:
    if policy is None:
        log.warning(
            "no policy (RESYNC_POLICY): whoever can write to %s may have any history cleared, and any request released"
            " or cancelled",
            controls[0],
        )
    elif controls[0] not in policy.control:
        log.warning("the policy does not declare the control topic %s: no wish on it is heard", controls[0])


def _rebuild(settings: Settings, codec: Codec, alive: Callable[[], None]) -> None:
    """The store's own `resync replay`."""
    reading = Reading(ScanReader(client_config(settings), settings.topics.history), history_decoder(codec))
    try:
        with PostgresSwap(settings.history_dsn, settings.application_name("store-replay")) as tables:
            replay(reading, tables, lambda _done, _total: alive())
    except RebuildRunning as fault:
        raise StoreUnavailable(str(fault)) from fault
