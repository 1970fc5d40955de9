"""What people's commands send, by a producer that returns when the broker has it.

It is not an idempotent one: that has to have an id of the broker's first, which often takes half a second more (ADR
0241), and a request or a wish that is written twice is taken on once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from processor.adapters.kafka.broker import ANSWER_S, Broker
from processor.codec import Codec
from processor.codec.history import Headers, control_key, headers_of
from processor.core.history import Clear, Order
from processor.core.partition import partition_of
from processor.core.request import Request
from processor.service.client_ports import Unreachable


@dataclass(frozen=True, slots=True)
class _Record:
    key: str
    value: bytes
    partition: int
    headers: Headers


class _Publisher:
    """`options` are librdkafka's."""

    def __init__(self, options: Mapping[str, Any], topic: str, codec: Codec) -> None:
        self._topic = topic
        self._codec = codec
        self._broker = Broker(options)
        self._refused: list[KafkaError] = []
        self._producer = Producer(
            {
                **self._broker.options,
                "enable.idempotence": False,
                "acks": "all",
                # In their order also where one is sent again: parents that are asked for come before their children.
                "max.in.flight.requests.per.connection": 1,
                # A connection that the client has just made is asked again after so long; 100 by itself.
                "reconnect.backoff.ms": 10,
                "message.timeout.ms": int(ANSWER_S * 1000),
            }
        )

    def _partitions(self) -> int:
        """Raises Unreachable and NotSetUp."""
        return self._broker.partitions(self._producer, self._topic)

    def _send(self, records: Iterable[_Record], what: str, hint: str) -> None:
        """Raises Unreachable, in whose message `what` may have been taken and `hint` says what to do about that."""
        self._refused.clear()
        for record in records:
            self._producer.produce(
                self._topic,
                record.value,
                record.key.encode(),
                record.partition,
                on_delivery=self._on_delivery,
                headers=[*record.headers],
            )
        left = self._producer.flush(ANSWER_S + 1)
        if left or self._refused:
            why = self._refused[0].name() if self._refused else "no answer"
            raise Unreachable(
                f"Kafka at {self._broker.servers} did not confirm {what} ({why}); it may have been taken all the same: "
                f"{hint}"
            )

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(error)


class KafkaRequestPublisher(_Publisher):
    """Requests go to the requests topic, each into its district's partition."""

    def publish(self, requests: Sequence[Request]) -> None:
        """Raises Unreachable and NotSetUp, and what encoding raises, before anything was sent."""
        partitions = self._partitions()
        records = [
            _Record(
                request.district_id,
                self._codec.encode(self._topic, request),
                partition_of(request.district_id, partitions),
                headers_of(request.request_id, request.district_id, request.object),
            )
            for request in requests
        ]
        hint = f"repeat it with --request-id {requests[0].request_id}, which does nothing twice"
        self._send(records, "the request", hint)


class KafkaControlPublisher(_Publisher):
    """Wishes about requests go to the control topic.

    An order has a key of its own beside a wish to clear: the topic is compacted, and neither is to take away the other.
    """

    def publish(self, wishes: Sequence[Clear | Order]) -> None:
        """Raises Unreachable and NotSetUp."""
        self._partitions()
        records = [_Record(control_key(wish), self._codec.encode(self._topic, wish), 0, []) for wish in wishes]
        self._send(records, "the wish", "repeat the command, which does nothing twice")
