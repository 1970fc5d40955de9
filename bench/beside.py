"""How long single keys wait while a large request is worked on, beside how long they wait when it is not."""

import statistics
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle

from confluent_kafka import Consumer, TopicPartition

from bench.figures import Figure
from bench.traffic import OBJECT, Publisher, Tail, WrongCount, compare
from bench.world import DISTRICT, OTHER, PARTITIONS, ROLES, Run, World
from processor.cli.progress import counting
from processor.core.history import ChunkStatus
from processor.core.request import All, Mode, Report, Request

ANSWER_S = 60.0
BATCH_S = 900.0


def beside(world: World, per_s: int, seconds: int) -> Figure:
    """Milliseconds from publishing a request of one key, which is in sync, to its outcome being readable.

    So many requests a second for the batch's own district, and as many for another: for `seconds`, and then for as long
    as the verification of all rows takes that was asked for meanwhile.
    """
    with world.run() as run:
        run.start(*ROLES)
        asking = Asking(run, world)
        asking.go(per_s, time_is_up(1))  # a consumer that has just been given its partitions asks where they begin
        asking.took.clear()
        with counting("beside: idle"):
            idle = figures(asking.go(per_s, time_is_up(seconds)))
        batch = Request(str(uuid.uuid4()), DISTRICT, OBJECT, All(), "bench", mode=Mode.VERIFY, report=Report.CHANGES)
        asking.publisher.send(batch)
        asking.publisher.flush()
        started = time.monotonic()
        with counting("beside: while all is verified"):
            busy = figures(asking.go(per_s, lambda: asking.has_ended(batch.request_id)))
        took = time.monotonic() - started
        asking.close()
        prove(run, world.rows, asking.asked)
        run.stop(*ROLES)
    return {
        "scenario": "beside",
        "rows_a_side": world.rows,
        "batch_s": round(took, 1),
        "requests_per_s": per_s,
        "requests": asking.asked,
        "districts": {
            name: {"idle": idle[name], "busy": busy[name], "ratio": ratio(busy[name], idle[name])} for name in idle
        },
        "peak_rss_mb": run.peak_rss_mb,
    }


def time_is_up(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def figures(took: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """By district, in milliseconds."""
    return {
        "same" if name == DISTRICT else "other": {
            "requests": len(seconds),
            "p50_ms": round(statistics.median(seconds) * 1000, 1),
            "p99_ms": round(statistics.quantiles(seconds, n=100)[98] * 1000, 1),
        }
        for name, seconds in took.items()
    }


def ratio(busy: dict[str, float], idle: dict[str, float]) -> dict[str, float]:
    return {name.removesuffix("_ms"): round(busy[name] / idle[name], 2) for name in ("p50_ms", "p99_ms")}


def in_sync(keys: range) -> Iterator[int]:
    """Those that were planted equal on both sides, again and again."""
    return cycle([key for key in keys if key % 50 != 0 and key % 100 != 1])


class Asking:
    """Asks for single keys of both districts and looks for outcomes by records' keys alone: the batch has many."""

    def __init__(self, run: Run, world: World) -> None:
        self.publisher = Publisher(run)
        self.asked = 0
        self.took: dict[str, list[float]] = {DISTRICT: [], OTHER: []}
        self._keys = {
            DISTRICT: in_sync(range(1, min(world.rows, 100_000) + 1)),
            OTHER: in_sync(range(1, world.rows // 20 + 1)),
        }
        self._sent_at: dict[bytes, tuple[str, float]] = {}
        self._ends: set[bytes] = set()
        self._consumer = Consumer(
            {
                "bootstrap.servers": run.settings.bootstrap_servers,
                "group.id": "bench-beside",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.queue.backoff.ms": 1,
                "fetch.wait.max.ms": 5,
            }
        )
        self._consumer.assign([TopicPartition(run.topics.history, p, 0) for p in range(PARTITIONS)])

    def close(self) -> None:
        self._consumer.close()

    def has_ended(self, request_id: str) -> bool:
        return request_id.encode() in self._ends

    def go(self, per_s: int, is_over: Callable[[], bool]) -> dict[str, list[float]]:
        """How long each took, by district. Raises TimeoutError."""
        self.took = {DISTRICT: [], OTHER: []}
        began, number = time.monotonic(), 0
        while not is_over():
            if time.monotonic() > began + BATCH_S:
                raise TimeoutError(f"it was not over after {BATCH_S:.0f} s")
            while time.monotonic() < began + number / (2 * per_s):
                self._look(0.001)
            self._ask((DISTRICT, OTHER)[number % 2])
            number += 1
        deadline = time.monotonic() + ANSWER_S
        while self._sent_at:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self._sent_at)} requests of one key have no outcome after {ANSWER_S:.0f} s")
            self._look(0.01)
        return self.took

    def _ask(self, district_id: str) -> None:
        request_id = self.publisher.publish([next(self._keys[district_id])], district_id)
        self._sent_at[request_id.encode()] = (district_id, time.monotonic())
        self.publisher.flush()
        self.asked += 1

    def _look(self, timeout_s: float) -> None:
        messages = self._consumer.consume(5_000, timeout_s)
        now = time.monotonic()
        for message in messages:
            request_id, *what = (message.key() or b"").split(b"/")
            if what == [b"~end"]:
                self._ends.add(request_id)
            elif what and not what[0].startswith(b"~") and (sent := self._sent_at.pop(request_id, None)):
                self.took[sent[0]].append(now - sent[1])


def prove(run: Run, rows: int, asked: int) -> None:
    """The topics hold an outcome for each request, and what was planted of the batch. Raises WrongCount."""
    tail, counted = Tail(run), 0
    deadline = time.monotonic() + ANSWER_S
    wanted = Counter(
        {
            "request ACCEPTED": asked + 1,
            "end COMPLETE": asked + 1,
            "outcome IN_SYNC": asked,
            "outcome DIFFERS": rows // 50,
            "outcome MISSING_AT_STATE": (rows + 99) // 100,
        }
    )
    while time.monotonic() < deadline and (tail.counts - Counter(ChunkStatus=10**9)).total() < wanted.total():
        counted += sum(record.in_sync for record in tail.read(0.1) if isinstance(record, ChunkStatus))
    counted += sum(record.in_sync for record in tail.read(1.0) if isinstance(record, ChunkStatus))
    tail.close()
    compare({name: count for name, count in tail.counts.items() if name != "ChunkStatus"}, wanted, "on the topics")
    planted = rows - rows // 50 - (rows + 99) // 100
    if counted != planted:
        raise WrongCount(f"{counted} keys of the batch in sync instead of {planted}")
