"""What a record asks for: decoded as its topic's records are, or set aside."""

from typing import TypeAlias

from processor.codec.codec import Codec
from processor.codec.errors import DecodeError
from processor.core.chunk import Chunk
from processor.core.correction import Answer, Source
from processor.core.errors import Reason
from processor.core.frozen import dataclass
from processor.core.history import RequestStatus
from processor.core.request import Request, Single
from processor.service.records import Lane, Received

Item: TypeAlias = Request | Chunk | Answer | RequestStatus
EXPECTED: dict[Lane, tuple[type[Item], ...]] = {
    Lane.REQUESTS: (Request,),
    Lane.CHUNKS: (Chunk, Request),
    Lane.RETRY: (Chunk, RequestStatus, Request),
    Lane.ANSWERS: (Answer,),
}
"""By the retry topic the store asks for a step of a run, or for a status that it decided upon to be written; by that of
chunks large requests are passed on."""


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that can never be used: it is set aside as it came."""

    record: Received
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Work:
    """A decoded record. `keys`: about how many have to be read for it."""

    record: Received
    ask: Item | Single
    keys: int


def decode(record: Received, codec: Codec) -> Work | Poison:
    """Raises RegistryUnavailable, which says nothing about the record: it is to be decoded again later."""
    if record.value is None:
        return Poison(record, Reason.UNDECODABLE, "the record has no value")
    try:
        if record.lane is Lane.REQUESTS and (single := codec.single(record.value)) is not None:
            return Work(record, single, 1)
        ask = codec.decode(record.value, EXPECTED[record.lane])
    except DecodeError as error:
        return Poison(record, error.reason, error.detail)
    match ask:
        case Request():
            return Work(record, ask, len(getattr(ask.selection, "keys", ())))
        case Chunk():
            return Work(record, ask, len(ask.asks) if ask.scan is None else ask.scan.size)
        case Answer() | RequestStatus():
            return Work(record, ask, 1)
        case _:
            raise TypeError(f"{record.place}: decoded to {type(ask).__name__}")


def origin_of(ask: Item) -> Request | Chunk | Source:
    """What tells the request and the district that a record is about."""
    match ask:
        case Answer():
            return ask.source
        case RequestStatus():
            return ask.request
        case _:
            return ask
