"""How far groups are behind their topics, asked of the broker by somebody who is in none of them.

The age of a lag is that of the record at the group's committed offset, which is read outside any group and kept until
the offset moves, so a group that stands still costs no reading.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass
from math import inf
from time import monotonic, sleep
from typing import Any, TypeAlias, TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
    admin,
)
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from processor import metrics
from processor.adapters.kafka.broker import ANSWER_S, Broker
from processor.service.client_ports import Unreachable
from processor.service.monitor import GroupLag, Look
from processor.settings import Settings

T = TypeVar("T")
Place: TypeAlias = tuple[str, int]

_SPEC: Any = vars(admin)["OffsetSpec"]
READ_S = 3.0
SETTLING_S, AGAIN_S = 3.0, 0.1


@dataclass(frozen=True, slots=True)
class Watched:
    """A role's group, and the topics that it reads: the broker's name to the metrics' one, which several may share."""

    role: str
    group: str
    topics: Mapping[str, str]


def watched_groups(settings: Settings, requests: Iterable[str]) -> tuple[Watched, ...]:
    """Those of the three roles. `requests`: every request topic."""
    topics = settings.topics
    lanes = {getattr(topics, name): name for name in ("chunks", "retry", "answers")}
    return (
        Watched(metrics.PROCESS, settings.group("process"), {**dict.fromkeys(requests, "requests"), **lanes}),
        Watched(metrics.APPLY, settings.watched_applier_group, {topics.corrections: "corrections"}),
        Watched(metrics.STORE, settings.group("store"), {topics.history: "history"}),
    )


@dataclass(frozen=True, slots=True)
class Stand:
    """Of a group in a partition: the log's first offset and its end, and what the group committed, if anything."""

    low: int
    high: int
    committed: int | None


class GroupLags:
    """`options` are librdkafka's; `partitions` by the broker's name of the topic.

    `dead_letters`: the topic whose end a look tells, one of `partitions` too.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        watched: Sequence[Watched],
        partitions: Mapping[str, int],
        dead_letters: str | None = None,
    ) -> None:
        self._watched = watched
        self._partitions = partitions
        self._dead_letters = [(dead_letters, n) for n in range(partitions[dead_letters])] if dead_letters else []
        self._names = {topic: label for each in watched for topic, label in each.topics.items()}
        self._broker = Broker(options)
        self._admin = AdminClient(self._broker.options)
        self._consumer = Consumer(
            {
                **self._broker.options,
                "isolation.level": "read_uncommitted",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "queued.min.messages": 1,
                "queued.max.messages.kbytes": 4_096,
                "group.id": "resync-monitor",
                "group.protocol": "classic",
            }
        )
        self._written_at: dict[tuple[str, Place], tuple[int, int, float | None]] = {}

    def look(self) -> Look:
        """Raises Unreachable."""
        try:
            return self._look()
        except Unreachable:
            # After a broker's restart a client may keep the partitions' old leader epochs for minutes, and is refused
            # (FENCED_LEADER_EPOCH) for as long; a new one asks for them first.
            self._admin = AdminClient(self._broker.options)
            raise

    def _look(self) -> Look:
        wanted = {key: (max(s.low, s.committed or 0), s.high) for key, s in self.stands().items()}
        self._date({key: ends for key, ends in wanted.items() if ends[0] < ends[1]})
        lags = {
            (each.role, label): self._lag(each, label, wanted)
            for each in self._watched
            for label in each.topics.values()
        }
        return Look(self._members(), lags, self._retention(), self._dead_letters_end())

    def stands(self) -> "dict[tuple[str, Place], Stand]":
        """By group and partition. Raises Unreachable."""
        places = [(topic, number) for topic in self._names for number in range(self._partitions[topic])]
        low = self._offsets(places, _SPEC.earliest())
        high = self._offsets(places, _SPEC.latest())
        committed = {each.group: self._committed(each.group) for each in self._watched}
        return {
            (each.group, place): Stand(low[place], high[place], committed[each.group].get(place))
            for each in self._watched
            for place in places
            if place[0] in each.topics
        }

    def _dead_letters_end(self) -> int | None:
        if not self._dead_letters:
            return None
        return sum(self._offsets(self._dead_letters, _SPEC.latest()).values())

    def close(self) -> None:
        self._consumer.close()

    def _lag(self, of: Watched, label: str, wanted: Mapping[tuple[str, Place], tuple[int, int]]) -> GroupLag:
        """Of all topics that the metrics know by this name."""
        records, times = 0, []
        for (group, place), (at, high) in wanted.items():
            if group != of.group or of.topics.get(place[0]) != label:
                continue
            records += max(0, high - at)
            dated = self._written_at.get((group, place))
            if dated is not None and dated[2] is not None:
                times.append(dated[2])
        return GroupLag(records, min(times, default=None))

    def _date(self, behind: Mapping[tuple[str, Place], tuple[int, int]]) -> None:
        """Finds when the first record at or after each offset was written; none where only markers follow."""
        kept = {}
        for key, (at, high) in behind.items():
            known = self._written_at.get(key)
            if known is not None and known[0] == at and (known[2] is not None or known[1] == high):
                kept[key] = known
        asked = {key: ends for key, ends in behind.items() if key not in kept}
        self._written_at = kept
        # A topic belongs to one group, so a place is asked for once.
        unread = {place: (group, at, high) for (group, place), (at, high) in asked.items()}
        if not unread:
            return
        self._consumer.assign([TopicPartition(*place, at) for place, (_, at, _) in unread.items()])
        until = monotonic() + READ_S
        while unread and monotonic() < until:
            for message in self._consumer.consume(500, 0.2):
                error = message.error()
                place = message.topic() or "", message.partition() or 0
                if place not in unread or (error is not None and error.code() != KafkaError._PARTITION_EOF):
                    continue
                group, at, high = unread.pop(place)
                written_at = None if error is not None else message.timestamp()[1] / 1000
                self._written_at[group, place] = at, high, written_at
        self._consumer.unassign()

    def _offsets(self, places: Sequence[Place], spec: Any) -> dict[Place, int]:  # noqa: ANN401 (the client's)
        """Asked again for a while: a topic that was just made may have no leader yet."""
        until = monotonic() + SETTLING_S
        while True:
            try:
                return self._ask_offsets(places, spec)
            except Unreachable as fault:
                cause = fault.__cause__
                passes = isinstance(cause, KafkaException) and cause.args[0].retriable()
                if not passes or monotonic() > until:
                    raise
            sleep(AGAIN_S)

    def _ask_offsets(self, places: Sequence[Place], spec: Any) -> dict[Place, int]:  # noqa: ANN401
        wanted = {TopicPartition(*place): spec for place in places}
        asked = self._admin.list_offsets(
            wanted, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=ANSWER_S
        )
        return {(place.topic, place.partition): self._answer(future).offset for place, future in asked.items()}

    def _committed(self, group: str) -> dict[Place, int]:
        asked = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group)], require_stable=False, request_timeout=ANSWER_S
        )
        found = self._answer(asked[group]).topic_partitions
        return {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

    def _members(self) -> dict[str, int]:
        asked = self._admin.describe_consumer_groups([w.group for w in self._watched], request_timeout=ANSWER_S)
        return {w.role: self._count_members(asked[w.group]) for w in self._watched}

    def _count_members(self, future: "Future[Any]") -> int:
        """A group that nobody ever joined is no group to the broker."""
        try:
            return len(self._answer(future).members)
        except _Unknown:
            return 0

    def _retention(self) -> dict[str, float]:
        resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in self._names]
        kept: dict[str, float] = {}
        for resource, future in self._admin.describe_configs(resources, request_timeout=ANSWER_S).items():
            entries = self._answer(future)
            limit_ms = int(entries["retention.ms"].value)
            if limit_ms > 0 and "delete" in entries["cleanup.policy"].value:
                label = self._names[resource.name]
                kept[label] = min(limit_ms / 1000, kept.get(label, inf))
        return kept

    def _answer(self, future: "Future[T]") -> T:
        try:
            return future.result(ANSWER_S + 1)
        except NoAnswer as fault:
            raise self._broker.unreachable(KafkaError(KafkaError._TIMED_OUT)) from fault
        except KafkaException as fault:
            error: KafkaError = fault.args[0]
            if error.code() == KafkaError.GROUP_ID_NOT_FOUND:
                raise _Unknown from fault
            raise self._broker.unreachable(error) from fault


class _Unknown(Unreachable):
    """The broker knows no such group."""
