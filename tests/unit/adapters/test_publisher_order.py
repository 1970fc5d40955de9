"""What a command writes stays in its order, though its producer is not idempotent (ADR 0241)."""

from typing import Any

import pytest

from processor.adapters.kafka.publisher import KafkaControlPublisher, KafkaRequestPublisher
from tests.unit.service.processing import CODEC


@pytest.mark.parametrize("publisher", [KafkaRequestPublisher, KafkaControlPublisher])
def test_a_record_that_is_sent_again_is_not_overtaken(publisher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Persons and their enrollments may be asked for by one command, and one batch be refused at first."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr("processor.adapters.kafka.publisher.Producer", told.append)
    publisher({"bootstrap.servers": "nowhere:1"}, "topic", CODEC)
    (config,) = told
    assert config["enable.idempotence"] or config["max.in.flight.requests.per.connection"] == 1
