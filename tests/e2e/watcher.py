"""What is committed on a deployment's topics, read as any outsider would."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeAlias

from confluent_kafka import Consumer, KafkaError, TopicPartition

from processor.codec import Codec, DecodeError
from processor.core.chunk import Chunk
from processor.core.correction import Answer, Correction
from processor.core.history import (
    OPEN_STATUSES,
    ChunkState,
    ChunkStatus,
    KeyOutcome,
    Parked,
    RequestEnd,
    RequestState,
    RequestStatus,
)
from processor.core.ids import split_record_key
from processor.service.history_changes import HISTORY_TYPES
from processor.settings import Topics

Told: TypeAlias = RequestStatus | KeyOutcome | ChunkStatus | RequestEnd | Parked
_ENDS = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._AUTO_OFFSET_RESET})  # noqa: SLF001 librdkafka's own


@dataclass(frozen=True, slots=True)
class DeadLetter:
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]


@dataclass(slots=True)
class Story:
    """All that history says of one request, in order."""

    request_id: str
    status: RequestStatus | None = None
    outcomes: dict[tuple[str, str], list[KeyOutcome]] = field(default_factory=dict)
    chunks: dict[str, ChunkStatus] = field(default_factory=dict)
    ends: list[RequestEnd] = field(default_factory=list)
    parked: dict[str, Chunk] = field(default_factory=dict)
    """Chunks that wait until the request is decided upon."""
    statuses: list[RequestStatus] = field(default_factory=list)
    _waiting: set[tuple[str, str]] = field(default_factory=set)
    _asked: int = 0

    def tell(self, record: Told) -> None:
        match record:
            case RequestStatus():
                self.status = record
                self.statuses.append(record)
            case Parked(chunk=chunk):
                self.parked[chunk.chunk] = chunk
            case KeyOutcome():
                key = (record.object, record.key)
                told = self.outcomes.setdefault(key, [])
                self._asked += not told and record.asked_as is not None
                told.append(record)
                (self._waiting.add if record.status in OPEN_STATUSES else self._waiting.discard)(key)
            case ChunkStatus():
                self.chunks[record.chunk] = record
            case RequestEnd():
                self.ends.append(record)

    def has_ended(self) -> bool:
        """By the rule of the design, derived here from the records alone."""
        if self.status is None or self.status.state is RequestState.REJECTED:
            return self.status is not None
        if self._waiting or self.parked or any(chunk.state is ChunkState.PENDING for chunk in self.chunks.values()):
            return False
        return self._asked + sum(chunk.in_sync for chunk in self.chunks.values()) >= self.status.keys

    def last(self, key: object, object_name: str | None = None) -> KeyOutcome:
        [found] = [
            told[-1] for (name, text), told in self.outcomes.items() if text == str(key) and object_name in (None, name)
        ]
        return found

    def counts(self) -> Counter[str]:
        """STATUS, or STATUS REASON, of the keys asked for."""
        return Counter(said(told[-1]) for told in self.outcomes.values() if told[-1].asked_as is not None)


def said(outcome: KeyOutcome) -> str:
    return outcome.status if outcome.reason is None else f"{outcome.status} {outcome.reason}"


class Watcher:
    """Reads on when asked to; keeps everything."""

    def __init__(self, client: Mapping[str, Any], topics: Topics, codec: Codec, partitions: Mapping[str, int]) -> None:
        self._topics, self._codec = topics, codec
        self._consumer = Consumer(
            {
                **client,
                "group.id": "e2e-watcher",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
            }
        )
        self._consumer.assign([TopicPartition(t, p, 0) for t, count in partitions.items() for p in range(count)])
        self.stories: dict[str, Story] = {}
        self.corrections: list[Correction] = []
        self.answers: list[Answer] = []
        self.dead_letters: list[DeadLetter] = []
        self.unreadable = 0
        self._open: set[str] = set()

    def close(self) -> None:
        self._consumer.close()

    def poll(self, timeout_s: float = 0.1) -> int:
        messages = self._consumer.consume(2_000, timeout_s)
        touched: dict[str, Story] = {}
        for message in messages:
            error = message.error()
            if error is None:
                touched |= {story.request_id: story for story in self._keep(message)}
            elif error.fatal() or error.code() in _ENDS:
                raise AssertionError(f"the watcher's consumer: {error}")
        for story in touched.values():
            (self._open.discard if story.has_ended() else self._open.add)(story.request_id)
        return len(messages)

    def has_reached(self, ends: Mapping[tuple[str, int], int]) -> bool:
        """Whether all before these offsets has been read."""
        reached = self._consumer.position([TopicPartition(topic, number) for topic, number in ends])
        return all(at.offset >= ends[at.topic, at.partition] or not ends[at.topic, at.partition] for at in reached)

    def until(
        self, condition: Callable[[], object], what: str, timeout_s: float = 30.0, *, poll_s: float = 0.1
    ) -> float:
        """Reads until the condition holds; returns how long that took in seconds."""
        started = monotonic()
        while not condition():
            if monotonic() - started > timeout_s:
                raise AssertionError(f"{what} did not come within {timeout_s:g} s")
            self.poll(poll_s)
        return monotonic() - started

    def until_ended(self, request_ids: Iterable[str], timeout_s: float = 30.0) -> float:
        wanted = set(request_ids)
        started = monotonic()
        while missing := {r for r in wanted if r in self._open or r not in self.stories}:
            if monotonic() - started > timeout_s:
                raise AssertionError(f"not ended after {timeout_s:g} s: {self._describe(missing)}")
            self.poll()
        return monotonic() - started

    def story(self, request_id: str) -> Story:
        """One of which nothing is told yet is open."""
        if request_id not in self.stories:
            self.stories[request_id] = Story(request_id)
            self._open.add(request_id)
        return self.stories[request_id]

    def _describe(self, request_ids: Iterable[str]) -> str:
        lines = [
            f"{r}: {(s := self.story(r)).status and s.status.keys} keys, {dict(s.counts())}, chunks "
            f"{dict(Counter(str(c.state) for c in s.chunks.values()))}"
            for r in sorted(request_ids)[:5]
        ]
        return "; ".join(lines)

    def _keep(self, message: Any) -> list[Story]:
        """The stories that the record adds to."""
        topic, value = message.topic(), message.value()
        if topic == self._topics.dead_letters:
            self.dead_letters.append(DeadLetter(message.key(), value, dict(message.headers() or ())))
            return []
        if value is None and topic == self._topics.history:
            return self._take_away(message.key())
        try:
            record = self._codec.decode(value, (Correction, Answer, *HISTORY_TYPES)) if value is not None else None
        except DecodeError:
            self.unreadable += 1
            return []
        match record:
            case Correction():
                self.corrections.append(record)
            case Answer():
                self.answers.append(record)
            case RequestStatus() | KeyOutcome() | ChunkStatus() | RequestEnd() | Parked():
                return [self._tell(record)]
        return []

    def _take_away(self, key: bytes) -> list[Story]:
        match split_record_key(key.decode()):
            case (request_id, "~held", chunk):
                story = self.story(request_id)
                story.parked.pop(chunk, None)
                return [story]
        return []

    def _tell(self, record: Told) -> Story:
        match record:
            case RequestStatus(request=origin) | Parked(chunk=origin):
                story = self.story(origin.request_id)
            case _:
                story = self.story(record.request_id)
        story.tell(record)
        return story
