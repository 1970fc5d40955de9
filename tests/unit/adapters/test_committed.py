import pytest
from confluent_kafka import Consumer, TopicPartition

from processor.adapters.kafka import committed
from processor.adapters.kafka.membership import ClientBroken


def test_a_broker_that_is_away_for_long_lets_the_process_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committed, "CALL_TIMEOUT_S", 0.1)
    monkeypatch.setattr(committed, "PATIENCE_S", 0.2)
    consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "log_level": 0})
    try:
        with pytest.raises(ClientBroken, match="no answer about the group's offsets"):
            committed.committed_offsets(consumer, [TopicPartition("t", 0)])
    finally:
        consumer.close()
