"""Kafka records as the services see them, and the lanes that they come in by."""

from dataclasses import field
from enum import IntEnum
from typing import TypeAlias

from processor.core.frozen import dataclass

Header: TypeAlias = tuple[str, bytes | None]
Headers: TypeAlias = tuple[Header, ...]

TRACEPARENT = "traceparent"
MAX_TRACE_BYTES = 128
"""A `traceparent` has 55 bytes (W3C Trace Context); it is copied to every record that a request causes."""


class Lane(IntEnum):
    """Kinds of input."""

    REQUESTS = 0
    ANSWERS = 1
    RETRY = 2
    CHUNKS = 3
    CORRECTIONS = 4


@dataclass(frozen=True, slots=True)
class Received:
    """A record as it was read. `timestamp_s` is the record's own, in Unix seconds."""

    lane: Lane
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_s: float

    @property
    def place(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"

    @property
    def trace(self) -> bytes | None:
        """The record's `traceparent`, unless it is too long to be one."""
        value = next((value for key, value in self.headers if key == TRACEPARENT), None) if self.headers else None
        return None if value is None or len(value) > MAX_TRACE_BYTES else value


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to write. `partition` None leaves the choice to the client, by key."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default=())
