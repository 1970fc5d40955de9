"""How far the monitor has read, by what a client gives it."""

from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from processor.adapters.kafka import history_heads
from processor.adapters.kafka.history_heads import TopicHeads
from processor.service.monitor import OpenRequests

ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c{:02d}"


class Head:
    """A status of the request whose number is the offset, or what the client tells instead."""

    def __init__(self, offset: int, error: int | None = None) -> None:
        self._offset = offset
        self._error = None if error is None else KafkaError(error)

    def error(self) -> KafkaError | None:
        return self._error

    def key(self) -> bytes:
        return ID.format(self._offset).encode()

    def value(self) -> bytes:
        return b"-"

    def headers(self) -> list[tuple[str, bytes]]:
        return [("status", b"ACCEPTED")]

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_000

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


class Client:
    """Gives what was prepared, piece by piece, of a partition that ends at 3."""

    def __init__(self, *pieces: Sequence[Head]) -> None:
        self._pieces = list(pieces)

    def assign(self, places: Sequence[TopicPartition]) -> None:
        assert [(place.topic, place.partition) for place in places] == [("history", 0)]

    def consume(self, _most: int, _timeout_s: float) -> Sequence[Head]:
        return self._pieces.pop(0) if self._pieces else []

    def get_watermark_offsets(self, _place: TopicPartition, *, cached: bool) -> tuple[int, int]:
        assert cached
        return 0, 3


def heads(monkeypatch: pytest.MonkeyPatch, *pieces: Sequence[Head]) -> TopicHeads:
    def client(_options: dict[str, Any]) -> Client:
        return Client(*pieces)

    monkeypatch.setattr(history_heads, "Consumer", client)
    return TopicHeads({}, "history", 1)


def test_a_partition_is_read_once_it_is_past_where_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, requests = heads(monkeypatch, [Head(0), Head(1)], [Head(2)]), OpenRequests()
    assert not reading.read(requests, 0.0)
    assert reading.read(requests, 0.0)
    assert len(requests) == 3


def test_what_came_before_reading_began_anew_does_not_tell_that_all_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off = Head(0, KafkaError.OFFSET_OUT_OF_RANGE)
    reading, requests = heads(monkeypatch, [Head(0), cut_off, Head(2)], [Head(0)], [Head(1), Head(2)]), OpenRequests()
    assert not reading.read(requests, 0.0)
    assert not len(requests)
    assert not reading.read(requests, 0.0)
    assert reading.read(requests, 0.0)
    assert len(requests) == 3
