"""A history topic, a retry topic and a database of a test's own, and what tests do with them."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from processor.adapters.kafka.control_reader import ControlReader
from processor.adapters.kafka.history_reader import GroupReader, place_of
from processor.adapters.kafka.history_scan import ScanReader
from processor.adapters.kafka.history_writer import StoreTopics, StoreWriter
from processor.adapters.postgres.history_rebuild import PostgresSwap, PostgresVerify
from processor.adapters.postgres.history_tables import PostgresTables
from processor.codec import Codec
from processor.codec.history import control_key, history_record
from processor.core.catalog import Catalog, Limits
from processor.core.history import Clear, HistoryRecord, Order, RequestEnd
from processor.core.partition import partition_of
from processor.core.policy import Policy
from processor.crashpoint import CrashPoints
from processor.service.control import Control
from processor.service.history_changes import history_decoder
from processor.service.history_ports import BatchLimits, Extent
from processor.service.materialize import Store, StoreParts
from processor.service.overdue import OverdueRule
from processor.service.rebuild import Reading, Replayed
from processor.service.replay import replay
from processor.service.verify_replay import Verified, verify_replay
from tests import forked
from tests.forked import Forked
from tests.integration.store.waiting import await_, run
from tests.kept_connection import KeptConnection

PARTITIONS = 3
RETRY_DELAY_S = 5.0
EMPTY_CATALOG = Catalog({}, {}, Limits())
Tables = dict[str, list[tuple[Any, ...]]]


@dataclass
class World:
    """`dsn` is of a database with the store's tables."""

    bootstrap: str
    dsn: str
    topic_options: dict[str, str] = field(default_factory=dict)
    partitions: int = PARTITIONS

    def __post_init__(self) -> None:
        name = f"t{uuid.uuid4().hex[:10]}"
        self.release = name
        self.history = f"{name}.history"
        self.retry = f"{name}.retry"
        self.chunks = f"{name}.chunks"
        self.control = f"{name}.control"
        self.norths = f"{name}.control.north"
        self.options: dict[str, str | int | float | bool] = {"bootstrap.servers": self.bootstrap}
        self.admin = AdminClient(self.options)
        compact = {"cleanup.policy": "compact"}
        controls = dict.fromkeys((self.control, self.norths), compact)
        self.create_topics({self.history: compact | self.topic_options, self.retry: {}, self.chunks: {}} | controls)
        self.codec = Codec.open(None, EMPTY_CATALOG)
        self.producer = Producer({**self.options, "enable.idempotence": True, "linger.ms": 1})
        self._databases: dict[str, KeptConnection] = {}
        self._ends: ScanReader | None = None
        self._open: list[tuple[Store, GroupReader, StoreWriter, PostgresTables]] = []

    def create_topics(self, configs: Mapping[str, dict[str, str]]) -> None:
        wanted = [NewTopic(name, self.partitions, 1, config=config) for name, config in configs.items()]
        for future in self.admin.create_topics(wanted).values():
            future.result(10)

    def delete_topic(self, name: str) -> None:
        self._ends = None
        for future in self.admin.delete_topics([name]).values():
            future.result(10)
        await_(lambda: name not in self.admin.list_topics(timeout=5).topics, "the topic's deletion")

    def close(self) -> None:
        for _, reader, writer, tables in self._open:
            reader.close()
            writer.close()
            tables.disconnect()
        self.disconnect()
        self.admin.delete_topics([self.history, self.retry, self.chunks, self.control, self.norths])

    def partition(self, request_id: str) -> int:
        return partition_of(request_id, self.partitions)

    def produce(self, *records: HistoryRecord, producer: Producer | None = None) -> None:
        for record in records:
            key, partition_key, headers = history_record(record)
            value = self.codec.encode(self.history, record)
            self.put(key, value, self.partition(partition_key), producer, headers=[*headers])
        if producer is None:
            self.producer.flush(10)

    def put(
        self,
        key: bytes | None,
        value: bytes | None,
        partition: int,
        producer: Producer | None = None,
        **more: Any,
    ) -> None:
        chosen = producer or self.producer
        while True:
            try:
                chosen.produce(self.history, value, key, partition, **more)
            except BufferError:
                chosen.poll(0.1)
            else:
                return

    def tombstone(self, request_id: str, *keys: str) -> None:
        for key in keys:
            self.put(key.encode(), None, self.partition(request_id))
        self.producer.flush(10)

    def transaction(self, *records: HistoryRecord) -> None:
        """As the processor writes: the records, then a commit marker in each partition touched."""
        producer = Producer({**self.options, "transactional.id": f"{self.release}-writer"})
        producer.init_transactions(10)
        producer.begin_transaction()
        self.produce(*records, producer=producer)
        producer.commit_transaction(10)

    def store(
        self,
        ordinal: int = 0,
        *,
        limits: BatchLimits | None = None,
        overdue: OverdueRule | None = None,
        crash_at: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        control: bool = False,
        policy: Policy | None = None,
        rebuilds: bool = False,
    ) -> Store:
        instance = f"{self.release}-store-{ordinal}"
        reader = GroupReader(self.options, self.history, f"{self.release}-store", instance)
        writer = StoreWriter(
            self.options, StoreTopics(self.history, self.retry, self.chunks), self.codec, RETRY_DELAY_S
        )
        tables = PostgresTables(self.dsn, f"resync/store/{ordinal}")
        parts = StoreParts(
            reader,
            tables,
            writer,
            history_decoder(self.codec),
            now,
            CrashPoints(crash_at),
            limits or BatchLimits(),
            overdue or OverdueRule(),
            Control(self.control_reader(), policy) if control else Control(),
            self.rebuild if rebuilds else None,
        )
        store = Store(parts)
        self._open.append((store, reader, writer, tables))
        return store

    def stop(self, store: Store) -> None:
        """As a process that ends."""
        entry = next(entry for entry in self._open if entry[0] is store)
        self._open.remove(entry)
        entry[1].close()
        entry[2].close()
        entry[3].disconnect()

    def process(self, ordinal: int = 0, **settings: Any) -> Forked:
        """The store in a process of its own."""
        arguments = {
            "bootstrap": self.bootstrap,
            "dsn": self.dsn,
            "release": self.release,
            "ordinal": ordinal,
            **settings,
        }
        return forked.start_module("tests.integration.store.process", [json.dumps(arguments)])

    def catch_up(self, store: Store, timeout_s: float = 20.0) -> None:
        """Step until the store has read all that is committed, announced what is due and buried what is cleared."""
        run(store, self.is_settled, timeout_s)

    def is_settled(self) -> bool:
        return self.all_live() and self.rows("select from resync_store.burials") == [] and self.lag() == 0

    def lag(self) -> int:
        """By what the database says."""
        ends = self._extents()
        stored = dict(self.rows("select partition, next_offset from resync_store.offsets"))
        return sum(extent.stable - stored.get(p, 0) for p, extent in ends.items())

    def group_lag(self) -> int:
        """By what the group's offsets say, as an autoscaler sees it."""
        consumer = Consumer({**self.options, "group.id": f"{self.release}-store"})
        places = consumer.committed([TopicPartition(self.history, p) for p in range(self.partitions)], 10)
        consumer.close()
        ends = self._extents()
        return sum(ends[place.partition].high - max(place.offset, 0) for place in places)

    def all_live(self) -> bool:
        return self.rows("select count(*) from resync_store.offsets where live") == [(self.partitions,)]

    def scan(self) -> ScanReader:
        return ScanReader(self.options, self.history)

    def _extents(self) -> Mapping[int, Extent]:
        """By a client that is kept: it is looked at again and again."""
        if self._ends is None:
            self._ends = self.scan()
        return self._ends.extents(range(self.partitions))

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._database().rows(query.encode(), parameters)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self._database().rows(statement.encode(), parameters)

    def disconnect(self) -> None:
        for connection in self._databases.values():
            connection.close()

    def _database(self) -> KeptConnection:
        """By `dsn`, which a test may change."""
        return self._databases.setdefault(self.dsn, KeptConnection(self.dsn))

    def tables(self, schema: str = "resync_store") -> Tables:
        """Everything that is a function of the topic."""
        names = {
            "requests": "1",
            "chunks": "1, 2",
            "parked": "1, 2",
            "outcomes": "1, 2, 3",
            "clearings": "1",
            "tallies": "request_id, district_id, object, status, reason",
        }
        return {name: self.rows(f"select * from {schema}.{name} order by {key}") for name, key in names.items()}

    def control_reader(self) -> ControlReader:
        return ControlReader(self.options, [self.control, self.norths], self.codec)

    def wish(self, *wishes: Clear | Order, topic: str | None = None) -> None:
        for wish in wishes:
            self.producer.produce(topic or self.control, self.codec.encode(self.control, wish), control_key(wish), 0)
        self.producer.flush(10)

    def rebuild(self, alive: Callable[[], None]) -> None:
        with PostgresSwap(self.dsn, "resync/store-replay/0") as tables:
            replay(Reading(self.scan(), history_decoder(self.codec)), tables, lambda _done, _total: alive())

    def visible(self) -> Tables:
        """As the public views show it."""
        names = {"requests": "1", "outcomes": "1, 3, 4", "clearings": "1"}
        return {name: self.rows(f"select * from history.{name} order by {key}") for name, key in names.items()}

    def replay(self) -> Replayed:
        with PostgresSwap(self.dsn, "resync/replay/0") as tables:
            return replay(Reading(self.scan(), history_decoder(self.codec)), tables)

    def verify(self, scan: ScanReader | None = None) -> Verified:
        with PostgresVerify(self.dsn, "resync/verify/0") as tables:
            return verify_replay(Reading(scan or self.scan(), history_decoder(self.codec)), tables)

    def log(self) -> list[tuple[bytes | None, HistoryRecord | None]]:
        """All committed records of the history topic, partition by partition; None for a tombstone."""
        scan = self.scan()
        ends = scan.extents(range(self.partitions))
        start = {p: extent.low for p, extent in ends.items()}
        stable = {p: extent.stable for p, extent in ends.items()}
        decode = history_decoder(self.codec)
        found = [
            (record.partition, record.offset, record.key, None if record.value is None else decode(record.value))
            for batch in scan.batches(start, stable, BatchLimits())
            for record in batch.records
        ]
        return [(key, record) for _, _, key, record in sorted(found, key=lambda f: f[:2])]

    def messages(self, topic: str) -> list[Message]:
        """All that a topic holds now, partition by partition in order."""
        consumer = Consumer({**self.options, "group.id": "any", "enable.partition.eof": True, "fetch.wait.max.ms": 10})
        consumer.assign([TopicPartition(topic, p, 0) for p in range(self.partitions)])
        found: dict[int, list[Message]] = {p: [] for p in range(self.partitions)}
        ended: set[int | None] = set()
        while len(ended) < self.partitions:
            message = consumer.poll(1.0)  # one at a time: for many it would wait longer than for the last there is
            if message is None:
                continue
            if message.error() is not None:
                ended.add(message.partition())
            else:
                found[place_of(message)[0]].append(message)
        consumer.close()
        return [message for messages in found.values() for message in messages]

    def ends(self) -> dict[str, list[RequestEnd]]:
        """Announced ends of each request, in order."""
        found: dict[str, list[RequestEnd]] = {}
        for _, record in self.log():
            if isinstance(record, RequestEnd):
                found.setdefault(record.request_id, []).append(record)
        return found
