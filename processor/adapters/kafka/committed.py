"""A group's committed offsets, as they stand once no transaction is open on them (KIP-447)."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from processor.adapters.kafka.membership import ClientBroken

CALL_TIMEOUT_S = 10.0
PATIENCE_S = 30.0


def committed_offsets(consumer: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
    """Waits for an open transaction of a former owner that is gone for good: the broker answers after its end.

    An offset is negative where the group has none. Raises ClientBroken after half a minute without an answer: the
    process then begins anew, and waits for the broker as it does at a start.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        offsets, error = _ask(consumer, partitions)
        if error is None:
            return offsets
        waiting = error.retriable() or error.code() == KafkaError._TIMED_OUT
        if not waiting:
            raise KafkaException(error)
        if time.monotonic() > deadline:
            raise ClientBroken(f"no answer about the group's offsets for {PATIENCE_S:.0f} s ({error.name()})")


def _ask(consumer: Consumer, partitions: list[TopicPartition]) -> tuple[list[TopicPartition], KafkaError | None]:
    try:
        offsets: list[TopicPartition] = consumer.committed(partitions, CALL_TIMEOUT_S)
    except KafkaException as exception:
        return [], exception.args[0]
    return offsets, next((offset.error for offset in offsets if offset.error is not None), None)
