"""Builds the processor."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from confluent_kafka import Consumer

from processor import metrics
from processor.adapters.kafka.accepted import AcceptedIds, AcceptedReader
from processor.adapters.kafka.clients import client_config, reader_config
from processor.adapters.kafka.history_topic import TopicFacts
from processor.adapters.kafka.inbox import Inbox
from processor.adapters.kafka.membership import ClientBroken
from processor.adapters.postgres.database import ReaderOptions
from processor.adapters.postgres.scans import PostgresScans
from processor.adapters.postgres.snapshots import PostgresSnapshots
from processor.adapters.postgres.watch import DatabaseWatch
from processor.bootstrap.parts import open_catalog, open_policy, reader_options, ready_codec, role_parts, steps_of
from processor.catalog_file import Secrets
from processor.core.catalog import Catalog
from processor.core.chunk import Chunk
from processor.core.correction import Correction
from processor.core.history import ChunkStatus, KeyOutcome, Parked, RequestStatus
from processor.core.pace import most_keys
from processor.core.partition import partition_of
from processor.core.policy import Policy, request_topics
from processor.exposition import show_assigned, show_databases, show_inbox
from processor.http.serving import serve
from processor.lifecycle import Lifecycle
from processor.service.ahead import Ahead
from processor.service.bulk import SIDE_BY_SIDE, Bulk
from processor.service.comparing import Comparer
from processor.service.due import due_at
from processor.service.emit import Emitter
from processor.service.gathering import BatchLimits
from processor.service.hand import Hand
from processor.service.inbox import run
from processor.service.process import Processor
from processor.service.records import Lane
from processor.service.row_counts import RowCounts
from processor.settings import Settings

log = logging.getLogger(__name__)

HAND_OVER_S = 1.0
"""How long a rebalance waits for reads that are under way; a part of a scan takes half of it."""


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
        topics.history: (RequestStatus, ChunkStatus, KeyOutcome, Parked),
        topics.corrections: (Correction,),
        topics.chunks: (Chunk,),
        topics.retry: (Chunk,),
    }
    parts = role_parts(settings, "process", ready_codec(settings, catalog, written, life, requests), life)

    accepted = AcceptedIds(settings.accepted_window_s, settings.accepted_max)
    facts = TopicFacts(client_config(settings), topics.accepted)
    consumer = Consumer(reader_config(settings))
    reader = AcceptedReader(consumer, facts, settings.accepted_window_s, accepted, life.go_on)

    at_once = _readers(settings, catalog, parts.emitter, reader_options(settings, "process"), parts.passed)
    for_bulk = replace(reader_options(settings, "process-bulk"), rests_after_timeout=False)
    passed_in_bulk = steps_of(settings, "process-bulk")
    in_bulk = _readers(settings, catalog, parts.emitter, for_bulk, passed_in_bulk, are_many=True)
    threads = ThreadPoolExecutor(SIDE_BY_SIDE, "bulk")
    limits = catalog.limits
    ahead = Ahead(at_once.comparer.read, at_once.comparer.decide, target_s=limits.chunk_target_s)
    bulk = Bulk(
        in_bulk.comparer,
        threads,
        in_bulk.snapshots.disconnect,
        share=limits.scan_share,
        target_s=limits.chunk_target_s,
    )
    snapshots = at_once.snapshots
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

    def revoked() -> None:
        hand.wait_for_all(HAND_OVER_S)

    lanes = {
        **dict.fromkeys(requests, Lane.REQUESTS),
        topics.answers: Lane.ANSWERS,
        topics.retry: Lane.RETRY,
        topics.chunks: Lane.CHUNKS,
    }
    inbox = Inbox(
        parts.consumer,
        lanes,
        parts.membership,
        on_assigned=assigned,
        on_revoked=revoked,
        due_at_s=due_at(settings.retry_delay_s, settings.retry_gather_s),
    )
    hand = Hand(lambda: inbox.generation)
    show_inbox(inbox)
    watch.start()
    processor = Processor(
        inbox=inbox,
        codec=parts.codec,
        catalog=catalog,
        partitions=parts.emitter.partitions,
        hand=hand,
        ahead=ahead,
        bulk=bulk,
        accepted=accepted,
        limits=batch_limits(settings, catalog),
        commit_transaction=parts.commit,
        policy=policy,
        remembered_since_s=lambda: accepted.since_s,
    )
    try:
        life.run(lambda: run(inbox, processor.step, life.stopping, processor.is_busy), ClientBroken)
    finally:
        for each in (at_once, in_bulk):
            each.snapshots.abandon()
        inbox.close()
        reader.close()
        watch.close()
        threads.shutdown()
        ahead.close()
        for each in (at_once, in_bulk):
            each.close()


@dataclass(frozen=True, slots=True)
class _Readers:
    """What reads the databases, by connections of its own, and what compares by it."""

    snapshots: PostgresSnapshots
    scans: PostgresScans
    comparer: Comparer

    def close(self) -> None:
        self.snapshots.close()
        self.scans.close()


def _readers(
    settings: Settings,
    catalog: Catalog,
    emitter: Emitter,
    options: ReaderOptions,
    passed: Callable[[str], None],
    *,
    are_many: bool = False,
) -> _Readers:
    snapshots = PostgresSnapshots(catalog, settings.state_dsn, options, are_many=are_many)
    scans = PostgresScans(catalog, snapshots)
    return _Readers(snapshots, scans, Comparer(catalog, snapshots, scans, RowCounts(scans), emitter, passed))


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


def batch_limits(settings: Settings, catalog: Catalog) -> BatchLimits:
    """Whatever a batch's rows are: as if all were of the widest object."""
    widest = max(len(kind.compared) for kind in catalog.objects.values())
    return BatchLimits(
        max_keys=min(settings.batch_max_keys, most_keys(widest)),
        max_records=settings.batch_max_records,
        max_bytes=settings.batch_max_bytes,
        max_s=settings.batch_max_s,
    )
