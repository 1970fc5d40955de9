"""Records read ahead, a queue a partition, and the offsets that a batch of them stands for.

The inbox alone knows how far each partition has been read, taken and committed. Taking moves nothing at the broker:
the caller commits `offsets()` in its transaction and then reports `committed`, or `rewind`s after an abort.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from processor.adapters.kafka.committed import committed_offsets
from processor.adapters.kafka.membership import Membership, is_of_others
from processor.adapters.kafka.read_ahead import ENOUGH_RECORDS, RANKS, Partition, change_pauses, has_enough
from processor.adapters.kafka.received import received
from processor.service.records import Lane, Received

MAX_POLL_GAP_S = 0.5
"""Reading waits while enough is at hand, but never longer than this, since rebalances are served while reading."""
IDLE_COMMIT_EVERY_S = 0.5
AT_REST_EVERY_S = 5.0
"""How often partitions at rest go along with a transaction (ADR 0248); the log keeps records for far longer."""
CONFIRM_S = 0.5
LOOK_EVERY_S = 1.0


class ConsumerFatal(Exception):
    """The group's offsets left the log. Beginning anew would not help."""


def nothing() -> None:
    """Nothing to wait for on revocation."""


def ignore(_partitions: Iterable[int]) -> None:
    """Nothing to restore on assignment."""


def at_once(_record: Received) -> float:
    """A record that may be taken as soon as it is there."""
    return 0.0


@dataclass(frozen=True, slots=True)
class LaneLag:
    """`oldest_s`: since when the first waiting record may be taken, in Unix seconds; None where none waits."""

    records: int = 0
    oldest_s: float | None = None


class Inbox:
    """One consumer's partitions. Single-threaded: callbacks come from within `fill`."""

    def __init__(
        self,
        consumer: Consumer,
        lanes: Mapping[str, Lane],
        membership: Membership,
        *,
        on_assigned: Callable[[Iterable[int]], None] = ignore,
        on_revoked: Callable[[], None] = nothing,
        due_at_s: Callable[[Received], float] = at_once,
        enough: int = ENOUGH_RECORDS,
    ) -> None:
        """`on_assigned` is given the partition numbers after committed offsets are known and before any record is read.

        `on_revoked` is called before others are given what this member had. `due_at_s` says from when a record may be
        taken, in Unix seconds. `enough`: with so many records at hand, reading waits.
        """
        self._consumer = consumer
        self._enough = enough
        self._lanes = lanes
        self._membership = membership
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._due_at_s = due_at_s
        self._partitions: dict[tuple[str, int], Partition] = {}
        self._idle_commit_at = 0.0
        self._at_rest_at = 0.0
        self._idle_asked: list[TopicPartition] = []
        """Where the group was asked to be moved to, past all that was done with."""
        self._turn = 0
        self._polled_at = 0.0
        self._looked_at = 0.0
        self.generation = 0
        """Another one once all that was taken is read again, or is others': what is in hand of an older one is void."""
        self.lag: Mapping[Lane, LaneLag] = {}
        """As of the last look, at most `LOOK_EVERY_S` ago while the loop runs; may be read by other threads."""
        self._was_given_others = False
        self._has_joined_again = False
        self._subscribe()

    def fill(self, timeout_s: float) -> int:
        """Reads ahead what has arrived; waits up to `timeout_s` for the first record. Returns the number read.

        Assignments and revocations happen in here. Raises ConsumerFatal, ClientBroken.
        """
        if has_enough(self._partitions.values(), self._enough) and time.monotonic() < self._polled_at + MAX_POLL_GAP_S:
            return 0
        self._polled_at = time.monotonic()
        first = self._consumer.poll(timeout_s)
        self._membership.check()
        if self._was_given_others and not self._has_joined_again:
            self._join_again()
        messages = [] if first is None else [first, *self._consumer.consume(self._enough, 0)]
        for message in messages:
            self._take_in(message)
        self._pause_and_resume()
        if not messages and timeout_s:
            self._commit_idle()
        if self._polled_at > self._looked_at + LOOK_EVERY_S:
            self._looked_at = self._polled_at
            self._look_at_lag()
        return len(messages)

    def ready(self, now_s: float) -> Iterator[Received]:
        """Records that may be taken, by rank of lane, within a rank one of each partition in turn; see `take`."""
        self._turn += 1
        for rank in RANKS:
            turns = deque(p for p in self._partitions.values() if p.lane in rank and p.waiting)
            turns.rotate(self._turn)
            while turns:
                partition = turns.popleft()
                record = partition.waiting[0]
                if self._due_at_s(record) > now_s:
                    continue
                yield record
                if partition.waiting and partition.waiting[0] is not record:
                    turns.append(partition)

    def chunks(self, resting: Collection[int] = ()) -> Iterator[Received]:
        """Chunks of one partition that does not rest and has none in hand: of the one longest without a turn."""
        free = [
            p
            for (_, number), p in self._partitions.items()
            if p.lane is Lane.CHUNKS and p.waiting and p.taken is None and number not in resting
        ]
        if not free:
            return
        self._turn += 1
        partition = min(free, key=lambda p: p.turn)
        partition.turn = self._turn
        while partition.waiting:
            record = partition.waiting[0]
            yield record
            if partition.waiting and partition.waiting[0] is record:
                return

    def take(self, record: Received) -> None:
        """Takes the record that `ready` has just given; one not taken ends its partition's turn."""
        partition = self._partitions[record.topic, record.partition]
        partition.waiting.popleft()
        partition.waiting_bytes -= len(record.value or b"")
        partition.taken = record.offset + 1

    def waits(self, lane: Lane, partition: int) -> bool:
        """Whether records of a lane's partition are yet to be taken, or taken and not yet done with."""
        return any(
            each.lane is lane and (bool(each.waiting) or each.taken is not None)
            for (_topic, number), each in self._partitions.items()
            if number == partition
        )

    def next_due_s(self) -> float | None:
        """When the first waiting record that is no chunk may be taken, in Unix seconds; None where none waits."""
        waiting = (p for p in self._partitions.values() if p.waiting and p.lane is not Lane.CHUNKS)
        return min((self._due_at_s(p.waiting[0]) for p in waiting), default=None)

    def offsets(self, chunks_of: int | None = None) -> list[TopicPartition]:
        """Where the group stands once all that was taken is done with: chunks of a partition, or all but chunks."""
        return [TopicPartition(topic, number, taken) for topic, number, taken in self._taken(chunks_of)]

    def at_rest(self, moved: Collection[TopicPartition]) -> list[TopicPartition]:
        """Where partitions with nothing waiting and nothing taken may be moved, past transaction markers; now and then.

        For a caller that commits `offsets()` anyway, in the same transaction: while records keep coming on others the
        loop is never idle, and the group would stay before such a marker until it has left the log. `moved` are places
        that a transaction under way, this one or a later one, names: where it would undo this, nothing is told of.
        """
        now_s = time.monotonic()
        if now_s < self._at_rest_at:
            return []
        self._at_rest_at = now_s + AT_REST_EVERY_S
        named = {(place.topic, place.partition) for place in moved}
        return [place for place in self._past_markers() if (place.topic, place.partition) not in named]

    def committed(self, offsets: Iterable[TopicPartition]) -> None:
        """What `offsets` told is done with, though more may have been taken since."""
        for place in offsets:
            partition = self._partitions[place.topic, place.partition]
            partition.committed = place.offset
            if partition.taken == place.offset:
                partition.taken = None

    def rewind(self) -> None:
        """Drops all that was read and goes back to what was committed. Asks no broker: one may be away."""
        self.generation += 1
        places = [TopicPartition(t, n, p.committed) for (t, n), p in self._partitions.items()]
        self._partitions = {(p.topic, p.partition): self._from(p) for p in places}
        for place in places:
            self._consumer.seek(place)
        self._consumer.resume(places)

    def close(self) -> None:
        self._consumer.close()

    def _subscribe(self) -> None:
        self._consumer.subscribe(
            list(self._lanes), on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke
        )

    def _join_again(self) -> None:
        """Once: while a change of topics goes round, members may read different ones for good reasons."""
        self._has_joined_again = True
        self._consumer.unsubscribe()
        self._subscribe()

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._was_given_others = is_of_others(partitions, self._lanes)
        partitions = [each for each in partitions if each.topic in self._lanes]
        offsets = self._committed_offsets(partitions)
        self._on_assigned(sorted({p.partition for p in partitions}))
        self.generation += 1
        self._partitions = {(o.topic, o.partition): self._from(o) for o in offsets}
        consumer.assign(offsets)
        consumer.resume(offsets)  # a pause outlives the assignment that it was made in
        self._membership.given()

    def _from(self, place: TopicPartition) -> Partition:
        """A partition of which all before the offset is done with, and nothing is read."""
        return Partition(self._lanes[place.topic], committed=place.offset)

    def _revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._membership.taken()
        self.generation += 1
        for p in partitions:
            self._partitions.pop((p.topic, p.partition), None)
        self._on_revoked()

    def _taken(self, chunks_of: int | None) -> list[tuple[str, int, int]]:
        return [
            (topic, number, p.taken)
            for (topic, number), p in self._partitions.items()
            if p.taken is not None and (number if p.lane is Lane.CHUNKS else None) == chunks_of
        ]

    def _committed_offsets(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """The group's offsets, where no transaction is open on them; the beginning where it has none yet."""
        if not partitions:
            return []
        offsets = committed_offsets(self._consumer, partitions)
        for offset in offsets:
            if offset.offset < 0:
                offset.offset = OFFSET_BEGINNING
        return offsets

    def _take_in(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            self._raise_if_final(error, message)
            return
        topic, number = message.topic() or "", message.partition() or 0
        partition = self._partitions.get((topic, number))
        if partition is None:
            return
        record = received(message, partition.lane)
        partition.waiting.append(record)
        partition.waiting_bytes += len(record.value or b"")

    def _raise_if_final(self, error: KafkaError, message: Message) -> None:
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise ConsumerFatal(
                f"{message.topic()}[{message.partition()}]: the group's offset is no longer in the log"
                f" ({error.str()}); records were lost or the topic was made anew. Find out why, then set the group's"
                " offset with kafka-consumer-groups and start again"
            )
        self._membership.check_error(error)

    def _pause_and_resume(self) -> None:
        pause, resume = change_pauses(self._partitions)
        if pause:
            self._consumer.pause([TopicPartition(topic, number) for topic, number in pause])
        if resume:
            self._consumer.resume([TopicPartition(topic, number) for topic, number in resume])

    def _look_at_lag(self) -> None:
        """From what fetches told last: asks no broker."""
        found = {lane: LaneLag() for lane in self._lanes.values()}
        for (topic, number), partition in self._partitions.items():
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, number), cached=True)
            behind = max(0, high - (partition.committed if partition.committed >= 0 else low))
            sofar = found[partition.lane]
            since = [sofar.oldest_s, self._due_since(partition)]
            oldest_s = min((each for each in since if each is not None), default=None)
            found[partition.lane] = LaneLag(sofar.records + behind, oldest_s)
        self.lag = found

    def _due_since(self, partition: Partition) -> float | None:
        if not partition.waiting:
            return None
        first = partition.waiting[0]
        return max(first.timestamp_s, self._due_at_s(first))

    def _commit_idle(self) -> None:
        """Moves the group past transaction markers, which end every input and would leave a lag of 1 for ever.

        Nobody waits for the broker's word, since a client that has lost its coordinator may wait without end (ADR
        0175): it is asked the next time, for a moment, and what was not committed then is committed again. While there
        is load, `at_rest` moves them with a transaction.
        """
        if time.monotonic() < self._idle_commit_at:
            return
        self._idle_commit_at = time.monotonic() + IDLE_COMMIT_EVERY_S
        self._confirm_idle()
        self._idle_asked = self._past_markers()
        if self._idle_asked:
            self._consumer.commit(offsets=self._idle_asked, asynchronous=True)

    def _past_markers(self) -> list[TopicPartition]:
        """Of partitions with nothing waiting and nothing taken: their position is past all that was committed.

        There is none, a negative number, from a rewind on until something is read.
        """
        idle = [TopicPartition(t, n) for (t, n), p in self._partitions.items() if not p.waiting and p.taken is None]
        return [
            position
            for position in (self._consumer.position(idle) if idle else ())
            if position.offset > max(0, self._partitions[position.topic, position.partition].committed)
        ]

    def _confirm_idle(self) -> None:
        asked = [place for place in self._idle_asked if (place.topic, place.partition) in self._partitions]
        if not asked:
            return
        try:
            told = self._consumer.committed(asked, CONFIRM_S)
        except KafkaException as exception:
            self._membership.check_error(exception.args[0])
            return
        for place in told:
            if place.error is None:
                partition = self._partitions[place.topic, place.partition]
                partition.committed = max(partition.committed, place.offset)
