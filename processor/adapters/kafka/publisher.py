"""Requests sent to the requests topic by an idempotent producer, each into its district's partition."""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from processor.adapters.kafka.broker import ANSWER_S, Broker
from processor.codec import Codec
from processor.codec.history import headers_of
from processor.core.model import Request
from processor.core.partition import partition_of
from processor.service.client_ports import Unreachable


class KafkaRequestPublisher:
    """`options` are librdkafka's."""

    def __init__(self, options: Mapping[str, Any], topic: str, codec: Codec) -> None:
        self._topic = topic
        self._codec = codec
        self._broker = Broker(options)
        self._refused: list[KafkaError] = []
        self._producer = Producer(
            {
                **self._broker.options,
                "enable.idempotence": True,
                "acks": "all",
                "message.timeout.ms": int(ANSWER_S * 1000),
            }
        )

    def publish(self, requests: Sequence[Request]) -> None:
        """Raises Unreachable and NotSetUp, and what encoding raises, before anything was sent."""
        partitions = self._broker.partitions(self._producer, self._topic)
        values = [self._codec.encode(self._topic, request) for request in requests]
        self._refused.clear()
        for request, value in zip(requests, values, strict=True):
            self._producer.produce(
                self._topic,
                value,
                request.district_id.encode(),
                partition_of(request.district_id, partitions),
                on_delivery=self._on_delivery,
                headers=[*headers_of(request.request_id, request.district_id, request.object)],
            )
        left = self._producer.flush(ANSWER_S + 1)
        if left or self._refused:
            why = self._refused[0].name() if self._refused else "no answer"
            raise Unreachable(
                f"Kafka at {self._broker.servers} did not confirm the request ({why}); it may have been taken all the "
                f"same: repeat it with --request-id {requests[0].request_id}, which does nothing twice"
            )

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(error)
