"""Which records each topic carries, and how their schemas may change."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from processor.codec.codec import Codec
from processor.codec.record_types import Record
from processor.codec.registry import Compatibility
from processor.core.chunk import Chunk
from processor.core.correction import Answer, Correction
from processor.core.history import ChunkStatus, Clear, Cleared, KeyOutcome, Order, Parked, RequestEnd, RequestStatus
from processor.core.request import Request

HISTORY: tuple[type[Record], ...] = (RequestStatus, ChunkStatus, KeyOutcome, RequestEnd, Cleared, Parked)
RETRIED: tuple[type[Record], ...] = (Chunk, RequestStatus, Request)
CONTROL: tuple[type[Record], ...] = (Clear, Order)


class TopicNames(Protocol):
    """The topics that carry Avro records, as a deployment names them."""

    @property
    def requests(self) -> str: ...
    @property
    def chunks(self) -> str: ...
    @property
    def retry(self) -> str: ...
    @property
    def corrections(self) -> str: ...
    @property
    def answers(self) -> str: ...
    @property
    def history(self) -> str: ...
    @property
    def control(self) -> str: ...


def subjects(
    topics: TopicNames, more_requests: Iterable[str] = (), more_control: Iterable[str] = ()
) -> Iterator[tuple[str, type[Record], Compatibility]]:
    """(topic, record, rule). The history's old records live for ever and its readers are not all ours."""
    for topic in dict.fromkeys((topics.requests, *more_requests)):
        yield topic, Request, Compatibility.BACKWARD
    yield topics.chunks, Chunk, Compatibility.BACKWARD
    for record in RETRIED:
        yield topics.retry, record, Compatibility.BACKWARD
    yield topics.corrections, Correction, Compatibility.BACKWARD
    yield topics.answers, Answer, Compatibility.BACKWARD
    for topic in dict.fromkeys((topics.control, *more_control)):
        for record in CONTROL:
            yield topic, record, Compatibility.BACKWARD
    for record in HISTORY:
        yield topics.history, record, Compatibility.FULL


def register_all(
    codec: Codec, topics: TopicNames, more_requests: Iterable[str] = (), more_control: Iterable[str] = ()
) -> tuple[str, ...]:
    """Registers every schema of this release under its subject `<topic>-<record>`; returns the subjects.

    May be repeated. Raises IncompatibleSchema at the first that the registry refuses, and RegistryUnavailable.
    """
    return tuple(
        subject
        for topic, record, rule in subjects(topics, more_requests, more_control)
        for subject in codec.register(topic, record, rule)
    )
