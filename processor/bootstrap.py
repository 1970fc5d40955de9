"""Builds each role from its parts: the only module that names concrete adapters."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from processor import metrics
from processor.adapters.kafka.accepted import AcceptedIds, AcceptedReader
from processor.adapters.kafka.broker import ANSWER_S
from processor.adapters.kafka.clients import client_config, consumer_config, producer_config, reader_config
from processor.adapters.kafka.control_reader import ControlReader
from processor.adapters.kafka.group_lag import GroupLags, Watched
from processor.adapters.kafka.history_heads import TopicHeads
from processor.adapters.kafka.history_reader import GroupReader
from processor.adapters.kafka.history_scan import ScanReader
from processor.adapters.kafka.history_topic import TopicFacts
from processor.adapters.kafka.history_writer import StoreWriter
from processor.adapters.kafka.inbox import Inbox
from processor.adapters.kafka.membership import ClientBroken, Membership
from processor.adapters.kafka.statistics import ConsumerStatistics
from processor.adapters.kafka.topics import TopicAdmin, check_topics, topic_specs
from processor.adapters.kafka.transaction import Commit, Transactions
from processor.adapters.postgres.database import ReaderOptions
from processor.adapters.postgres.history_connection import LIVE_SCHEMA, connect, faults_as_unavailable
from processor.adapters.postgres.history_rebuild import PostgresSwap, PostgresVerify, RebuildRunning
from processor.adapters.postgres.history_schema import migrate
from processor.adapters.postgres.history_tables import PostgresTables
from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.adapters.postgres.state_writer import PostgresStateWriter
from processor.adapters.postgres.watch import DatabaseWatch
from processor.catalog_file import CatalogError, Secrets, load_catalog
from processor.codec import Codec, Record, RegistryUnavailable
from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import Catalog
from processor.core.model import (
    Answer,
    Chunk,
    ChunkStatus,
    Cleared,
    Correction,
    KeyOutcome,
    Plan,
    Request,
    RequestEnd,
    RequestStatus,
)
from processor.core.partition import partition_of
from processor.core.rights import Policy, control_topics, request_topics
from processor.crashpoint import CrashPoints
from processor.exposition import show_assigned, show_databases, show_inbox, show_monitor, show_state, show_store
from processor.http.serving import serve
from processor.lifecycle import Lifecycle
from processor.policy_file import load_policy
from processor.service.applier import Applier
from processor.service.apply_state import StateUnavailable
from processor.service.clear import Control
from processor.service.client_ports import Unreachable
from processor.service.emit import Emitter
from processor.service.history_changes import history_decoder
from processor.service.history_ports import StoreUnavailable
from processor.service.inbox import run
from processor.service.materialize import Store, StoreParts
from processor.service.monitor import Monitor
from processor.service.overdue import OverdueRule
from processor.service.preview import preview as plan_preview
from processor.service.process import BatchLimits, Processor
from processor.service.records import Lane, Outgoing, Received
from processor.service.replay import Progress, Reading, Replayed, Verified, replay, verify_replay
from processor.settings import Settings

log = logging.getLogger(__name__)


def open_catalog(settings: Settings, secrets: Secrets = Secrets.LEFT_OUT) -> Catalog:
    """Raises CatalogError."""
    return load_catalog(settings.catalog, SchemaFiles(settings.schemas).object, secrets)


def open_policy(settings: Settings, catalog: Catalog | None = None) -> Policy | None:
    """None where none is set. Raises PolicyError."""
    if settings.policy is None:
        return None
    return load_policy(settings.policy, catalog, settings.topics.model_dump())


def open_codec(settings: Settings, catalog: Catalog) -> Codec:
    return Codec.open(settings.schemas, catalog, settings.registry_url, settings.registry_options)


def partition_count(settings: Settings, topic: str) -> int:
    """Raises TopicMissing."""
    return TopicFacts(client_config(settings), topic).partitions()


def migrate_history(settings: Settings) -> int:
    """Brings the store's tables and views to this release; returns how many migrations ran. Raises SchemaTooNew."""
    with (
        faults_as_unavailable("migrating the history's tables"),
        connect(settings.history_dsn, settings.application_name("migrate"), LIVE_SCHEMA) as connection,
    ):
        return migrate(connection)


def preview(settings: Settings, request: Request) -> Plan:
    """The plan that a request would become now; reads both sides and sends nothing."""
    catalog = open_catalog(settings, Secrets.NEEDED)
    snapshots = PostgresSnapshots(catalog, settings.state_dsn, _reader_options(settings, "preview"))
    try:
        return plan_preview(request, snapshots, catalog, datetime.now(UTC))
    finally:
        snapshots.close()


def run_process(settings: Settings) -> None:
    """The processor, until it is told to stop."""
    life = Lifecycle(settings.ready_file, ("schemas", "assigned", "databases"))
    serve(settings, metrics.PROCESS, life)
    catalog = open_catalog(settings, Secrets.NEEDED)
    policy = open_policy(settings, catalog)
    topics = settings.topics
    requests = request_topics(policy, topics.requests)
    _tell_rights(policy, requests)
    written = {
        topics.history: (RequestStatus, ChunkStatus, KeyOutcome),
        topics.corrections: (Correction,),
        topics.chunks: (Chunk,),
        topics.retry: (Chunk,),
    }
    parts = _role_parts(settings, "process", _ready_codec(settings, catalog, written, life, requests))

    accepted = AcceptedIds(settings.accepted_window_s, settings.accepted_max)
    facts = TopicFacts(client_config(settings), topics.accepted)
    reader = AcceptedReader(Consumer(reader_config(settings)), facts, settings.accepted_window_s, accepted)

    snapshots = PostgresSnapshots(catalog, settings.state_dsn, _reader_options(settings, "process"))
    watch = DatabaseWatch(
        snapshots.districts, snapshots.state, every_s=settings.watch_s, patience_s=snapshots.patience_s
    )
    show_databases(watch, life, len(catalog.districts))

    def assigned(partitions: Iterable[int]) -> None:
        mine = frozenset(partitions)
        reader.restore(mine)
        watch.own(lambda district_id: partition_of(district_id, parts.emitter.partitions) in mine)
        show_assigned(life, len(mine))
        life.ready()

    lanes = {
        **dict.fromkeys(requests, Lane.REQUESTS),
        topics.answers: Lane.ANSWERS,
        topics.retry: Lane.RETRY,
        topics.chunks: Lane.CHUNKS,
    }
    due_at_s = _retry_when_due(settings)
    inbox = Inbox(parts.consumer, lanes, parts.membership, on_assigned=assigned, due_at_s=due_at_s)
    show_inbox(inbox)
    watch.start()
    processor = Processor(
        inbox=inbox,
        codec=parts.codec,
        catalog=catalog,
        snapshots=snapshots,
        emitter=parts.emitter,
        accepted=accepted,
        limits=_batch_limits(settings),
        commit_transaction=parts.commit,
        passed=parts.passed,
        policy=policy,
    )
    try:
        life.run(lambda: run(inbox, processor.step, life.stopping), ClientBroken)
    finally:
        inbox.close()
        reader.close()
        watch.close()
        snapshots.close()


def run_apply(settings: Settings) -> None:
    """The applier, until it is told to stop."""
    life = Lifecycle(settings.ready_file, ("schemas", "assigned", "state"))
    serve(settings, metrics.APPLY, life)
    catalog = open_catalog(settings)
    parts = _role_parts(settings, "apply", _ready_codec(settings, catalog, {settings.topics.answers: (Answer,)}, life))
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
    inbox = Inbox(parts.consumer, lanes, parts.membership, on_assigned=assigned)
    show_inbox(inbox)
    applier = Applier(
        inbox=inbox,
        codec=parts.codec,
        state=state,
        emitter=parts.emitter,
        max_records=settings.batch_max_records,
        commit_transaction=parts.commit,
        passed=parts.passed,
    )
    try:
        life.run(lambda: run(inbox, applier.step, life.stopping), ClientBroken)
    finally:
        inbox.close()
        state.close()


def run_store(settings: Settings) -> None:
    """The store, until it is told to stop."""
    life = Lifecycle(settings.ready_file, ("schemas", "assigned", "history"))
    serve(settings, metrics.STORE, life)
    life.when_available(lambda: migrate_history(settings), StoreUnavailable)
    catalog = open_catalog(settings)
    policy = open_policy(settings, catalog)
    topics = settings.topics
    controls = control_topics(policy, topics.control)
    _tell_clearing_rights(policy, controls)
    written = {topics.history: (RequestEnd, Cleared), topics.retry: (Chunk,)}
    codec = _ready_codec(settings, catalog, written, life, more_control=controls)
    options = {**client_config(settings), "session.timeout.ms": int(settings.session_timeout_s * 1000)}
    deadline_s = catalog.limits.answer_deadline_s
    tables = PostgresTables(settings.history_dsn, settings.application_name("store"))
    writer = StoreWriter(client_config(settings), topics.history, topics.retry, codec)
    control = ControlReader(client_config(settings), controls, codec)
    log = GroupReader(
        ConsumerStatistics().options(options), topics.history, settings.group("store"), settings.identity("store")
    )
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


def run_monitor(settings: Settings) -> None:
    """The monitor, until it is told to stop. It joins no group and needs no database."""
    life = Lifecycle(settings.ready_file, ("broker", "history"))
    serve(settings, metrics.MONITOR, life)
    topics, options = settings.topics, client_config(settings)
    requests = request_topics(open_policy(settings), topics.requests)
    specs = topic_specs(settings, requests)
    life.when_available(lambda: check_topics(options, specs), Unreachable)
    counts = life.when_available(lambda: TopicAdmin(options).partition_counts(), Unreachable)
    watched = (
        Watched(
            metrics.PROCESS,
            settings.group("process"),
            {
                **dict.fromkeys(requests, "requests"),
                **{getattr(topics, name): name for name in ("chunks", "retry", "answers")},
            },
        ),
        Watched(metrics.APPLY, settings.watched_applier_group, {topics.corrections: "corrections"}),
        Watched(metrics.STORE, settings.group("store"), {topics.history: "history"}),
    )
    heads = TopicHeads(options, topics.history, counts[topics.history])
    groups = GroupLags(options, watched, counts)
    monitor = Monitor(heads, groups, settings.monitor_s)
    show_monitor(monitor, life, patience_s=6 * settings.monitor_s + ANSWER_S)
    life.ready()
    try:
        while not life.stopping():
            monitor.step()
    finally:
        heads.close()
        groups.close()


def _rebuild(settings: Settings, codec: Codec, alive: Callable[[], None]) -> None:
    """The store's own `resync replay`."""
    reading = Reading(ScanReader(client_config(settings), settings.topics.history), history_decoder(codec))
    try:
        with PostgresSwap(settings.history_dsn, settings.application_name("store-replay")) as tables:
            replay(reading, tables, lambda _done, _total: alive())
    except RebuildRunning as fault:
        raise StoreUnavailable(str(fault)) from fault


def run_replay(settings: Settings, progress: Progress) -> Replayed:
    """Rebuilds the store's tables from the topic and swaps them in."""
    with PostgresSwap(settings.history_dsn, settings.application_name("replay")) as tables:
        return replay(_history_reading(settings), tables, progress)


def run_verify_replay(settings: Settings, progress: Progress) -> Verified:
    """Compares the store's tables with what the topic says."""
    with PostgresVerify(settings.history_dsn, settings.application_name("replay")) as tables:
        return verify_replay(_history_reading(settings), tables, progress)


def _history_reading(settings: Settings) -> Reading:
    codec = open_codec(settings, open_catalog(settings))
    return Reading(ScanReader(client_config(settings), settings.topics.history), history_decoder(codec))


@dataclass(frozen=True, slots=True)
class _RoleParts:
    """What the two roles that write Kafka transactions have in common."""

    consumer: Consumer
    membership: Membership
    codec: Codec
    emitter: Emitter
    commit: Callable[[Iterable[Outgoing], Sequence[Any]], bool]
    passed: Callable[[str], None]


def _tell_rights(policy: Policy | None, requests: Sequence[str]) -> None:
    """Says at the start what nobody has declared."""
    if policy is None:
        log.warning(
            "no policy (RESYNC_POLICY): whoever can write to %s may ask for all that the catalog allows", requests[0]
        )
        return
    for topic in requests:
        if topic not in policy.topics:
            log.warning("the policy does not declare the request topic %s: every request on it is rejected", topic)


def _tell_clearing_rights(policy: Policy | None, controls: Sequence[str]) -> None:
    if policy is None:
        log.warning("no policy (RESYNC_POLICY): whoever can write to %s may have any history cleared", controls[0])
    elif controls[0] not in policy.control:
        log.warning("the policy does not declare the control topic %s: no wish to clear on it is heard", controls[0])


def _ready_codec(
    settings: Settings,
    catalog: Catalog,
    written: Mapping[str, Sequence[type[Record]]],
    life: Lifecycle,
    requests: Sequence[str] = (),
    *,
    more_control: Sequence[str] = (),
) -> Codec:
    """Waits for Kafka and the registry, and refuses topics and subjects that do not fit. `written`: records by topic.

    Raises NotSetUp and NotRegistered.
    """
    codec = open_codec(settings, catalog)
    specs = topic_specs(settings, requests, more_control)
    life.when_available(lambda: check_topics(client_config(settings), specs), Unreachable)
    for topic, records in written.items():
        life.when_available(partial(codec.prepare, topic, *records), RegistryUnavailable)
    life.passed("schemas", f"those of {len(written)} topics")
    return codec


def _role_parts(settings: Settings, role: str, codec: Codec) -> _RoleParts:
    """The producer takes over its identity here, before the consumer asks for partitions."""
    crash_points = CrashPoints(settings.crash_at)

    def passed(step: str) -> None:
        crash_points(f"{role}.{step}")

    consumer = Consumer(ConsumerStatistics().options(consumer_config(settings, role)))
    transactions = Transactions(producer_config(settings, role), consumer, passed)

    def commit(records: Iterable[Outgoing], offsets: Sequence[TopicPartition]) -> bool:
        return transactions.commit(records, offsets) is Commit.COMMITTED

    emitter = Emitter(
        codec,
        settings.topics,
        partition_count(settings, settings.topics.requests),
        partition_count(settings, settings.topics.history),
        settings.group(role),
    )
    return _RoleParts(consumer, Membership(settings.identity(role)), codec, emitter, commit, passed)


def _batch_limits(settings: Settings) -> BatchLimits:
    return BatchLimits(
        max_keys=settings.batch_max_keys,
        max_records=settings.batch_max_records,
        max_bytes=settings.batch_max_bytes,
        max_s=settings.batch_max_s,
    )


def _reader_options(settings: Settings, role: str) -> ReaderOptions:
    return ReaderOptions(settings.application_name(role), settings.statement_timeout_s, settings.connect_timeout_s)


def _retry_when_due(settings: Settings) -> Callable[[Received], float]:
    """Retries come due together, at whole multiples of the gathering time, so that those of one key share a batch."""
    delay_s, gather_s = settings.retry_delay_s, settings.retry_gather_s

    def due_at_s(record: Received) -> float:
        if record.lane is not Lane.RETRY:
            return 0.0
        due_s = record.timestamp_s + delay_s
        return math.ceil(due_s / gather_s) * gather_s if gather_s else due_s

    return due_at_s
