"""What a key costs, in counts that no machine's speed changes: statements, rows and bytes, transactions, records.

How a backlog falls into batches, and a table into parts, is not the same each time, so bounds of statements and
transactions have room for some more of them. A digest takes 16 bytes a row, a row in full some 200. A change that makes
keys dearer fails here; one that makes them cheaper should lower the bounds.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from confluent_kafka import Producer

from processor.core.partition import partition_of
from processor.core.request import All, Mode, Report, Request
from tests.e2e.conftest import Deploy
from tests.e2e.deployment import PARTITIONS, Deployment
from tests.e2e.people import persons, rename
from tests.e2e.test_metrics import series
from tests.e2e.watcher import Story
from tests.e2e.wire import Wire, relayed
from tests.tools.ports import free_port

KEYS, ROWS = 1_000, 20_000
QUIET = {"watch_s": 3_600, "retry_delay_s": 3_600}
"""Nothing is asked of the databases but for keys."""


@dataclass(frozen=True, slots=True)
class Most:
    """Of each of the two databases: statements that read, rows of their answers, and the bytes of these."""

    reads: int
    rows: int
    row_bytes: int
    transactions: int


@dataclass(slots=True)
class Counted:
    """A processor between two relays, warm; counts are of what it did last."""

    deployment: Deployment
    wires: dict[str, Wire]
    port: int
    transactions: int = 0
    records: Counter[str] = field(default_factory=Counter)
    """By kind, written to the history and to the corrections."""

    def persons(self, count: int) -> range:
        """Of the district, and equal ones at the state."""
        keys = self.deployment.take_keys(count)
        persons(self.deployment, "NORTH", keys)
        return keys

    def asked(self, keys: Sequence[int]) -> Request:
        return self.deployment.request("NORTH", "PersonIdentity", keys)

    def work_off(self, requests: Sequence[Request], keys: int) -> None:
        """Released at once, until history tells of so many keys."""
        watcher = self.deployment.watcher
        committed, corrections = self._committed(), len(watcher.corrections)
        for wire in self.wires.values():
            wire.forget()
        self._release(requests)
        stories = [watcher.story(request.request_id) for request in requests]
        watcher.until(lambda: sum(map(told, stories)) >= keys, f"word of {keys} keys", 60)
        self.deployment.read_all()
        self.transactions = self._committed() - committed
        self.records = Counter(
            outcomes=sum(len(outcomes) for story in stories for outcomes in story.outcomes.values()),
            statuses=sum(len(story.statuses) for story in stories),
            corrections=len(watcher.corrections) - corrections,
        )

    def check(self, most: Most) -> None:
        found = {side: (wire.reads(), wire.rows, wire.row_bytes) for side, wire in self.wires.items()}
        dearer = {side: counts for side, counts in found.items() if any(map(int.__gt__, counts, self._bounds(most)))}
        assert not dearer, f"more than {most}: {dearer}; statements {[wire.statements for wire in self.wires.values()]}"
        assert self.transactions <= most.transactions

    @staticmethod
    def _bounds(most: Most) -> tuple[int, int, int]:
        return most.reads, most.rows, most.row_bytes

    def _release(self, requests: Sequence[Request]) -> None:
        """In one transaction, so that batches are full."""
        producer = Producer({**self.deployment.client, "transactional.id": str(uuid.uuid4())})
        producer.init_transactions(10)
        producer.begin_transaction()
        for request in requests:
            home = partition_of(request.district_id, PARTITIONS)
            value = self.deployment.encoded(request)
            producer.produce(self.deployment.topics.requests, value, request.district_id, home)
        producer.commit_transaction(10)

    def _committed(self) -> int:
        return round(series(self.port, "counter").get('transactions_total{result="committed"}', 0))


def told(story: Story) -> int:
    """Keys of which there is an outcome, or that a part of a scan has counted as being in sync."""
    return len(story.outcomes) + sum(chunk.in_sync for chunk in story.chunks.values())


@pytest.fixture
def counted(deploy: Deploy) -> Iterator[Counted]:
    deployment = deploy(settings=QUIET)
    with ExitStack() as relays:
        (district_dsn, district), (state_dsn, state) = (
            relays.enter_context(relayed(deployment.dsns[side])) for side in ("NORTH", "state")
        )
        deployment.env |= {"RESYNC_DISTRICT_DSN_NORTH": district_dsn, "RESYNC_STATE_DSN": state_dsn}
        port = free_port()
        deployment.start("process", http_port=port, http_host="127.0.0.1")
        made = Counted(deployment, {"district": district, "state": state}, port)
        made.work_off([made.asked(made.persons(KEYS))], KEYS)
        yield made
        deployment.role("process").stop()


def test_what_keys_cost(counted: Counted, subtests: pytest.Subtests) -> None:
    with subtests.test("a thousand requests of one key each"):
        counted.work_off([counted.asked([key]) for key in counted.persons(KEYS)], KEYS)
        assert counted.records == Counter(outcomes=KEYS, statuses=KEYS, corrections=0)
        counted.check(Most(reads=3, rows=3, row_bytes=17 * KEYS, transactions=3))

    with subtests.test("a request of a thousand keys, all equal"):
        counted.work_off([counted.asked(counted.persons(KEYS))], KEYS)
        assert counted.records == Counter(outcomes=KEYS, statuses=1, corrections=0)
        counted.check(Most(reads=1, rows=1, row_bytes=17 * KEYS, transactions=1))

    counted.persons(ROWS)
    with subtests.test("a verification of all rows, all equal"):
        counted.work_off([everything()], ROWS + 3 * KEYS)
        assert counted.records == Counter(outcomes=0, statuses=1, corrections=0)
        counted.check(Most(reads=12, rows=50, row_bytes=5_000, transactions=5))

    with subtests.test("a request of a thousand keys, of which twenty differ"):
        keys = counted.persons(KEYS)
        rename(counted.deployment, "NORTH", keys[::50])
        counted.work_off([counted.asked(keys)], KEYS)
        assert counted.records == Counter(outcomes=KEYS, statuses=1, corrections=20)
        counted.check(Most(reads=2, rows=1 + 20, row_bytes=17 * KEYS + 20 * 220, transactions=1))

    with subtests.test("a verification of all rows, of which twenty differ"):
        counted.work_off([everything()], ROWS + 4 * KEYS - 20)
        assert counted.records == Counter(outcomes=0, statuses=1, corrections=0)
        counted.check(Most(reads=12, rows=50, row_bytes=17 * (ROWS + 4 * KEYS), transactions=8))


def everything() -> Request:
    request_id, mode, report = str(uuid.uuid4()), Mode.VERIFY, Report.CHANGES
    return Request(request_id, "NORTH", "PersonIdentity", All(), "clerk", mode=mode, report=report)
