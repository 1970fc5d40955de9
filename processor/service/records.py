"""Kafka records as the services see them, and the lanes that they come in by."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]

TRACEPARENT = "traceparent"


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

    def header(self, name: str) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to write. `partition` None leaves the choice to the client, by key."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default=())
