"""Ids of work already taken on, so that a request repeated within the window does nothing new.

The topic `resync.accepted` is the truth; this is its bounded copy in memory for the partitions that a process owns.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from operator import itemgetter

from confluent_kafka import Consumer, KafkaError, TopicPartition

from processor.adapters.kafka.history_topic import TopicFacts
from processor.service.history_ports import StoreUnavailable

PATIENCE_S = 60.0
"""Without any progress: a busy day's ids may take longer than this on a slow machine."""
RETRY_S = 0.1


class AcceptedIds:
    """At most `max_ids` ids, none older than `window_s`; the oldest go first."""

    def __init__(self, window_s: float, max_ids: int, clock: Callable[[], float] = time.time) -> None:
        self._window_s = window_s
        self._max_ids = max_ids
        self._clock = clock
        self._seen_at: dict[bytes, float] = {}
        self.since_s = 0.0
        """Unix seconds: ids taken on before were not there to be restored, or had to make room."""

    def __contains__(self, accepted_id: object) -> bool:
        seen_at = self._seen_at.get(accepted_id) if isinstance(accepted_id, bytes) else None
        return seen_at is not None and seen_at > self._clock() - self._window_s

    def __len__(self) -> int:
        return len(self._seen_at)

    def update(self, accepted_ids: Iterable[bytes]) -> None:
        """Takes in what a batch took on: it has one time, which is held once."""
        now = self._clock()
        for accepted_id in accepted_ids:
            self._seen_at.pop(accepted_id, None)
            self._seen_at[accepted_id] = now
        self._forget(now - self._window_s)

    def _forget(self, horizon: float) -> None:
        """In one pass: a dictionary looks for its first item behind all that were deleted before it, each time."""
        surplus, gone = len(self._seen_at) - self._max_ids, list[bytes]()
        for accepted_id, taken_on_at in self._seen_at.items():
            if taken_on_at > horizon:
                if len(gone) >= surplus:
                    break
                self.know_since(taken_on_at)  # for want of room
            gone.append(accepted_id)
        for accepted_id in gone:
            del self._seen_at[accepted_id]

    def restore(self, found: Iterable[tuple[bytes, float]]) -> None:
        """Replaces all by ids with the Unix seconds they were taken on, in any order."""
        self._seen_at.clear()
        self.since_s = self._clock() - self._window_s
        for accepted_id, seen_at in found:
            self._seen_at[accepted_id] = seen_at
            if len(self._seen_at) > 2 * self._max_ids:
                self._keep_newest()
        self._keep_newest()

    def _keep_newest(self) -> None:
        newest = sorted(self._seen_at.items(), key=itemgetter(1))
        if len(newest) > self._max_ids:
            newest = newest[-self._max_ids :]
            self.know_since(newest[0][1])
        self._seen_at = dict(newest)

    def know_since(self, at_s: float) -> None:
        """What was taken on before may be missing."""
        self.since_s = max(self.since_s, at_s)

    @property
    def max_ids(self) -> int:
        return self._max_ids


class AcceptedReader:
    """Restores the ids of partitions on assignment.

    `alive` is called each time something may have come; what it raises ends restoring.
    """

    def __init__(
        self, consumer: Consumer, facts: TopicFacts, window_s: float, ids: AcceptedIds, alive: Callable[[], None]
    ) -> None:
        self._consumer = consumer
        self._facts = facts
        self._topic = facts.topic
        self._window_s = window_s
        self._ids = ids
        self._alive = alive

    def restore(self, partitions: Iterable[int]) -> None:
        """Replaces the ids by those of `partitions`, up to the end of the topic as it is now.

        Called after the group's committed offsets were read and before the first request: whatever those offsets
        are past is then among the ids. The end is the high watermark, open transactions included, while records are
        read committed, so a transaction of a former owner is waited for. Raises StoreUnavailable after a minute in
        which nothing came of what is yet to be read.
        """
        self._ids.restore(self._read(list(partitions)))

    def _read(self, partitions: list[int]) -> Iterator[tuple[bytes, float]]:
        ends, starts, cut_off = self._bounds(partitions)
        unread = {s.partition: ends[s.partition] for s in starts if s.offset < ends[s.partition]}
        self._consumer.assign([s for s in starts if s.partition in unread])
        deadline = time.monotonic() + PATIENCE_S
        while unread:
            self._alive()
            self._check(deadline, unread)
            is_further = False
            for message in self._consumer.consume(10_000, 0.05):
                error = message.error()
                number, offset = message.partition() or 0, message.offset() or 0
                if error is None:
                    is_further = is_further or number in unread
                    key = message.key()
                    if key is not None:
                        taken_on_at = message.timestamp()[1] / 1000
                        if number in cut_off:
                            cut_off.discard(number)
                            self._ids.know_since(taken_on_at)
                        yield key, taken_on_at
                    offset += 1
                elif error.code() != KafkaError._PARTITION_EOF:
                    continue
                if number in unread and offset >= unread[number]:
                    del unread[number]
            if is_further:
                deadline = time.monotonic() + PATIENCE_S
        if cut_off:  # and there was nothing beyond
            self._ids.know_since(time.time())
        self._consumer.unassign()

    def _check(self, deadline: float, unread: Iterable[int]) -> None:
        if time.monotonic() > deadline:
            raise StoreUnavailable(
                f"{self._topic}, partitions {sorted(unread)}: not read to the end, and nothing came for"
                f" {PATIENCE_S:.0f} s; if the brokers are well, a transaction may hang there"
                " (kafka-transactions.sh find-hanging)"
            )

    def close(self) -> None:
        self._consumer.close()

    def _bounds(self, partitions: list[int]) -> tuple[dict[int, int], list[TopicPartition], set[int]]:
        """Ends and starts of what is to be read, and where that is not the whole window.

        A broker that has just come back may not yet know its partitions.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self._alive()
            try:
                ends = {p: extent.high for p, extent in self._facts.extents(partitions).items()}
                return ends, *self._starts({p: end for p, end in ends.items() if end > 0})
            except StoreUnavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_S)

    def _starts(self, ends: dict[int, int]) -> tuple[list[TopicPartition], set[int]]:
        """As far back as the window goes, but no further than what can be kept: an id and, at most, a marker for it.

        That may be fewer ids than can be kept: some stand there several times, others were aborted. Asked for
        uncommitted: what a transaction holds open may be all that there is of the window.
        """
        since = datetime.fromtimestamp(time.time() - self._window_s, UTC)
        found = self._facts.offsets_at(ends, since)
        nearest = {partition: ends[partition] - 2 * self._ids.max_ids for partition in found}
        starts = [TopicPartition(self._topic, p, max(offset, nearest[p])) for p, offset in found.items()]
        return starts, {p for p, offset in found.items() if offset < nearest[p]}
