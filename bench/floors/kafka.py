"""Kafka traffic alone: reads requests and writes a record a key in transactions, without a database or a comparison.

`python -m bench.floors.kafka ORDERS`. Says `ready` and works until SIGTERM.
"""

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

VALUE = bytes(150)
"""About as long as an outcome."""
CALL_S = 30.0


def main() -> None:
    orders = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    stopped = Stopped()
    consumer = Consumer(
        {
            "bootstrap.servers": orders["bootstrap"],
            "group.id": orders["group"],
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 1,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": orders["bootstrap"],
            "transactional.id": orders["transactional_id"],
            "queue.buffering.max.messages": 1_000_000,
            "retry.backoff.ms": 1,
        }
    )
    producer.init_transactions(CALL_S)
    consumer.subscribe([orders["topics"]["requests"]])
    while not stopped.now and not consumer.assignment():
        consumer.poll(0.05)
    print("ready", flush=True)
    most = max(1, orders["transaction_keys"] // orders["keys_per_request"])
    while not stopped.now:
        if messages := _batch(consumer, most):
            _answer(consumer, producer, messages, orders)
    consumer.close()


class Stopped:
    def __init__(self) -> None:
        self.now = False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.now = True


def _batch(consumer: Consumer, most: int) -> list[Any]:
    first = consumer.poll(0.1)
    if first is None:
        return []
    batch = [first, *(consumer.consume(most - 1, 0) if most > 1 else [])]
    if errors := [message.error() for message in batch if message.error()]:
        raise KafkaException(errors[0])
    return batch


def _answer(consumer: Consumer, producer: Producer, messages: list[Any], orders: dict[str, Any]) -> None:
    topic, each = orders["topics"]["history"], orders["keys_per_request"]
    producer.begin_transaction()
    for message in messages:
        offset = message.offset()
        for number in range(each):
            producer.produce(topic, VALUE, b"%d/%d" % (offset, number))
        producer.poll(0)
    last: dict[int, int] = {}
    for message in messages:
        last[message.partition()] = message.offset() + 1
    offsets = [TopicPartition(messages[0].topic(), partition, offset) for partition, offset in last.items()]
    producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
    producer.commit_transaction(CALL_S)


if __name__ == "__main__":
    main()
