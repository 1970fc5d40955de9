"""Requests followed on the history topic alone: their partitions are read outside any group."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from processor.adapters.kafka.broker import ANSWER_S, Broker
from processor.codec import DecodeError
from processor.core.history import (
    OPEN_STATUSES,
    ChunkState,
    ChunkStatus,
    Cleared,
    HistoryRecord,
    KeyOutcome,
    RequestEnd,
    RequestState,
    RequestStatus,
    Status,
)
from processor.core.partition import partition_of
from processor.service.client_ports import NotSetUp
from processor.service.follow import (
    MOST_NOTED,
    ClearedResult,
    NotedOutcome,
    RequestResult,
    Standing,
)

_READING: Mapping[str, Any] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 100,
}


class TopicFollower:
    """Reads from the beginning, unless `from_now` was called before the requests were sent.

    A request's end is announced by the store (RequestEnd); without a running store only a rejection is seen.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        topic: str,
        request_ids: Sequence[str],
        decode: Callable[[bytes], HistoryRecord],
    ) -> None:
        self._topic = topic
        self._decode = decode
        self._seen = {request_id.encode(): _Seen(request_id) for request_id in request_ids}
        self._broker = Broker(options)
        self._consumer = Consumer(
            {**self._broker.options, **_READING, "group.id": f"{topic}-follow", "group.protocol": "classic"}
        )
        partitions = self._count_partitions()
        self._places = [
            TopicPartition(topic, partition, 0)
            for partition in sorted({partition_of(request_id, partitions) for request_id in request_ids})
        ]
        self._is_assigned = False

    def from_now(self) -> None:
        """Records from before this moment are not read."""
        for place in self._places:
            place.offset = self._end(place)

    def standings(self, wait_s: float) -> Mapping[str, Standing]:
        if not self._is_assigned:
            self._consumer.assign(self._places)
            self._is_assigned = True
        deadline = monotonic() + max(wait_s, 0.1)
        while (left_s := deadline - monotonic()) > 0:
            messages = self._consumer.consume(500, min(left_s, 0.1))
            for message in messages:
                self._take(message)
            if not messages and self._all_ended():  # an id may have been used again after an end
                break
        return {seen.request_id: seen.standing for seen in self._seen.values()}

    def results(self) -> Sequence[RequestResult | ClearedResult]:
        return [seen.result for seen in self._seen.values() if seen.result is not None]

    def close(self) -> None:
        self._consumer.close()

    def _all_ended(self) -> bool:
        return all(seen.standing.has_ended for seen in self._seen.values())

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._ALL_BROKERS_DOWN:
                raise self._broker.unreachable(error)
            return
        value = message.value()
        headers = cast("Iterable[tuple[str, bytes | None]]", message.headers() or ())
        seen = self._seen.get(next((text for name, text in headers if name == "request_id"), None) or b"")
        if value is None or seen is None:
            return
        with suppress(DecodeError):  # as the store does: what is no history is passed over
            seen.add(self._decode(value))

    def _count_partitions(self) -> int:
        """A consumer does not create the topic that it asks for."""
        found = self._ask(lambda: self._consumer.list_topics(self._topic, ANSWER_S)).topics[self._topic]
        if found.error is not None or not found.partitions:
            raise NotSetUp(f"Kafka at {self._broker.servers} has no topic {self._topic}: run `resync topics create`")
        return len(found.partitions)

    def _end(self, place: TopicPartition) -> int:
        extent: tuple[int, int] = self._ask(lambda: self._consumer.get_watermark_offsets(place, ANSWER_S))
        return extent[1]

    def _ask(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401
        try:
            return call()
        except KafkaException as fault:
            self._consumer.poll(0)
            raise self._broker.unreachable(fault.args[0]) from fault


class _Seen:
    """What was read of one request. Memory does not grow with its keys, so settled keys are counted, not known.

    One id may stand for requests of several districts (ADR 0140): the last status says whose it is now.
    """

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.result: RequestResult | ClearedResult | None = None
        self._known = Standing()
        self._by_district: defaultdict[str, _Noted] = defaultdict(_Noted)

    @property
    def standing(self) -> Standing:
        return replace(self._known, settled=self._by_district[self._known.district_id].settled)

    def add(self, record: HistoryRecord) -> None:
        match record:
            case RequestStatus():
                asked = record.request
                # One that is cancelled goes on until nothing of it is open, which its end tells.
                is_cancelled = record.state is RequestState.CANCELLED
                self._known = replace(
                    self._known,
                    state=RequestState.ACCEPTED if is_cancelled else record.state,
                    keys=record.keys,
                    district_id=asked.district_id,
                    object=asked.object,
                    detail=record.detail,
                    planned=record.planned if record.state is RequestState.HELD else None,
                )
                if record.state is RequestState.REJECTED:
                    self._end(
                        RequestEnd(
                            asked.request_id, asked.district_id, asked.object, record.state, record.reason,
                            record.detail, (), None, None,
                        )
                    )  # fmt: skip
            case ChunkStatus() if record.state is ChunkState.DONE:
                self._by_district[record.district_id].count(record.in_sync)
            case KeyOutcome() if record.status not in OPEN_STATUSES:
                self._by_district[record.district_id].add(record)
            case RequestEnd() if record.district_id == self._known.district_id:
                self._end(record)
            case Cleared():
                self._known = replace(self._known, cleared=True, district_id=record.district_id, object=record.object)
                self.result = ClearedResult(record.request_id, record.cleared_by, record.cleared_at)

    def _end(self, end: RequestEnd) -> None:
        self._known = replace(self._known, state=end.state)
        keys = self._known.keys or sum(count.keys for count in end.counts)
        noted = self._by_district[end.district_id]
        self.result = RequestResult(
            end.request_id, end.district_id, end.object, end.state, end.reason, end.detail, keys,
            end.counts, noted.outcomes(), noted.only_counted,
        )  # fmt: skip


class _Noted:
    """Settled keys of one district, by number, and some of them in full: failures before others."""

    def __init__(self) -> None:
        self.settled = 0
        self.only_counted = 0
        self._failed: dict[tuple[str, str], NotedOutcome] = {}
        self._others: dict[tuple[str, str], NotedOutcome] = {}

    def add(self, outcome: KeyOutcome) -> None:
        """The last outcome of a key counts, so an earlier one of it goes."""
        self.settled += 1
        place = (outcome.object, outcome.key)
        self._failed.pop(place, None)
        self._others.pop(place, None)
        noted = self._failed if outcome.status is Status.FAILED else self._others
        if len(noted) < MOST_NOTED:
            noted[place] = NotedOutcome(
                outcome.object, outcome.key, outcome.asked_as, outcome.status, outcome.reason, outcome.detail,
                outcome.changed_fields, outcome.parent,
            )  # fmt: skip

    def count(self, in_sync: int) -> None:
        """Keys that have no outcome."""
        self.settled += in_sync
        self.only_counted += in_sync

    def outcomes(self) -> tuple[NotedOutcome, ...]:
        return tuple([*self._failed.values(), *self._others.values()][:MOST_NOTED])
