"""Requests of single keys at a steady pace, and how long each waits for its outcome.

Outcomes are told by their records' keys alone, so that looking for them takes next to nothing.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from confluent_kafka import Consumer, TopicPartition

from bench.traffic import Publisher
from bench.world import PARTITIONS, Run

ANSWER_S = 60.0
LONGEST_S = 900.0


class Asking:
    """Of the districts in turn, so many a second of each; `keys` are what is asked for."""

    def __init__(self, run: Run, keys: Mapping[str, Iterator[int]]) -> None:
        self.publisher = Publisher(run)
        self.asked: list[int] = []
        self._keys = keys
        self._took: dict[str, list[float]] = {}
        self._sent_at: dict[bytes, tuple[str, float]] = {}
        self._ends: set[bytes] = set()
        self._consumer = Consumer(
            {
                "bootstrap.servers": run.settings.bootstrap_servers,
                "group.id": "bench-asking",
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
        """Seconds that each took, by district. Raises TimeoutError."""
        self._took = {district_id: [] for district_id in self._keys}
        districts = tuple(self._keys)
        began, number = time.monotonic(), 0
        while not is_over():
            if time.monotonic() > began + LONGEST_S:
                raise TimeoutError(f"it was not over after {LONGEST_S:.0f} s")
            while time.monotonic() < began + number / (len(districts) * per_s):
                self._look(0.001)
            self._ask(districts[number % len(districts)])
            number += 1
        deadline = time.monotonic() + ANSWER_S
        while self._sent_at:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self._sent_at)} requests of one key have no outcome after {ANSWER_S:.0f} s")
            self._look(0.01)
        return self._took

    def _ask(self, district_id: str) -> None:
        key = next(self._keys[district_id])
        request_id = self.publisher.publish([key], district_id)
        self._sent_at[request_id.encode()] = (district_id, time.monotonic())
        self.publisher.flush()
        self.asked.append(key)

    def _look(self, timeout_s: float) -> None:
        messages = self._consumer.consume(5_000, timeout_s)
        now = time.monotonic()
        for message in messages:
            request_id, *what = (message.key() or b"").split(b"/")
            if what == [b"~end"]:
                self._ends.add(request_id)
            elif what and not what[0].startswith(b"~") and (sent := self._sent_at.pop(request_id, None)):
                self._took[sent[0]].append(now - sent[1])


def time_is_up(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def percentiles_ms(seconds: Sequence[float], of: str = "") -> dict[str, float]:
    """The median, and what 99 of 100 did not exceed."""
    if not seconds:
        return {}
    p99 = sorted(seconds)[math.ceil(len(seconds) * 0.99) - 1]
    return {f"p50{of}": statistics.median(seconds) * 1000, f"p99{of}": p99 * 1000}
